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
  const headers = Array.from({ length: count }, () => reader.header());
  for (const [i, header] of headers.entries()) {
    const before = headers[i - 1];
    if (before !== undefined && Buffer.compare(before.nameBytes, header.nameBytes) > 0)
      throw new FormatError('its headers are not sorted');
  }
  const start = reader.position;
  const value = reader.value();
  if (reader.position !== entry.length) throw new FormatError('bytes are left over');
  if (value !== null && 'sha256' in value && start + 5 + value.length <= ENTRY_BYTES_MAX)
    throw new FormatError('its value would have fitted and is given by hash');
  return { topic, partition, offset, timestampMs, key, headers, value };
}

class Reader {
  position = 0;
  private readonly bytes: Buffer;

  constructor(entry: Uint8Array) {
    this.bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.length);
  }

  take(length: number): Buffer {
    if (this.position + length > this.bytes.length) throw new FormatError('it ends too early');
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  uint8(): number {
    return this.take(1).readUInt8();
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  int64(): number {
    const bytes = this.take(8);
    const number = bytes.readInt32BE() * 2 ** 32 + bytes.readUInt32BE(4);
    if (!Number.isSafeInteger(number)) throw new FormatError('a number is beyond 2^53');
    return number;
  }

  text(): string {
    return utf8Of(this.take(this.uint32()));
  }

  optional(): Buffer | null {
    const marker = this.uint8();
    if (marker > 1) throw new FormatError('it is neither there nor absent');
    return marker === 0 ? null : this.take(this.uint32());
  }

  header(): { nameBytes: Buffer; name: string; value: Buffer | null } {
    const nameBytes = this.take(this.uint32());
    return { nameBytes, name: utf8Of(nameBytes), value: this.optional() };
  }

  value(): Leaf['value'] {
    const marker = this.uint8();
    if (marker > 2) throw new FormatError('its value is of an unknown form');
    if (marker === 0) return null;
    const length = this.uint32();
    return marker === 1 ? this.take(length) : { length, sha256: this.take(HASH_BYTES) };
  }
}
