import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

/** A part of a deterministic id has a lone surrogate, which UTF-8 cannot express: two parts would become one id. */
export class DeterministicIdError extends Error {
  override readonly name = 'DeterministicIdError';
  readonly code = 'lone-surrogate';
  constructor() {
    super('a part of a deterministic id is not well-formed text');
  }
}

/**
 * A UUID that follows from its parts: the same label and parts give the same id on every machine, so a repeat of the
 * same cause makes the same event. UUID version 8 (RFC 9562, section 5.8): the first 128 bits of SHA-256 over the label
 * and each part, each as UTF-8 after its length in bytes (uint32, big endian), so that ('a', 'bc') and ('ab', 'c')
 * differ. Not a secret: whoever can guess the parts can compute it.
 * Throws DeterministicIdError on a lone surrogate.
 */
export function deterministicId(namespaceLabel: string, ...parts: string[]): string {
  const hash = createHash('sha256');
  for (const part of [namespaceLabel, ...parts]) addLengthPrefixed(hash, part);
  const bytes = hash.digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6); // version 8
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8); // variant 10
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The `messageId` that events carry for a WhatsApp message id. A wamid contains the phone number in its base64, so it
 * never stands in an event; its random part (at least 64 bits) is what keeps this hash from being guessed.
 */
export function messageIdOf(wamid: string): string {
  return deterministicId('whatsapp-message', wamid);
}

function addLengthPrefixed(hash: Hash, part: string): void {
  if (/\p{Surrogate}/u.test(part)) throw new DeterministicIdError();
  const bytes = Buffer.from(part, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  hash.update(length).update(bytes);
}
