/**
 * Writes src/generated/phone-zones.ts from data/map_data.txt, data/zone1970.tab and the phone metadata of
 * libphonenumber-js, so that the library reads no file at run time. Run by hand when the data changes:
 * `npm run generate -w @assent/send-rules`. The library's tests compare the module with the data files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import metadata from 'libphonenumber-js/max/metadata';

const data = new URL('../data/', import.meta.url);
const linesOf = (name) =>
  readFileSync(new URL(name, data), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const countryZones = new Map();
for (const line of linesOf('zone1970.tab')) {
  const [countries, , zone] = line.split('\t');
  for (const country of countries.split(',')) countryZones.set(country, [...(countryZones.get(country) ?? []), zone]);
}
const sorted = (entries) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
const countryLines = sorted(countryZones).map(([country, zones]) => `${country}|${zones.sort().join('&')}`);
const callingCodeLines = sorted(Object.entries(metadata.country_calling_codes))
  .map(([code, countries]) => [code, countries.filter((country) => countryZones.has(country))])
  .filter(([, countries]) => countries.length > 0)
  .map(([code, countries]) => `${code}|${countries.sort().join('&')}`);

const literal = (name, comment, lines) => `/** ${comment} */\nexport const ${name} = \`\n${lines.join('\n')}\n\`;\n`;

writeFileSync(
  new URL('../src/generated/phone-zones.ts', import.meta.url),
  [
    '// Made by scripts/generate-phone-zones.mjs from the files in data/ (see data/NOTICE). Do not edit.\n',
    literal(
      'PHONE_PREFIX_ZONES',
      'Phone prefix (digits of E.164) | every time zone it can be in.',
      linesOf('map_data.txt'),
    ),
    literal('COUNTRY_ZONES', 'ISO 3166 country | every time zone in it.', countryLines),
    literal('CALLING_CODE_COUNTRIES', 'Calling code | every ISO 3166 country that uses it.', callingCodeLines),
  ].join('\n'),
);
