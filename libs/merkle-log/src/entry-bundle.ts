import { LogFormatError } from './errors.ts';
import { ENTRY_BYTES_MAX } from './leaf-encoding.ts';
import { TILE_WIDTH } from './tiles.ts';

const LENGTH_BYTES = 2;

/** Largest entry bundle there can be: 256 entries of 65,535 bytes, each with its length. */
export const BUNDLE_BYTES_MAX = TILE_WIDTH * (LENGTH_BYTES + ENTRY_BYTES_MAX);

/**
 * The bytes of an entry bundle of C2SP tlog-tiles: each entry after its length as a big-endian uint16.
 * @throws LogFormatError `entry-too-large` for an entry over 65,535 bytes
 */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const parts = entries.flatMap((entry) => {
    if (entry.length > ENTRY_BYTES_MAX) {
      throw new LogFormatError('entry-too-large', `an entry of ${entry.length} bytes does not fit an entry bundle`);
    }
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt16BE(entry.length);
    return [length, entry];
  });
  return Buffer.concat(parts);
}

/**
 * The entries of a bundle's bytes.
 * @throws LogFormatError `malformed-bundle` when a length points past the end or there are more than 256 entries
 */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < view.length;) {
    const start = at + LENGTH_BYTES;
    const end = start <= view.length ? start + view.readUInt16BE(at) : Infinity;
    if (end > view.length)
      throw new LogFormatError('malformed-bundle', `entry ${entries.length} ends after the bundle`);
    if (entries.length === TILE_WIDTH) throw new LogFormatError('malformed-bundle', 'more than 256 entries');
    entries.push(view.subarray(start, end));
    at = end;
  }
  return entries;
}
