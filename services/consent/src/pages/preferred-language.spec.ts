import { preferredLanguage } from './preferred-language.ts';

describe('the language of a page', () => {
  it.each<[string[], string | undefined, string | undefined]>([
    [['en', 'de'], 'de-AT,de;q=0.9,en;q=0.8', 'de'],
    [['en', 'pt_BR'], 'pt-BR', 'pt_BR'],
    [['en', 'pt_BR'], 'pt', 'pt_BR'],
    [['en', 'de'], 'fr', 'en'],
    [['en', 'de'], undefined, 'en'],
    [['en', 'de'], ',;q=,', 'en'],
    [[], 'en', undefined],
  ])('of %j for "%s" is %s', (available, accepted, language) => {
    expect(preferredLanguage(available, accepted)).toBe(language);
  });
});
