import { createHash } from 'node:crypto';

import { canonicalJson } from '@assent/contracts';

import type { ProjectedDocument } from './fold.ts';

const MODULUS = 1n << 256n;

/**
 * Order-independent digest of a set of documents: the sum modulo 2^256 of SHA-256 over each one's collection name and
 * canonical JSON. `_id` and `_position` count; `_epoch`, fields derived from sealed data (any name that starts with
 * `sealed`, at any depth) and the fields a fold names do not.
 */
export class DocumentDigest {
  #sum = 0n;
  #documents = 0;

  add(collection: string, document: ProjectedDocument, omit: readonly string[] = []): void {
    const counted = Object.fromEntries(
      Object.entries(document).filter(([key]) => key !== '_epoch' && !omit.includes(key)),
    );
    const text = `${collection}\n${canonicalJson(withoutSealed(counted))}`;
    const hash = createHash('sha256').update(text).digest('hex');
    this.#sum = (this.#sum + BigInt(`0x${hash}`)) % MODULUS;
    this.#documents += 1;
  }

  get documents(): number {
    return this.#documents;
  }

  /** 64 hexadecimal digits. */
  get hex(): string {
    return this.#sum.toString(16).padStart(64, '0');
  }
}

function withoutSealed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutSealed);
  }
  if (typeof value !== 'object' || value === null || !isPlainObject(value)) {
    return value;
  }
  const kept = Object.entries(value).filter(([key]) => !key.startsWith('sealed'));
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutSealed(field)]));
}

/** Anything else (a date, a driver's number type) is left to `canonicalJson`, which refuses it. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
