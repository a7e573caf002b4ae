import { decryptBox, encryptBox, KEY_BYTES } from './aes-gcm.ts';
import { lengthPrefixed } from './length-prefixed.ts';

/** A value sealed under a subject's key, as text: `v1.<iv>.<ciphertext and tag>`. It never carries the key. */
export type Sealed = string;

/** So that a sealed value, a third longer as base64url, stays well below Kafka's 1 MiB record. */
export const SEALED_PLAINTEXT_BYTES_MAX = 256 * 1024;

export type SealFault = 'bad-key' | 'too-large' | 'malformed' | 'refused';

/** A value that could not be sealed or opened. Never carries the value, the key or whose it is. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code: SealFault;
  constructor(code: SealFault) {
    super(`sealing: ${code}`);
    this.code = code;
  }
}

/**
 * Seals a value for one field of one subject of one tenant: AES-256-GCM, a random 12-byte IV, and tenant, subject and
 * field bound as associated data, so that it opens in no other place. Not deterministic: seal once and keep the bytes.
 *
 * @param key 32 bytes, the subject's
 * @param plaintext text (as UTF-8) or bytes, at most `SEALED_PLAINTEXT_BYTES_MAX`
 * @throws SealError `bad-key`, `too-large`
 */
export function seal(
  key: Uint8Array,
  tenant: string,
  subjectId: string,
  field: string,
  plaintext: string | Uint8Array,
): Sealed {
  const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
  assertKey(key);
  if (bytes.length > SEALED_PLAINTEXT_BYTES_MAX) throw new SealError('too-large');
  return encryptBox(key, lengthPrefixed(tenant, subjectId, field), bytes);
}

/**
 * Opens a sealed value as bytes.
 * @throws SealError `malformed` when it is no sealed value; `refused` when key, tenant, subject or field are others or
 * a bit changed; `bad-key`
 */
export function unsealBytes(
  key: Uint8Array,
  tenant: string,
  subjectId: string,
  field: string,
  sealed: Sealed,
): Uint8Array {
  assertKey(key);
  const opened = decryptBox(key, lengthPrefixed(tenant, subjectId, field), sealed);
  if (typeof opened === 'string') throw new SealError(opened);
  return opened;
}

/** Opens a sealed text. Throws as `unsealBytes`. */
export function unseal(key: Uint8Array, tenant: string, subjectId: string, field: string, sealed: Sealed): string {
  return Buffer.from(unsealBytes(key, tenant, subjectId, field, sealed)).toString('utf8');
}

function assertKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new SealError('bad-key');
}
