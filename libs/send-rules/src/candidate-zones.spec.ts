import { readFileSync } from 'node:fs';

import { candidateZones, isKnownZone } from './candidate-zones.ts';
import { COUNTRY_ZONES, PHONE_PREFIX_ZONES } from './generated/phone-zones.ts';

const dataFile = (name: string) => readFileSync(new URL(`../data/${name}`, import.meta.url), 'utf8');
const dataLines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('candidate zones', () => {
  it('are the declared zone when there is one, whatever the number says', () => {
    expect(candidateZones({ declared: 'Asia/Tokyo', e164: '+12125550123' })).toEqual({
      zones: ['Asia/Tokyo'],
      basis: 'declared',
      confidence: 'high',
    });
  });

  it.each(['Mars/Olympus', '+02:00', '', '2026-01-01'])(
    'come from the number when the declared zone is %p',
    (declared) => {
      expect(candidateZones({ declared, e164: '+12125550123' }).basis).toBe('area-code');
    },
  );

  it('are unknown without any evidence', () => {
    expect(candidateZones({})).toEqual({ zones: [], basis: 'unknown', confidence: 'none' });
  });

  it.each(['', '+', 'not a number', '+0125550123', '+99912345678', '+1', '+8821234567890123'])(
    'are unknown for the number %p',
    (e164) => {
      expect(candidateZones({ e164 }).basis).toBe('unknown');
    },
  );

  it.each([
    ['+12125550123', ['America/New_York']],
    ['12025550123', ['America/New_York']],
    ['+13105550123', ['America/Los_Angeles']],
    ['+17095550123', ['America/Halifax', 'America/Puerto_Rico', 'America/St_Johns']],
  ])('of the North American number %s are those of its area code', (e164, zones) => {
    expect(candidateZones({ e164 })).toEqual({ zones, basis: 'area-code', confidence: 'medium' });
  });

  it('of an area code hold every zone of every prefix in it', () => {
    expect(candidateZones({ e164: '+12082165550' }).zones).toEqual([
      'America/Boise',
      'America/Denver',
      'America/Los_Angeles',
    ]);
  });

  it('of a North American number with no place are all of +1', () => {
    const { zones, basis } = candidateZones({ e164: '+18005550123' });
    expect(basis).toBe('calling-code');
    expect(zones).toHaveLength(42);
    expect(zones).toEqual(expect.arrayContaining(['Pacific/Honolulu', 'America/St_Johns', 'Pacific/Guam']));
  });

  it.each([
    ['an Australian mobile', '+61491570156', ['Australia/Perth', 'Australia/Sydney', 'Australia/Darwin']],
    ['a Russian mobile', '+79161234567', ['Europe/Kaliningrad', 'Europe/Moscow', 'Asia/Kamchatka', 'Asia/Almaty']],
    ['an Indonesian mobile', '+6281234567890', ['Asia/Jakarta', 'Asia/Jayapura', 'Asia/Makassar', 'Asia/Pontianak']],
    ['a Spanish mobile', '+34612345678', ['Europe/Madrid', 'Atlantic/Canary', 'Africa/Ceuta']],
    ['a British mobile', '+447700900123', ['Europe/London', 'Europe/Jersey']],
    ['a Moroccan number, whose phone data holds only the Canaries', '+212612345678', ['Africa/Casablanca']],
    ['an Algerian number, whose phone data holds only Paris', '+213612345678', ['Africa/Algiers']],
  ])('of %s hold all zones of the calling code', (_, e164, zones) => {
    const found = candidateZones({ e164 });
    expect(found.basis).toBe('calling-code');
    expect(found.zones).toEqual(expect.arrayContaining(zones));
  });

  it('of a business-scoped user id are those of its country, with low confidence', () => {
    const found = candidateZones({ bsuidCountry: 'br' });
    expect(found).toMatchObject({ basis: 'country', confidence: 'low' });
    expect(found.zones).toEqual(expect.arrayContaining(['America/Sao_Paulo', 'America/Noronha', 'America/Rio_Branco']));
    expect(candidateZones({ bsuidCountry: 'ZZ' }).basis).toBe('unknown');
  });

  it('are zones that the runtime knows, for every number and every country', () => {
    const zones = [...dataLines(PHONE_PREFIX_ZONES), ...dataLines(COUNTRY_ZONES)].flatMap(
      (line) => line.split('|')[1]?.split('&') ?? [],
    );
    expect(new Set(zones.filter((zone) => !isKnownZone(zone)))).toEqual(new Set());
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
});
