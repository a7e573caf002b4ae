import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type CountryCode, getCountryCallingCode } from 'libphonenumber-js/max';

import { AREA_CODE_PLACES, COUNTRY_ZONES, PHONE_PREFIX_ZONES } from './generated/phone-zones.ts';
import { locateRecipient, longestPrefixZones, tableOf } from './locate-recipient.ts';
import { isKnownZone } from './time-zones.ts';

const dataFile = (name: string) => readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8');
const dataLines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('where a person may be', () => {
  it('is what was declared, zone and region, whatever the number says', () => {
    const declared = { declaredZone: 'Asia/Tokyo', declaredRegion: 'JP', phone: '+12125550123' };
    expect(locateRecipient(declared)).toEqual({
      zones: ['Asia/Tokyo'],
      zonesFrom: 'declared',
      jurisdictions: ['JP'],
      jurisdictionsFrom: 'declared',
      confidence: 'high',
    });
  });

  it.each(['Mars/Olympus', '+02:00', '', '2026-01-01'])(
    'comes from the number when the declared zone is %p',
    (zone) => {
      expect(locateRecipient({ declaredZone: zone, phone: '+12125550123' }).zonesFrom).toBe('area-code');
    },
  );

  it.each(['ZZ', 'Florida', '', 'US_FL'])('comes from the number when the declared region is %p', (region) => {
    expect(locateRecipient({ declaredRegion: region, phone: '+12125550123' }).jurisdictions).toEqual(['US-NY']);
  });

  it('is anywhere without any evidence', () => {
    expect(locateRecipient({})).toEqual({
      zones: [],
      zonesFrom: 'unknown',
      jurisdictions: [],
      jurisdictionsFrom: 'unknown',
      confidence: 'none',
    });
  });

  it.each(['', '+', 'not a number', '+0125550123', '+99912345678', '+1', '+8821234567890123'])(
    'is anywhere for the number %p',
    (phone) => {
      expect(locateRecipient({ phone }).zonesFrom).toBe('unknown');
    },
  );

  it.each([
    ['+12125550123', ['America/New_York'], ['US-NY']],
    ['12025550123', ['America/New_York'], ['US-DC']],
    ['+13105550123', ['America/Los_Angeles'], ['US-CA']],
    ['+18505550123', ['America/Chicago', 'America/New_York'], ['US-FL']],
    ['+17095550123', ['America/Halifax', 'America/Puerto_Rico', 'America/St_Johns'], ['CA-NL']],
    ['+19025550123', ['America/Halifax'], ['CA-NS', 'CA-PE']],
    ['+17875550123', ['America/Puerto_Rico'], ['PR']],
    ['+18765550123', ['America/Jamaica'], ['JM']],
    ['+5511987654321', ['America/Sao_Paulo'], ['BR-SP']],
    ['551187654321', ['America/Sao_Paulo'], ['BR-SP']],
    ['+5592987654321', ['America/Manaus', 'America/Sao_Paulo'], ['BR-AM']],
    ['+5568987654321', ['America/Rio_Branco'], ['BR-AC']],
  ])('for %s is what the area code tells: zone and state', (phone, zones, jurisdictions) => {
    expect(locateRecipient({ phone })).toMatchObject({
      zones,
      zonesFrom: 'area-code',
      jurisdictions,
      jurisdictionsFrom: 'area-code',
      confidence: 'medium',
    });
  });

  it('for an area code holds every zone of every prefix in it', () => {
    expect(locateRecipient({ phone: '+12082165550' }).zones).toEqual([
      'America/Boise',
      'America/Denver',
      'America/Los_Angeles',
    ]);
  });

  it('for a North American number without a place is all of +1', () => {
    const found = locateRecipient({ phone: '+18005550123' });
    expect(found.zonesFrom).toBe('calling-code');
    expect(found.zones).toEqual(expect.arrayContaining(['Pacific/Honolulu', 'America/St_Johns', 'Pacific/Guam']));
    expect(found.jurisdictions).toEqual(expect.arrayContaining(['US', 'CA', 'JM', 'GU']));
  });

  it.each([
    [
      'an Australian mobile',
      '+61491570156',
      ['Australia/Perth', 'Australia/Sydney', 'Australia/Darwin'],
      ['AU', 'CC', 'CX'],
    ],
    ['a Russian mobile', '+79161234567', ['Europe/Kaliningrad', 'Asia/Kamchatka', 'Asia/Almaty'], ['KZ', 'RU']],
    ['an Indonesian mobile', '+6281234567890', ['Asia/Jakarta', 'Asia/Jayapura', 'Asia/Makassar'], ['ID']],
    ['a Spanish mobile', '+34612345678', ['Europe/Madrid', 'Atlantic/Canary', 'Africa/Ceuta'], ['ES']],
    ['a British mobile', '+447700900123', ['Europe/London', 'Europe/Jersey'], ['GB', 'GG', 'IM', 'JE']],
    [
      'a Moroccan number, whose phone data holds only the Canaries',
      '+212612345678',
      ['Africa/Casablanca'],
      ['EH', 'MA'],
    ],
    ['an Algerian number, whose phone data holds only Paris', '+213551234567', ['Africa/Algiers'], ['DZ']],
    ['a Mexican wa_id with the old 1', '5215512345678', ['America/Mexico_City', 'America/Tijuana'], ['MX']],
  ])('for %s is everywhere its calling code is used', (_, phone, zones, jurisdictions) => {
    const found = locateRecipient({ phone });
    expect(found).toMatchObject({ zonesFrom: 'calling-code', jurisdictions });
    expect(found.zones).toEqual(expect.arrayContaining(zones));
  });

  it.each([
    ['a fixed line of Perth', '+61894151234', ['Australia/Adelaide', 'Australia/Perth'], ['AU']],
    ['a Chilean number, which may be a fixed line', '+56961234567', ['America/Santiago'], ['CL']],
    ['a mobile of Tijuana, since Mexico gives mobiles an area', '+526641234567', ['America/Tijuana'], ['MX']],
    ['a fixed line of Las Palmas', '+34928123456', ['Atlantic/Canary'], ['ES']],
  ])('for %s is what the prefix tells', (_, phone, zones, jurisdictions) => {
    expect(locateRecipient({ phone })).toMatchObject({ zones, jurisdictions, zonesFrom: 'prefix' });
  });

  it('for a business-scoped user id is its country, with low confidence', () => {
    const found = locateRecipient({ bsuidCountry: 'br' });
    expect(found).toMatchObject({ zonesFrom: 'country', jurisdictions: ['BR'], confidence: 'low' });
    expect(found.zones).toEqual(expect.arrayContaining(['America/Sao_Paulo', 'America/Noronha', 'America/Rio_Branco']));
    expect(locateRecipient({ bsuidCountry: 'ZZ' }).zonesFrom).toBe('unknown');
  });

  it('holds Florida next to a declared region when the area code is Floridian, and no other state', () => {
    const inCalifornia = { declaredRegion: 'us-ca', declaredZone: 'America/Los_Angeles' };
    expect(locateRecipient({ ...inCalifornia, phone: '+13055550123' }).jurisdictions).toEqual(['US-CA', 'US-FL']);
    expect(locateRecipient({ ...inCalifornia, phone: '+12125550123' }).jurisdictions).toEqual(['US-CA']);
  });

  it('takes the zones of a declared region from its area codes, or from its country', () => {
    expect(locateRecipient({ declaredRegion: 'US-FL' }).zones).toEqual(['America/Chicago', 'America/New_York']);
    expect(locateRecipient({ declaredRegion: 'US-FL', phone: '+12125550123' }).zones).toContain('America/Chicago');
    expect(locateRecipient({ declaredRegion: 'US-FL', phone: '+13055550123' }).zones).toEqual(['America/New_York']);
    expect(locateRecipient({ declaredRegion: 'PT' }).zones).toEqual([
      'Atlantic/Azores',
      'Atlantic/Madeira',
      'Europe/Lisbon',
    ]);
  });

  it('holds the countries of a declared zone that is not the number’s, next to those of the number', () => {
    expect(locateRecipient({ declaredZone: 'Asia/Seoul', phone: '+12125550123' }).jurisdictions).toEqual([
      'KR',
      'US-NY',
    ]);
    expect(locateRecipient({ declaredZone: 'America/New_York', phone: '+12125550123' }).jurisdictions).toEqual([
      'US-NY',
    ]);
    expect(locateRecipient({ declaredZone: 'Asia/Seoul' }).jurisdictions).toEqual(['KR']);
    expect(locateRecipient({ declaredZone: 'Etc/UTC' }).jurisdictions).toEqual([]);
  });

  it('is somewhere in the number’s own country for libphonenumber’s example of every region', () => {
    const examples: unknown = createRequire(import.meta.url)('libphonenumber-js/examples.mobile.json');
    const numbers = Object.entries(examples as Record<string, string>);
    expect(numbers.length).toBeGreaterThanOrEqual(245);
    const lost = numbers.filter(([region, national]) => {
      const phone = `+${getCountryCallingCode(region as CountryCode)}${national}`;
      const { zones, jurisdictions } = locateRecipient({ phone });
      const there = jurisdictions.some((one) => one.slice(0, 2) === region) && zones.length > 0;
      return !there && !WITHOUT_ZONES.has(region);
    });
    expect(lost).toEqual([]);
  });
});

/** Regions that tz files under no country: they share a calling code, so their people have its zones all the same. */
const WITHOUT_ZONES: ReadonlySet<string> = new Set(['AC', 'TA', 'XK']);

describe('the zone of a prefix', () => {
  /** What upstream's PhoneNumberToTimeZonesMapperTest expects of its own small map, for numbers that have an area. */
  it.each([
    ['1650253', ['America/Los_Angeles']],
    ['1212812', ['America/New_York']],
    ['1617423', ['America/Chicago']],
    ['1650960', ['America/Los_Angeles']],
    ['61236618300', ['Australia/Sydney']],
    ['82212345678', ['Asia/Seoul']],
    ['1989', ['Ameriac/Los_Angeles']],
    ['1800253', ['America/New_York', 'America/Chicago', 'America/Winnipeg', 'America/Los_Angeles']],
    ['392366', undefined],
  ])('%s is what upstream answers from its test map', (digits, zones) => {
    const testMap = tableOf(dataLines(dataFile('test_map_data.txt')).join('\n'));
    expect(longestPrefixZones(digits === '1650253' ? '1650960253' : digits, testMap)).toEqual(zones);
  });
});

describe('the generated table of phone zones', () => {
  it('holds exactly the lines of the vendored file', () => {
    expect(dataLines(PHONE_PREFIX_ZONES)).toEqual(dataLines(dataFile('map_data.txt')));
    expect(dataLines(PHONE_PREFIX_ZONES)).toHaveLength(3295);
  });

  it('holds exactly the zones of the vendored country file', () => {
    const expected = dataLines(dataFile('zone1970.tab')).flatMap((line) => {
      const [countries = '', , zone = ''] = line.split('\t');
      return countries.split(',').map((country) => `${country} ${zone}`);
    });
    const actual = dataLines(COUNTRY_ZONES).flatMap((line) => {
      const [country = '', zones = ''] = line.split('|');
      return zones.split('&').map((zone) => `${country} ${zone}`);
    });
    expect(actual.sort()).toEqual(expected.sort());
  });

  it('names zones that the time zone table has, and nothing else', () => {
    const zones = [...dataLines(PHONE_PREFIX_ZONES), ...dataLines(COUNTRY_ZONES)].flatMap(
      (line) => line.split('|')[1]?.split('&') ?? [],
    );
    expect(new Set(zones.filter((zone) => !isKnownZone(zone)))).toEqual(new Set());
  });

  it('has a place for every area code that the phone data has a zone for, but those of no place', () => {
    const areaCodes = new Set(
      dataLines(PHONE_PREFIX_ZONES).flatMap((line) => /^(?:1|55)\d\d\d?(?=[\d|])/.exec(line) ?? []),
    );
    const placed = tableOf(AREA_CODE_PLACES);
    const without = [...areaCodes].filter((code) => code.startsWith('1') && code.length === 4 && !placed.has(code));
    expect(without).toEqual([]);
  });
});
