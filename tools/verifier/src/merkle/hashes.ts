import { hash } from 'node:crypto';

/** A SHA-256 value: 32 bytes. */
export type Hash = Uint8Array;

export const HASH_BYTES = 32;

/** SHA-256 of the bytes. */
export function sha256(bytes: Uint8Array): Hash {
  return hash('sha256', bytes, 'buffer');
}

/** Hashed at once and never kept, so one piece of memory serves every call. */
const scratch = Buffer.alloc(1 + 65_536);

/** SHA-256(0x00 ‖ entry): RFC 6962, section 2.1. */
export function leafHash(entry: Uint8Array): Hash {
  if (entry.length >= scratch.length) return sha256(Buffer.concat([Buffer.of(0), entry]));
  scratch[0] = 0;
  scratch.set(entry, 1);
  return sha256(scratch.subarray(0, 1 + entry.length));
}

/** SHA-256(0x01 ‖ left ‖ right): RFC 6962, section 2.1. */
export function nodeHash(left: Hash, right: Hash): Hash {
  scratch[0] = 1;
  scratch.set(left, 1);
  scratch.set(right, 1 + HASH_BYTES);
  return sha256(scratch.subarray(0, 1 + 2 * HASH_BYTES));
}

/** Root of the tree without leaves: RFC 6962, section 2.1. */
export const EMPTY_ROOT: Hash = sha256(new Uint8Array());

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** SHA-256 of a raw public key, lower-case hex: what people compare. */
export function fingerprintOf(publicKey: Uint8Array): string {
  return hexOf(sha256(publicKey));
}
