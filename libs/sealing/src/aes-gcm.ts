import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** AES-256. */
export const KEY_BYTES = 32;

/** The size NIST SP 800-38D recommends; random, so one key may seal 2^32 times (section 8.3). */
const IV_BYTES = 12;

/** The full tag: shorter ones weaken GCM beyond their length (NIST SP 800-38D, appendix C). */
const TAG_BYTES = 16;

/** What a version 1 box looks like as text. */
const BOX = /^v1\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

/** Encrypts to `v1.<iv>.<ciphertext and tag>` (base64url). `associated` is bound, not stored. */
export function encryptBox(key: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(associated);
  const body = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return `v1.${iv.toString('base64url')}.${body.toString('base64url')}`;
}

/**
 * Decrypts what `encryptBox` made. `malformed` when the text is no box or not the one spelling of its bytes; `refused`
 * when the key or the associated data are others, or a bit changed.
 */
export function decryptBox(key: Uint8Array, associated: Uint8Array, box: string): Buffer | 'malformed' | 'refused' {
  const [, ivText = '', bodyText = ''] = BOX.exec(box) ?? [];
  const iv = Buffer.from(ivText, 'base64url');
  const body = Buffer.from(bodyText, 'base64url');
  // base64 has spare bits in its last character: two spellings of the same bytes would be two valid boxes.
  if (body.length < TAG_BYTES || body.toString('base64url') !== bodyText) return 'malformed';
  const tagAt = body.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
    .setAAD(associated)
    .setAuthTag(body.subarray(tagAt));
  const plaintext = decipher.update(body.subarray(0, tagAt));
  try {
    decipher.final();
  } catch {
    return 'refused';
  }
  return plaintext;
}
