import { createRequire } from 'node:module';
import fc from 'fast-check';
import { getCountryCallingCode, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import { normalizePhone, PHONE_METADATA_VERSION } from './normalize-phone.ts';

const require = createRequire(import.meta.url);
const exampleMobiles = Object.entries(
  require('libphonenumber-js/examples.mobile.json') as Record<CountryCode, string>,
) as [CountryCode, string][];

describe('a phone number in international form', () => {
  it.each([
    '+447700900123',
    '447700900123',
    '00447700900123',
    '+44 7700 900123',
    '+44 (0)7700 900123',
    ' +44-7700-900-123 ',
  ])('is the same number however it is written: %s', (input) => {
    expect(normalizePhone(input)).toMatchObject({ e164: '+447700900123', canonical: '447700900123', possible: true });
  });

  it.each([
    ['full-width digits', '＋４４７７００９００１２３'],
    ['Arabic digits', '+٤٤٧٧٠٠٩٠٠١٢٣'],
    ['Arabic digits after 00', '٠٠٤٤٧٧٠٠٩٠٠١٢٣'],
    ['the direction marks of a copied contact', '\u202a+44\u00a07700\u00a0900123\u202c'],
    ['a tel: link', 'tel:+44-7700-900-123'],
    ['a label', 'Mobile: +44 7700 900123'],
    ['the country code in parentheses', '(+44) 7700 900123'],
    ['a remark', '+44 7700 900123 (mobile)'],
    ['both prefixes', '+0044 7700 900123'],
    ['an extension', '+44 7700 900123 ext. 42'],
  ])('is the same number with %s', (_name, input) => {
    expect(normalizePhone(input).e164).toBe('+447700900123');
  });

  it('says what the metadata knows of it', () => {
    expect(normalizePhone('+61491570156')).toMatchObject({ region: 'AU', possible: true, valid: true });
    expect(normalizePhone('+12025550123')).toMatchObject({ region: 'US', possible: true, valid: true });
  });

  it('is kept when no range holds it, as reserved fake numbers are', () => {
    expect(normalizePhone('+447700900123')).toMatchObject({ possible: true, valid: false });
  });

  it('keeps the zero of an Italian landline', () => {
    expect(normalizePhone('+39 06 1234567').e164).toBe('+39061234567');
  });

  it('survives the round trip through every way of writing it, in every region', () => {
    expect(exampleMobiles.length).toBeGreaterThan(240);
    for (const [region, national] of exampleMobiles) {
      const digits = `${getCountryCallingCode(region)}${national}`;
      const spaced = parsePhoneNumberFromString(`+${digits}`)?.formatInternational() ?? '';
      for (const input of [`+${digits}`, digits, `00${digits}`, spaced]) {
        const normalized = normalizePhone(input);
        expect(normalized).toMatchObject({ canonical: digits, e164: `+${digits}`, valid: true });
        // Some territories share ranges with their neighbour, so the region is one of that country code.
        expect(getCountryCallingCode(normalized.region as CountryCode)).toBe(getCountryCallingCode(region));
      }
      expect(normalizePhone(digits).waIdVariants[0]).toBe(digits);
    }
  });
});

describe('a number that WhatsApp writes differently', () => {
  it.each([
    ['Brazil, a mobile number', '5511987654321', ['551187654321']],
    ['Brazil, a mobile number of an area where ids lack the 9', '5585987654321', ['558587654321']],
    ['Mexico', '525512345678', ['5215512345678']],
    ['Argentina', '5491123456789', ['541123456789']],
  ])('has two ids: %s', (_name, canonical, others) => {
    expect(normalizePhone(`+${canonical}`).waIdVariants).toEqual([canonical, ...others]);
  });

  it.each(['2', '3', '4', '5'])('has one id as a Brazilian landline that starts with %s', (first) => {
    expect(normalizePhone(`+5511${first}7654321`).waIdVariants).toEqual([`5511${first}7654321`]);
    expect(normalizePhone(`+55119${first}7654321`).waIdVariants).toEqual([`55119${first}7654321`]);
  });

  it.each(['+5511987654', '+55119876543210', '+5510987654321', '+52551234567', '+5255123456789', '+548001234567'])(
    'has one id when its length or area is of another kind: %s',
    (input) => {
      expect(normalizePhone(input).waIdVariants).toHaveLength(1);
    },
  );

  it('is dialled with the 9 in Brazil and without the 1 in Mexico, whichever id came', () => {
    expect(normalizePhone('551187654321')).toMatchObject({ e164: '+5511987654321', region: 'BR', valid: true });
    expect(normalizePhone('5215512345678')).toMatchObject({ e164: '+525512345678', region: 'MX', valid: true });
  });

  it('stays as it came in Argentina, where the same digits without the 9 can be a landline', () => {
    expect(normalizePhone('541123456789').e164).toBe('+541123456789');
    expect(normalizePhone('+54 9 11 2345-6789').e164).toBe('+5491123456789');
  });

  it('is dialled with the 9 in Argentina when it was written with the national mobile prefix 15', () => {
    expect(normalizePhone('+54 11 15 2345 6789').e164).toBe('+5491123456789');
  });
});

describe('a number no metadata fits', () => {
  it.each([
    ['an old Benin number of 8 digits', '22967123456', '22967123456'],
    ['too few digits', '+86 1', '861'],
    ['far too many digits', '9'.repeat(40), '9'.repeat(40)],
    ['an unknown country code', '+999 123 456', '999123456'],
    ['a national number, which names no country', '0151 555 0100', '01515550100'],
  ])('is kept as its digits: %s', (_name, input, canonical) => {
    expect(normalizePhone(input)).toMatchObject({ canonical, e164: `+${canonical}`, valid: false });
  });

  it('is kept as text when it holds no digit', () => {
    expect(normalizePhone(' ａnonymous\u200b ')).toEqual({
      canonical: 'anonymous',
      e164: 'anonymous',
      waIdVariants: [],
      possible: false,
      valid: false,
    });
    expect(normalizePhone('').canonical).toBe('');
    expect(normalizePhone('+').canonical).toBe('+');
  });

  it.each([
    ['digits', '1'.repeat(65)],
    ['characters', `+44 7700 900123${' '.repeat(250)}.`],
  ])('is kept as text when it has more %s than any number', (_name, text) => {
    expect(normalizePhone(text)).toMatchObject({ canonical: text, e164: text, waIdVariants: [] });
    expect(normalizePhone('1'.repeat(64)).canonical).toBe('1'.repeat(64));
  });
});

function textOf(characters: string, length: { minLength?: number; maxLength?: number }): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...Array.from(characters)), ...length });
}

const phoneLike = fc.oneof(
  fc.string({ unit: 'binary' }),
  textOf('0123456789+ ()-.x;=٣８', {}),
  fc
    .constantFrom('55', '52', '521', '54', '549', '5411', '39', '1', '44', '0', '00')
    .chain((prefix) => textOf('0123456789', { minLength: 6, maxLength: 13 }).map((rest) => prefix + rest)),
  textOf('0123456789', { minLength: 60, maxLength: 70 }),
  textOf('1 x', { minLength: 240, maxLength: 260 }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udfff', '1', '+') }),
);

describe('normalising any text', () => {
  it('never throws and is idempotent', () => {
    fc.assert(
      fc.property(phoneLike, (input) => {
        const once = normalizePhone(input);
        expect(normalizePhone(once.e164)).toEqual(once);
        expect(normalizePhone(once.canonical)).toEqual(once);
      }),
      { numRuns: 400 },
    );
  });

  it('gives every variant of a number the same set of variants', () => {
    fc.assert(
      fc.property(phoneLike, (input) => {
        const { waIdVariants } = normalizePhone(input);
        for (const variant of waIdVariants) {
          expect(new Set(normalizePhone(variant).waIdVariants)).toEqual(new Set(waIdVariants));
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('the version of the phone metadata', () => {
  it('is that of the installed package and fits an event', () => {
    const { version } = require('libphonenumber-js/package.json') as { version: string };
    expect(PHONE_METADATA_VERSION).toBe(`libphonenumber-js/max@${version}`);
    expect(PHONE_METADATA_VERSION).toMatch(/^[!-~]{1,64}$/);
  });
});
