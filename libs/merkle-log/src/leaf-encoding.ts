import { LogFormatError } from './errors.ts';
import { HASH_BYTES, sha256 } from './hashing.ts';

/** A record as Kafka holds it. Times are the broker's, in milliseconds since 1970; offsets stay below 2^53. */
export interface KafkaRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly KafkaRecordHeader[];
  readonly value: Uint8Array | null;
}

export interface KafkaRecordHeader {
  readonly name: string;
  readonly value: Uint8Array | null;
}

/** What a leaf holds of the record's value: the bytes, or their hash when the record would not fit an entry bundle. */
export type LeafValue =
  | { readonly form: 'null' }
  | { readonly form: 'inline'; readonly bytes: Uint8Array }
  | { readonly form: 'by-hash'; readonly length: number; readonly sha256: Uint8Array };

export interface DecodedLeaf extends Omit<KafkaRecord, 'value'> {
  readonly value: LeafValue;
}

export const LEAF_ENCODING_VERSION = 1;

/** Largest entry of a C2SP tlog-tiles entry bundle: its length prefix is a uint16. */
export const ENTRY_BYTES_MAX = 0xffff;

const ABSENT = 0;
const PRESENT = 1;
const BY_HASH = 2;
const MARKER_BYTES = 1;
const LENGTH_BYTES = 4;

/** From here on the order of UTF-16 code units is not the order of UTF-8 bytes. */
const FIRST_SURROGATE_OR_LATER = /[\ud800-\uffff]/;

/**
 * The one canonical encoding of a record, version 1, byte by byte in docs/formats/leaf-encoding.md.
 *
 * A value that would make the encoding longer than 65,535 bytes is replaced by its length and SHA-256, so that every
 * leaf fits an entry bundle; whoever keeps the entries keeps that value beside them (see `valueKeptApart`). The choice
 * depends on the record alone, so the same record has the same leaf for everybody.
 *
 * @throws LogFormatError `malformed-leaf` for numbers outside their range. An encoding without its value may still be
 * longer than 65,535 bytes (headers of a foreign writer): it hashes, but no bundle can hold it.
 */
export function encodeLeaf(record: KafkaRecord): Uint8Array {
  const headers = sortedByName(record.headers);
  const headLength = lengthOfHead(record, headers);
  if (record.value === null) {
    const writer = new LeafWriter(headLength + MARKER_BYTES);
    writeHead(writer, record, headers);
    return writer.uint8(ABSENT).bytes;
  }
  if (fitsInline(headLength, record.value)) {
    const writer = new LeafWriter(headLength + lengthOfOptional(record.value));
    writeHead(writer, record, headers);
    return writer.optional(record.value).bytes;
  }
  const writer = new LeafWriter(headLength + MARKER_BYTES + LENGTH_BYTES + HASH_BYTES);
  writeHead(writer, record, headers);
  return writer.uint8(BY_HASH).uint32(record.value.length).raw(sha256(record.value)).bytes;
}

/** The value that `encodeLeaf` replaced by its hash, to be kept under that hash; undefined when it is in the leaf. */
export function valueKeptApart(record: KafkaRecord): Uint8Array | undefined {
  if (record.value === null || fitsInline(lengthOfHead(record, sortedByName(record.headers)), record.value))
    return undefined;
  return record.value;
}

function fitsInline(headLength: number, value: Uint8Array): boolean {
  return headLength + lengthOfOptional(value) <= ENTRY_BYTES_MAX;
}

/** A header's name as it is written, its length before it; `plain` when code units sort as bytes do. */
interface EncodedName {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly plain: boolean;
}

interface EncodedHeader {
  readonly name: EncodedName;
  readonly value: Uint8Array | null;
}

/** Names come again with every record, and encoding them was the larger part of making a leaf. */
const encodedNames = new Map<string, EncodedName>();
/** Names of foreign writers may be anything: then the memory begins anew. */
const ENCODED_NAMES_MAX = 1_024;
const ENCODED_NAME_LENGTH_MAX = 64;

function encodedName(name: string): EncodedName {
  const known = encodedNames.get(name);
  if (known !== undefined) return known;
  const text = Buffer.from(name, 'utf8');
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES + text.length);
  bytes.writeUInt32BE(text.length);
  bytes.set(text, LENGTH_BYTES);
  const encoded = { name, bytes, plain: !FIRST_SURROGATE_OR_LATER.test(name) };
  if (name.length > ENCODED_NAME_LENGTH_MAX) return encoded;
  if (encodedNames.size >= ENCODED_NAMES_MAX) encodedNames.clear();
  encodedNames.set(name, encoded);
  return encoded;
}

/** Sorted by the bytes of the names; the sort is stable, so repeats of a name keep their order. */
function sortedByName(headers: readonly KafkaRecordHeader[]): readonly EncodedHeader[] {
  return headers.map(({ name, value }) => ({ name: encodedName(name), value })).sort((a, b) => order(a.name, b.name));
}

function order(a: EncodedName, b: EncodedName): number {
  if (a.plain && b.plain) return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
  return Buffer.compare(a.bytes.subarray(LENGTH_BYTES), b.bytes.subarray(LENGTH_BYTES));
}

function lengthOfHead(record: KafkaRecord, headers: readonly EncodedHeader[]): number {
  let length = 1 + lengthOfText(record.topic) + 4 + 8 + 8 + lengthOfOptional(record.key) + LENGTH_BYTES;
  for (const { name, value } of headers) length += name.bytes.length + lengthOfOptional(value);
  return length;
}

function lengthOfText(text: string): number {
  return LENGTH_BYTES + Buffer.byteLength(text, 'utf8');
}

function lengthOfOptional(bytes: Uint8Array | null): number {
  return bytes === null ? MARKER_BYTES : MARKER_BYTES + LENGTH_BYTES + bytes.length;
}

function writeHead(writer: LeafWriter, record: KafkaRecord, headers: readonly EncodedHeader[]): void {
  writer.uint8(LEAF_ENCODING_VERSION).text(record.topic).uint32(record.partition);
  writer.uint64(record.offset).int64(record.timestampMs).optional(record.key).uint32(headers.length);
  for (const { name, value } of headers) writer.raw(name.bytes).optional(value);
}

/** Writes the fields one after the other into a buffer of exactly the right length. */
class LeafWriter {
  readonly bytes: Buffer;
  private position = 0;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafe(length);
  }

  uint8(value: number): this {
    this.position = this.bytes.writeUInt8(value, this.position);
    return this;
  }

  uint32(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) throw outOfRange('an unsigned 32-bit number');
    this.position = this.bytes.writeUInt32BE(value, this.position);
    return this;
  }

  uint64(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw outOfRange('an offset below 2^53');
    return this.int64(value);
  }

  int64(value: number): this {
    if (!Number.isSafeInteger(value)) throw outOfRange('a timestamp in whole milliseconds');
    const high = Math.floor(value / 2 ** 32);
    this.position = this.bytes.writeInt32BE(high, this.position);
    this.position = this.bytes.writeUInt32BE(value - high * 2 ** 32, this.position);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
    return this;
  }

  text(text: string): this {
    const written = this.bytes.write(text, this.position + LENGTH_BYTES, 'utf8');
    this.uint32(written);
    this.position += written;
    return this;
  }

  optional(bytes: Uint8Array | null): this {
    if (bytes === null) return this.uint8(ABSENT);
    return this.uint8(PRESENT).uint32(bytes.length).raw(bytes);
  }
}

function outOfRange(wanted: string): LogFormatError {
  return new LogFormatError('malformed-leaf', `a field of the record is not ${wanted}`);
}

/**
 * Reads an entry back. Accepts exactly what `encodeLeaf` can produce: unsorted headers, invalid UTF-8, a by-hash value
 * that would have fitted, or bytes left over are refused, so that one record has one encoding.
 *
 * @throws LogFormatError `malformed-leaf`
 */
export function decodeLeaf(entry: Uint8Array): DecodedLeaf {
  const reader = new LeafReader(entry);
  const version = reader.uint8();
  if (version !== LEAF_ENCODING_VERSION) throw malformed(`version ${version} is not known`);
  const topic = reader.text();
  const partition = reader.uint32();
  const offset = reader.uint64();
  const timestampMs = reader.int64();
  const key = reader.optional();
  const headers = readHeaders(reader);
  const value = readValue(reader);
  reader.end();
  return { topic, partition, offset, timestampMs, key, headers, value };
}

function readHeaders(reader: LeafReader): KafkaRecordHeader[] {
  const count = reader.uint32();
  const headers: KafkaRecordHeader[] = [];
  let previous = Buffer.alloc(0);
  for (let i = 0; i < count; i += 1) {
    const name = reader.text();
    const nameBytes = Buffer.from(name, 'utf8');
    if (Buffer.compare(previous, nameBytes) > 0) throw malformed('headers are not sorted by name');
    previous = nameBytes;
    headers.push({ name, value: reader.optional() });
  }
  return headers;
}

function readValue(reader: LeafReader): LeafValue {
  const headLength = reader.position;
  const marker = reader.uint8();
  if (marker === ABSENT) return { form: 'null' };
  if (marker === PRESENT) return { form: 'inline', bytes: reader.prefixed() };
  if (marker !== BY_HASH) throw malformed(`marker ${marker} of the value is not known`);
  const length = reader.uint32();
  if (headLength + MARKER_BYTES + LENGTH_BYTES + length <= ENTRY_BYTES_MAX)
    throw malformed('a value that fits is given by hash');
  return { form: 'by-hash', length, sha256: reader.take(HASH_BYTES) };
}

function malformed(what: string): LogFormatError {
  return new LogFormatError('malformed-leaf', what);
}

class LeafReader {
  position = 0;
  private readonly bytes: Buffer;

  constructor(entry: Uint8Array) {
    this.bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  }

  take(length: number): Uint8Array {
    if (this.bytes.length - this.position < length) throw malformed('the entry ends too early');
    const taken = this.bytes.subarray(this.position, this.position + length);
    this.position += length;
    return taken;
  }

  private view(length: number): Buffer {
    this.take(length);
    return this.bytes.subarray(this.position - length, this.position);
  }

  uint8(): number {
    return this.view(1).readUInt8();
  }

  uint32(): number {
    return this.view(4).readUInt32BE();
  }

  uint64(): number {
    return safe(this.view(8).readBigUInt64BE());
  }

  int64(): number {
    return safe(this.view(8).readBigInt64BE());
  }

  prefixed(): Uint8Array {
    return this.take(this.uint32());
  }

  optional(): Uint8Array | null {
    const marker = this.uint8();
    if (marker === ABSENT) return null;
    if (marker !== PRESENT) throw malformed(`marker ${marker} of an optional field is not known`);
    return this.prefixed();
  }

  text(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.prefixed());
    } catch (error) {
      if (error instanceof LogFormatError) throw error;
      throw malformed('a name is not UTF-8');
    }
  }

  end(): void {
    if (this.position !== this.bytes.length) throw malformed('bytes are left over after the entry');
  }
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformed('a number is beyond 2^53');
  return number;
}
