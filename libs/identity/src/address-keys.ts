import { createHmac } from 'node:crypto';
import { addressesOf, type Address, type AddressKind, type Recipient } from './addresses.ts';

/** A secret that address keys are made with. */
export interface Pepper {
  /** Stands in the clear before every key it made. */
  readonly id: string;
  readonly secret: Uint8Array;
}

/** Every live pepper multiplies each lookup, so more than a rotation or two in flight is a mistake. */
export const PEPPERS_MAX = 8;

/** Phone numbers are few (about 10^10): only the secret keeps the hash from being turned back, so it is a whole key. */
export const PEPPER_BYTES_MIN = 32;

const PEPPER_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

export type PepperFault = 'no-pepper' | 'too-many-peppers' | 'malformed-pepper' | 'short-pepper' | 'repeated-pepper-id';

/** Peppers that must not be used. Never carries a secret. */
export class PepperError extends Error {
  override readonly name = 'PepperError';
  readonly code: PepperFault;
  constructor(code: PepperFault) {
    super(`peppers refused: ${code}`);
    this.code = code;
  }
}

/**
 * Reads `id:secret` pairs separated by commas, the current pepper first; a secret is base64 or base64url of at least
 * `PEPPER_BYTES_MIN` bytes.
 * @throws PepperError
 */
export function parsePeppers(text: string): Pepper[] {
  return text.split(',').map((pair) => {
    const [id = '', encoded = '', ...rest] = pair.trim().split(':');
    if (rest.length > 0 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) throw new PepperError('malformed-pepper');
    return { id, secret: Buffer.from(encoded, 'base64') };
  });
}

/**
 * Keyed hashes of addresses: the pseudonym that suppression lives on and the directory looks up.
 *
 * A key is `<pepperId>.<base64url(HMAC-SHA-256(secret, tenant, kind class, canonical))>`, each field after its length
 * in bytes (uint32, big endian). Phone numbers and wa_ids share a kind class. Pure; holds the secrets in memory.
 */
export class AddressKeys {
  readonly #current: Pepper;
  readonly #peppers: readonly Pepper[];

  /**
   * @param peppers every live one, the current one first
   * @throws PepperError
   */
  constructor(peppers: readonly Pepper[]) {
    if (peppers.length > PEPPERS_MAX) throw new PepperError('too-many-peppers');
    for (const { id, secret } of peppers) {
      if (!PEPPER_ID.test(id)) throw new PepperError('malformed-pepper');
      if (secret.length < PEPPER_BYTES_MIN) throw new PepperError('short-pepper');
    }
    if (new Set(peppers.map(({ id }) => id)).size < peppers.length) throw new PepperError('repeated-pepper-id');
    this.#peppers = peppers.map(({ id, secret }) => ({ id, secret: Uint8Array.from(secret) }));
    const [current] = this.#peppers;
    if (current === undefined) throw new PepperError('no-pepper');
    this.#current = current;
  }

  /** The key new facts carry: of the current pepper. */
  keyOf(tenant: string, address: Address): string {
    return keyBy(this.#current, tenant, address);
  }

  /** The keys an address may be known by: one for every live pepper, the current one first. */
  candidates(tenant: string, address: Address): string[] {
    return this.#peppers.map((pepper) => keyBy(pepper, tenant, address));
  }

  /** Every key a recipient may be known by: of each of its addresses, by every live pepper. Empty for a subject. */
  lookupKeys(tenant: string, recipient: Recipient): string[] {
    return addressesOf(recipient).flatMap((address) => this.candidates(tenant, address));
  }
}

const KIND_CLASS: Readonly<Record<AddressKind, string>> = {
  phone: 'phone',
  waId: 'phone',
  bsuid: 'bsuid',
  parentBsuid: 'parentBsuid',
};

function keyBy(pepper: Pepper, tenant: string, address: Address): string {
  const hmac = createHmac('sha256', pepper.secret);
  for (const field of [tenant, KIND_CLASS[address.kind], address.canonical]) {
    const bytes = Buffer.from(field, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  }
  return `${pepper.id}.${hmac.digest('base64url')}`;
}
