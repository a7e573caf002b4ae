/** Languages of an `Accept-Language` header that are looked at; browsers send a handful. */
const ACCEPTED_MAX = 10;

/**
 * The language of a text that a browser asks for most: exactly, else the same language of another region; the first one
 * when none fits. Undefined when there is no text.
 *
 * @param available language tags such as `en` or `pt_BR`
 * @param accepted the header as it came; its order counts, since browsers send the best first
 */
export function preferredLanguage(available: readonly string[], accepted: string | undefined): string | undefined {
  const plain = (tag: string): string => tag.trim().replaceAll('_', '-').toLowerCase();
  const wanted = (accepted ?? '').split(',', ACCEPTED_MAX).map((part) => plain(part.split(';', 1)[0] ?? ''));
  for (const tag of wanted.filter((part) => part !== '')) {
    const [base] = tag.split('-');
    const found =
      available.find((language) => plain(language) === tag) ??
      available.find((language) => plain(language).split('-')[0] === base);
    if (found !== undefined) return found;
  }
  return available[0];
}
