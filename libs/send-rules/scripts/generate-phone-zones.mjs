/**
 * Writes src/generated/phone-zones.ts from the files in data/ and the phone metadata of libphonenumber-js, so that the
 * library reads no file at run time. `npm run generate -w @assent/send-rules`; with `--check` it only compares.
 */
import { readFileSync } from 'node:fs';
import metadata from 'libphonenumber-js/max/metadata';
import { writeGenerated } from './write-generated.mjs';

const data = new URL('../data/', import.meta.url);
const linesOf = (name) =>
  readFileSync(new URL(name, data), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
const sorted = (entries) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

const countryZones = new Map();
for (const line of linesOf('zone1970.tab')) {
  const [countries, , zone] = line.split('\t');
  for (const country of countries.split(',')) countryZones.set(country, [...(countryZones.get(country) ?? []), zone]);
}
const countryLines = sorted(countryZones).map(([country, zones]) => `${country}|${zones.sort().join('&')}`);
const callingCodeLines = sorted(Object.entries(metadata.country_calling_codes))
  .map(([code, countries]) => [code, countries.filter((country) => countryZones.has(country))])
  .filter(([, countries]) => countries.length > 0)
  .map(([code, countries]) => `${code}|${countries.sort().join('&')}`);

/** Names of states and provinces in the place files that are not an abbreviation after a city's name. */
const STATES = {
  1: {
    US: `Alabama AL,Alaska AK,Arizona AZ,Arkansas AR,California CA,Colorado CO,Connecticut CT,Delaware DE,Florida FL,
      Georgia GA,Hawaii HI,Idaho ID,Illinois IL,Indiana IN,Iowa IA,Kansas KS,Kentucky KY,Louisiana LA,Maine ME,
      Maryland MD,Massachusetts MA,Michigan MI,Minnesota MN,Mississippi MS,Missouri MO,Montana MT,Nebraska NE,Nevada NV,
      New Hampshire NH,New Jersey NJ,New Mexico NM,New York NY,North Carolina NC,North Dakota ND,Ohio OH,Oklahoma OK,
      Oregon OR,Pennsylvania PA,Rhode Island RI,South Carolina SC,South Dakota SD,Tennessee TN,Texas TX,Utah UT,
      Vermont VT,Virginia VA,Washington D.C. DC,Washington State WA,West Virginia WV,Wisconsin WI,Wyoming WY`,
    CA: `Alberta AB,British Columbia BC,British Colombia BC,Manitoba MB,New Brunswick NB,Newfoundland and Labrador NL,
      Northwest Territories NT,Nova Scotia NS,Nunavut NU,Ontario ON,Prince Edward Island PE,Quebec QC,Saskatchewan SK,
      Yukon YT`,
  },
  55: {
    BR: `Acre AC,Alagoas AL,Amapá AP,Amazonas AM,Bahia BA,Ceará CE,Espirito Santo ES,Federal District DF,Goiás GO,
      Maranhão MA,Mato Grosso MT,Mato Grosso do Sul MS,Minas Gerais MG,Pará PA,Paraiba PB,Paraná PR,Pernambuco PE,
      Piauí PI,Rio de Janeiro RJ,Rio Grande do Norte RN,Rio Grande do Sul RS,Rondônia RO,Roraima RR,Santa Catarina SC,
      São Paulo SP,Sergipe SE,Tocantins TO`,
  },
};
/** A state with less than this share of an area code's places is a slip of the data, not an area that the code serves. */
const SHARE_MIN = 0.02;

/** Area code → its states, from the place names: the states of the whole code, and those after its cities' names. */
function areaCodeLines(callingCode, areaDigits, cityEnd) {
  const parts = new Map();
  for (const [country, text] of Object.entries(STATES[callingCode])) {
    for (const entry of text.split(',').map((item) => item.trim())) {
      const cut = entry.lastIndexOf(' ');
      const part = `${country}-${entry.slice(cut + 1)}`;
      parts.set(entry.slice(0, cut), part).set(entry.slice(cut + 1), part);
    }
  }
  const whole = new Map();
  const cities = new Map();
  for (const line of linesOf(`phone-regions-${callingCode}.txt`)) {
    const [prefix, place] = line.split('|');
    const code = prefix.slice(0, callingCode.length + areaDigits);
    if (code.length < callingCode.length + areaDigits) continue;
    const names = place.split(cityEnd);
    const part = names.length > 1 ? parts.get(names.at(-1)) : undefined;
    if (part !== undefined) cities.set(code, [...(cities.get(code) ?? []), part]);
    if (prefix !== code) continue;
    const states = part === undefined ? place.split('/').map((name) => parts.get(name)) : [part];
    whole.set(
      code,
      states.filter((state) => state !== undefined),
    );
  }
  return sorted(new Set([...whole.keys(), ...cities.keys()]).entries()).map(([code]) => {
    const found = cities.get(code) ?? [];
    const served = [...new Set(found)].filter((part) => {
      const share = found.filter((other) => other === part).length / found.length;
      return share >= SHARE_MIN;
    });
    return `${code}|${[...new Set([...(whole.get(code) ?? []), ...served])].sort().join('&')}`;
  });
}

/** Where libphonenumber's metadata keep a country's leading digits within its calling code. */
const LEADING_DIGITS = 10;
/** The area codes of +1 that belong to a country of their own. */
const islandLines = metadata.country_calling_codes[1]
  .filter((country) => country !== 'US' && country !== 'CA')
  .flatMap((country) => {
    const leading = new RegExp(`^(?:${metadata.countries[country][LEADING_DIGITS]})$`);
    const codes = Array.from({ length: 800 }, (_, index) => String(200 + index)).filter((code) => leading.test(code));
    if (codes.length === 0) throw new Error(`no area code for ${country}`);
    return codes.map((code) => `1${code}|${country}`);
  });

const literal = (name, comment, lines) => `/** ${comment} */\nexport const ${name} = \`\n${lines.join('\n')}\n\`;\n`;

writeGenerated(
  'phone-zones.ts',
  [
    '// Made by scripts/generate-phone-zones.mjs from the files in data/ (see data/NOTICE). Do not edit.\n',
    literal(
      'PHONE_PREFIX_ZONES',
      'Phone prefix (digits of E.164) | every time zone it can be in.',
      linesOf('map_data.txt'),
    ),
    literal('COUNTRY_ZONES', 'ISO 3166 country | every time zone in it.', countryLines),
    literal('CALLING_CODE_COUNTRIES', 'Calling code | every ISO 3166 country that uses it.', callingCodeLines),
    literal(
      'AREA_CODE_PLACES',
      'Calling and area code of +1 and +55 | every state, province or country that it serves.',
      [...areaCodeLines('1', 3, ', '), ...islandLines, ...areaCodeLines('55', 2, ' - ')].sort(),
    ),
  ].join('\n'),
);
