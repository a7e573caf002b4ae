/** Longest message that can be a control message, characters; a longer one says something else. */
const CONTROL_CHARS_MAX = 200;

/**
 * What a person wrote, reduced to what they meant: compatibility forms (full width, ligatures), case, accents,
 * punctuation, emoji and direction marks taken away, spaces folded. Undefined when it is too long to be a control
 * message or nothing is left.
 */
export function normaliseText(text: string): string | undefined {
  if (text.length > CONTROL_CHARS_MAX) return undefined;
  const folded = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{Cf}/gu, '')
    // In Indic scripts the marks are the vowels: without them "do it later" would read as "stop it".
    .replace(/(?![\u0900-\u0dff])\p{M}/gu, '')
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ')
    .trim();
  return folded === '' ? undefined : folded;
}
