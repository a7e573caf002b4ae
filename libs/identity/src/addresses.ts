import { plainText } from './digits.ts';
import { phoneForms } from './normalize-phone.ts';

/** Whom a caller means; exactly one member. */
export type Recipient =
  { readonly phone: string } | { readonly waId: string } | { readonly bsuid: string } | { readonly subjectId: string };

export type AddressKind = 'phone' | 'waId' | 'bsuid' | 'parentBsuid';

export interface Address {
  readonly kind: AddressKind;
  /** A phone number's digits without `+`, or a business-scoped user id as it came. */
  readonly canonical: string;
}

/**
 * The addresses a recipient may be known by: for a phone number or a wa_id every variant of it (the E.164 one first, as
 * kind `phone`), for a business-scoped user id itself, for a subject none. Every variant of one number gives the same
 * set of canonical forms. Never throws; what cannot be understood is still one address.
 */
export function addressesOf(recipient: Recipient): Address[] {
  if ('subjectId' in recipient) return [];
  if ('bsuid' in recipient) return [bsuidAddress(recipient.bsuid)];
  const [canonical, ...variants] = phoneForms('phone' in recipient ? recipient.phone : recipient.waId);
  return [{ kind: 'phone', canonical }, ...variants.map((variant) => ({ kind: 'waId' as const, canonical: variant }))];
}

export interface Bsuid {
  readonly kind: 'bsuid' | 'parentBsuid';
  /** ISO 3166-1 alpha-2 of the user's phone number: a region, not a time zone. */
  readonly region: string;
}

/** `US.13491208655302741918`, or of a parent business `US.ENT.11815799212886844830` (WhatsApp, business-scoped ids). */
const BSUID = /^(?<region>[A-Z]{2})\.(?<parent>ENT\.)?[A-Za-z0-9]{1,128}$/;

/** Reads a business-scoped user id; `undefined` when the text is none. */
export function parseBsuid(text: string): Bsuid | undefined {
  const groups = BSUID.exec(plainText(text))?.groups;
  const region = groups?.['region'];
  if (region === undefined) return undefined;
  return { kind: groups?.['parent'] === undefined ? 'bsuid' : 'parentBsuid', region };
}

function bsuidAddress(text: string): Address {
  return { kind: parseBsuid(text)?.kind ?? 'bsuid', canonical: plainText(text) };
}
