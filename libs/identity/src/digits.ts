import { parseDigits } from 'libphonenumber-js/max';

/**
 * The text as people mean it: invisible format characters (such as the direction marks that phones add when a contact
 * is copied) removed, compatibility forms folded (NFKC), trimmed. Idempotent; never throws.
 */
export function plainText(input: string): string {
  return input
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim();
}

/** The decimal digits of a text, of the scripts that phone keyboards write, as ASCII. */
export function digitsOf(text: string): string {
  return parseDigits(text);
}
