import type { Scope } from '@assent/contracts';
import { canonicalJson } from './registers.ts';

/** What a contact is about. An aspect that is left out is not known. */
export interface ContactAspects {
  readonly purposeId?: string;
  readonly category?: string;
  readonly channel?: string;
  readonly senderId?: string;
}

/**
 * Does a withdrawal of this scope cover a contact of these aspects?
 *
 * Fails closed: `all` covers everything, purposes that did not exist when it was said included; a scope whose kind is
 * not known, or that names nothing, covers everything too; an aspect that is not known may be the one that was named.
 */
export function covers(scope: Scope, contact: ContactAspects): boolean {
  const named = namedAspect(scope);
  if (named === undefined) return true;
  const aspect = contact[named.aspect];
  return aspect === undefined || aspect === named.id;
}

/** One key per scope: scopes that cover the same contacts for ever share it. */
export function scopeKey(scope: Scope): string {
  const named = namedAspect(scope);
  if (named !== undefined) return `${named.aspect}:${named.id}`;
  return isAll(scope) ? 'all' : `unknown:${canonicalJson(scope)}`;
}

const ASPECT_OF_KIND: ReadonlyMap<string, keyof ContactAspects> = new Map([
  ['channel', 'channel'],
  ['category', 'category'],
  ['purpose', 'purposeId'],
  ['sender', 'senderId'],
]);

function namedAspect(scope: Scope): { aspect: keyof ContactAspects; id: string } | undefined {
  const { kind, id } = fieldsOf(scope);
  const aspect = typeof kind === 'string' ? ASPECT_OF_KIND.get(kind) : undefined;
  if (aspect === undefined || typeof id !== 'string' || id === '') return undefined;
  return { aspect, id };
}

function isAll(scope: Scope): boolean {
  return fieldsOf(scope).kind === 'all';
}

/** A withdrawal is never refused, so its scope may be a value that a later version, or a mistake, wrote. */
function fieldsOf(scope: unknown): { kind?: unknown; id?: unknown } {
  return typeof scope === 'object' && scope !== null ? scope : {};
}
