import { HASH_BYTES } from '../merkle/hashes.ts';
import { FormatError } from '../notes/format-error.ts';
import { utf8Of } from '../notes/signed-note.ts';

/** A record as its leaf holds it: docs/formats/leaf-encoding.md. */
export interface Leaf {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array | null }[];
  /** The value, or its length and hash where it did not fit. */
  readonly value: Uint8Array | null | { readonly length: number; readonly sha256: Uint8Array };
}

const VERSION = 1;
/** What an entry bundle can hold: its lengths are 16 bits wide. */
const ENTRY_BYTES_MAX = 0xffff;
/** A header takes nine bytes at least, so this is more than fit an entry. */
const HEADERS_MAX = 8_000;

/**
 * Reads an entry. Each record has one encoding, and anything else is refused.
 * @throws FormatError
 */
export function parseLeaf(entry: Uint8Array): Leaf {
  const reader = new Reader(entry);
  if (reader.uint8() !== VERSION) throw new FormatError('it is of another version');
  const topic = reader.text();
  const partition = reader.uint32();
  const offset = reader.int64();
  if (offset < 0) throw new FormatError('its offset is 2^63 or more');
  const timestampMs = reader.int64();
  const key = reader.optional();
  const count = reader.uint32();
  if (count > HEADERS_MAX) throw new FormatError('it has more headers than fit');
  const headers = headersOf(reader, count);
  const start = reader.position;
  const value = reader.value();
  if (reader.position !== entry.length) throw new FormatError('bytes are left over');
  if (value !== null && 'sha256' in value && start + 5 + value.length <= ENTRY_BYTES_MAX)
    throw new FormatError('its value would have fitted and is given by hash');
  return { topic, partition, offset, timestampMs, key, headers, value };
}

function headersOf(reader: Reader, count: number): Leaf['headers'] {
  const headers: { name: string; value: Buffer | null }[] = [];
  let before = '';
  for (let i = 0; i < count; i += 1) {
    const name = reader.latin1();
    // One character a byte, so this compares bytes.
    if (name < before) throw new FormatError('its headers are not sorted');
    before = name;
    headers.push({ name: decoded(name), value: reader.optional() });
  }
  return headers;
}

/** Names that come again in every record, so that each is decoded once. */
const decodedNames = new Map<string, string>();
const NAMES_MAX = 1_000;

/** The text whose UTF-8 bytes these characters are. @throws FormatError */
function decoded(latin1: string): string {
  const known = decodedNames.get(latin1);
  if (known !== undefined) return known;
  const text = utf8Of(Buffer.from(latin1, 'latin1'));
  if (decodedNames.size < NAMES_MAX) decodedNames.set(latin1, text);
  return text;
}

class Reader {
  position = 0;
  private readonly bytes: Buffer;

  constructor(entry: Uint8Array) {
    this.bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.length);
  }

  uint8(): number {
    return this.bytes[this.passed(1)] ?? 0;
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.passed(4));
  }

  int64(): number {
    const at = this.passed(8);
    const number = this.bytes.readInt32BE(at) * 2 ** 32 + this.bytes.readUInt32BE(at + 4);
    if (!Number.isSafeInteger(number)) throw new FormatError('a number is beyond 2^53');
    return number;
  }

  text(): string {
    return decoded(this.latin1());
  }

  /** Counted bytes, one character each. */
  latin1(): string {
    const length = this.uint32();
    const at = this.passed(length);
    return this.bytes.toString('latin1', at, at + length);
  }

  optional(): Buffer | null {
    const marker = this.uint8();
    if (marker > 1) throw new FormatError('it is neither there nor absent');
    return marker === 0 ? null : this.take(this.uint32());
  }

  value(): Leaf['value'] {
    const marker = this.uint8();
    if (marker > 2) throw new FormatError('its value is of an unknown form');
    if (marker === 0) return null;
    const length = this.uint32();
    return marker === 1 ? this.take(length) : { length, sha256: this.take(HASH_BYTES) };
  }

  private take(length: number): Buffer {
    const at = this.passed(length);
    return this.bytes.subarray(at, at + length);
  }

  /** Goes over so many bytes; answers where they begin. */
  private passed(length: number): number {
    const at = this.position;
    if (at + length > this.bytes.length) throw new FormatError('it ends too early');
    this.position = at + length;
    return at;
  }
}
