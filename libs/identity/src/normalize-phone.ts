import { createRequire } from 'node:module';
import { parsePhoneNumberFromString, type PhoneNumber } from 'libphonenumber-js/max';
import { digitsOf, plainText } from './digits.ts';
import { dialledForm, waIdVariantsOf } from './wa-id-variants.ts';

const { version } = createRequire(import.meta.url)('libphonenumber-js/package.json') as { version: string };

/** The phone metadata that numbers were normalised with; an input of every decision. */
export const PHONE_METADATA_VERSION = `libphonenumber-js/max@${version}`;

export interface NormalizedPhone {
  /** What keys are made of: the digits of the number, country code first; the text itself when it cannot be a number. */
  readonly canonical: string;
  /** `+` and the digits; the text itself when it cannot be a number. Dial it only when `possible`. */
  readonly e164: string;
  /** Every way WhatsApp may write the number, `canonical` first. Empty when the text cannot be a number. */
  readonly waIdVariants: readonly string[];
  /** ISO 3166-1 alpha-2, when the metadata tells one. */
  readonly region?: string;
  /** The length fits the region. */
  readonly possible: boolean;
  /** The digits fit a range that is in use. Reserved fake numbers and fresh ranges are possible but not valid. */
  readonly valid: boolean;
}

/**
 * Normalises a phone number in international form, with `+`, with `00`, or as the bare digits of a wa_id. A number in
 * national form has no country and is taken as it stands.
 *
 * Never throws and never refuses: a withdrawal may carry any text, and must be kept (invariant I6). Normalising the
 * `e164` or the `canonical` of the result gives the same result.
 */
export function normalizePhone(input: string): NormalizedPhone {
  const text = plainText(input);
  const forms = numberForms(text);
  if (forms === undefined) return { canonical: text, e164: text, waIdVariants: [], possible: false, valid: false };
  const [canonical] = forms;
  const parsed = parse(canonical);
  return {
    canonical,
    e164: `+${canonical}`,
    waIdVariants: forms,
    ...(parsed?.country === undefined ? {} : { region: parsed.country }),
    possible: parsed?.isPossible() ?? false,
    valid: parsed?.isValid() ?? false,
  };
}

/**
 * The canonical form of a phone number and its other variants, as `normalizePhone` gives them, at a third of its cost.
 * One form, the text itself, when it cannot be a number.
 */
export function phoneForms(input: string): [canonical: string, ...variants: string[]] {
  const text = plainText(input);
  return numberForms(text) ?? [text];
}

/** libphonenumber reads no longer text; what is longer is kept as it is, without the cost of reading it. */
const PHONE_TEXT_LENGTH_MAX = 250;

/** Far above the 15 digits of E.164; what is longer is no number that was merely mistyped. */
const PHONE_DIGITS_MAX = 64;

function numberForms(text: string): [canonical: string, ...variants: string[]] | undefined {
  if (text.length > PHONE_TEXT_LENGTH_MAX) return undefined;
  const digits = internationalDigits(text);
  return digits === '' || digits.length > PHONE_DIGITS_MAX ? undefined : waIdVariantsOf(dialledForm(digits));
}

/** A second step changes something only for odd texts such as one prefix inside another; a bound all the same. */
const NORMALIZE_STEPS_MAX = 8;

function internationalDigits(text: string): string {
  let digits = text;
  for (let step = 0; step < NORMALIZE_STEPS_MAX; step++) {
    const next = digitsAfterParsing(digits);
    if (next === digits) break;
    digits = next;
  }
  return digits;
}

/** libphonenumber removes extensions, and national prefixes such as the (0) in +44 (0)7700 900123. */
function digitsAfterParsing(text: string): string {
  const international = text.replace(/^\+/, '').replace(/^\D*0\D*0\D*(?=[1-9])/, '');
  return parse(international)?.number.slice(1) ?? digitsOf(international);
}

function parse(international: string): PhoneNumber | undefined {
  return parsePhoneNumberFromString(`+${international}`);
}
