import parsePhoneNumber, { type PhoneNumberType } from 'libphonenumber-js/max';

import {
  AREA_CODE_PLACES,
  CALLING_CODE_COUNTRIES,
  COUNTRY_ZONES,
  PHONE_PREFIX_ZONES,
} from './generated/phone-zones.ts';
import type { Jurisdiction } from './rule.ts';
import type { RecipientEvidence } from './send-question.ts';
import { isKnownZone, timeZoneOf } from './time-zones.ts';

/** The data behind `locateRecipient`, for the record of a decision. */
export const PHONE_DATA_VERSION = 'libphonenumber-f7e3e88c+tz-2025b+areas-1';

/** Where evidence came from, best first. */
export type LocationBasis = 'declared' | 'area-code' | 'prefix' | 'calling-code' | 'country' | 'zone' | 'unknown';

/** Everywhere a person may be. Each list may hold more than one; empty means anywhere in the world. */
export interface Location {
  /** IANA zones, sorted. */
  readonly zones: readonly string[];
  readonly zonesFrom: LocationBasis;
  /** Countries and parts of countries (`US-FL`), sorted; a country alone means any part of it. */
  readonly jurisdictions: readonly Jurisdiction[];
  readonly jurisdictionsFrom: LocationBasis;
  readonly confidence: 'high' | 'medium' | 'low' | 'none';
}

interface Found {
  readonly zones: readonly string[];
  readonly jurisdictions: readonly Jurisdiction[];
  readonly basis: LocationBasis;
}

const NOWHERE: Found = { zones: [], jurisdictions: [], basis: 'unknown' };
const CALLING_CODE_DIGITS_MAX = 3;
/** Digits of calling and area code together, where the area code tells zone and state: North America and Brazil. */
const AREA_CODE_DIGITS = new Map([
  ['1', 4],
  ['55', 4],
]);
/** libphonenumber gives these an area, but their prefixes name operators. */
const INDONESIAN_MOBILE = '628';
/** Mobile numbers that belong to an area, as libphonenumber's `isNumberGeographical` lists them: Mexico, Argentina, Brazil, China, Indonesia. */
const GEOGRAPHICAL_MOBILES: ReadonlySet<string> = new Set(['52', '54', '55', '62', '86']);
/** Where an area code makes a resident in law even when the person says otherwise (F.S. 501.616(6), Florida). */
const PRESUMED_FROM_AREA_CODE: ReadonlySet<Jurisdiction> = new Set(['US-FL']);
const CONFIDENCE: Readonly<Record<LocationBasis, Location['confidence']>> = {
  declared: 'high',
  'area-code': 'medium',
  prefix: 'medium',
  'calling-code': 'medium',
  country: 'low',
  zone: 'low',
  unknown: 'none',
};

const prefixZones = tableOf(PHONE_PREFIX_ZONES);
const countryZones = tableOf(COUNTRY_ZONES);
const callingCodeCountries = tableOf(CALLING_CODE_COUNTRIES);
const areaCodePlaces = tableOf(AREA_CODE_PLACES);
const areaCodeZones = zonesByAreaCode();
const partZones = zonesByPart();
const zoneCountries = countriesByZone();

/**
 * Where a person may be, from the best evidence there is: what was declared; else the phone number; else the country of
 * the business-scoped user id. Zones and jurisdictions are told apart, since one can be declared without the other. A
 * zone or region that the data does not know counts as not declared. Never throws.
 *
 * Of a phone number of +1 and +55 the area code tells zones and states. Elsewhere libphonenumber's rule holds
 * (PhoneNumberToTimeZonesMapper): fixed lines by longest prefix, and mobiles of the countries that give them an area;
 * everything else, most mobiles among it, is in every zone of its calling code, completed by every zone of every country
 * that uses the code, because the phone data misses some (+7 lacks Kaliningrad). Indonesian mobiles are treated so too:
 * their prefixes name operators. Two presumptions widen: a Florida area code stays a candidate next to a declared
 * region, and a declared zone outside the number's adds the countries of that zone.
 */
export function locateRecipient(evidence: RecipientEvidence): Location {
  const phone = evidence.phone === undefined ? NOWHERE : placeOfPhone(evidence.phone);
  const country = countryOf(evidence.bsuidCountry);
  const known = phone.basis === 'unknown' ? country : phone;
  const zone =
    evidence.declaredZone === undefined || !isKnownZone(evidence.declaredZone) ? undefined : evidence.declaredZone;
  const region = knownRegion(evidence.declaredRegion);
  const jurisdictions = jurisdictionsOf(region, known, zone);
  const zones = zonesOf(zone, region, known);
  return {
    zones: sorted(zones.zones),
    zonesFrom: zones.basis,
    jurisdictions: sorted(jurisdictions.jurisdictions),
    jurisdictionsFrom: jurisdictions.basis,
    confidence: CONFIDENCE[zones.basis],
  };
}

/** Every country that the data knows. */
export function isKnownCountry(country: string): boolean {
  return countryZones.has(country);
}

function zonesOf(zone: string | undefined, region: Jurisdiction | undefined, known: Found): Found {
  if (zone !== undefined) return { ...NOWHERE, zones: [zone], basis: 'declared' };
  if (region === undefined) return known;
  const country = region.slice(0, 2);
  const told = known.basis === 'area-code' || known.basis === 'prefix';
  if (told && known.jurisdictions.every((one) => one === region || one.slice(0, 2) === region)) return known;
  return { ...NOWHERE, zones: partZones.get(region) ?? countryZones.get(country) ?? [], basis: 'country' };
}

function jurisdictionsOf(region: Jurisdiction | undefined, known: Found, zone: string | undefined): Found {
  if (region !== undefined) {
    const presumed = known.jurisdictions.filter((one) => PRESUMED_FROM_AREA_CODE.has(one));
    return { ...NOWHERE, jurisdictions: [region, ...presumed], basis: 'declared' };
  }
  if (zone === undefined) return known;
  const ofZone = zoneCountries.get(timeZoneOf(zone)?.name ?? '') ?? [];
  if (known.basis === 'unknown') {
    return ofZone.length === 0 ? NOWHERE : { ...NOWHERE, jurisdictions: ofZone, basis: 'zone' };
  }
  const agrees = known.zones.some((one) => timeZoneOf(one) === timeZoneOf(zone));
  // The person lives elsewhere than the number says; the number's jurisdictions stay candidates.
  return agrees ? known : { ...known, jurisdictions: [...known.jurisdictions, ...ofZone] };
}

function placeOfPhone(phone: string): Found {
  const digits = /^\+?([1-9]\d{6,14})$/.exec(phone)?.[1];
  if (digits === undefined) return NOWHERE;
  const callingCode = callingCodeOf(digits);
  if (callingCode === undefined) return NOWHERE;
  const areaCode = digits.slice(0, AREA_CODE_DIGITS.get(callingCode) ?? 0);
  const places = areaCodePlaces.get(areaCode);
  const areaZones = areaCodeZones.get(areaCode);
  if (places !== undefined && areaZones !== undefined) {
    return { zones: areaZones, jurisdictions: places, basis: 'area-code' };
  }
  const countries = callingCodeCountries.get(callingCode) ?? [];
  const everyZone = new Set([
    ...(prefixZones.get(callingCode) ?? []),
    ...countries.flatMap((country) => countryZones.get(country) ?? []),
  ]);
  // With one zone and one country there is nothing to narrow, and reading the number costs 50 µs.
  const number = everyZone.size > 1 || countries.length > 1 ? parsePhoneNumber(`+${digits}`) : undefined;
  const zones = isGeographical(number?.getType(), digits, callingCode) ? longestPrefixZones(digits) : undefined;
  if (zones !== undefined) {
    return { zones, jurisdictions: number?.country === undefined ? countries : [number.country], basis: 'prefix' };
  }
  return { zones: [...everyZone], jurisdictions: countries, basis: 'calling-code' };
}

/** Upstream's `isNumberGeographical`; a number of no valid type, which upstream gives no zone, is not. */
function isGeographical(type: PhoneNumberType | undefined, digits: string, callingCode: string): boolean {
  if (digits.startsWith(INDONESIAN_MOBILE)) return false;
  if (type === 'MOBILE') return GEOGRAPHICAL_MOBILES.has(callingCode);
  return type === 'FIXED_LINE' || type === 'FIXED_LINE_OR_MOBILE';
}

/** The zones of the longest prefix of a number that a map of prefixes has. */
export function longestPrefixZones(
  digits: string,
  prefixes: ReadonlyMap<string, readonly string[]> = prefixZones,
): readonly string[] | undefined {
  for (let length = digits.length; length > 0; length -= 1) {
    const zones = prefixes.get(digits.slice(0, length));
    if (zones !== undefined) return zones;
  }
  return undefined;
}

function countryOf(bsuidCountry: string | undefined): Found {
  const country = bsuidCountry?.toUpperCase() ?? '';
  const zones = countryZones.get(country);
  return zones === undefined ? NOWHERE : { zones, jurisdictions: [country], basis: 'country' };
}

/** The region as declared, in capitals; a part that nobody could check is kept, its country must be known. */
function knownRegion(region: string | undefined): Jurisdiction | undefined {
  const code = region?.toUpperCase() ?? '';
  return /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(code) && isKnownCountry(code.slice(0, 2)) ? code : undefined;
}

/** Calling codes are prefix-free (ITU-T E.164), so at most one length matches. */
function callingCodeOf(digits: string): string | undefined {
  for (let length = 1; length <= CALLING_CODE_DIGITS_MAX; length += 1) {
    const code = digits.slice(0, length);
    if (callingCodeCountries.has(code)) return code;
  }
  return undefined;
}

/** Every zone of every prefix in the area code, or of the prefix around it where there is none. */
function zonesByAreaCode(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const areaCode of areaCodePlaces.keys()) {
    const around = longestPrefixZones(areaCode);
    // The calling code alone says nothing about an area.
    if (around !== undefined && prefixZones.get(areaCode.startsWith('1') ? '1' : '55') !== around) {
      found.set(areaCode, new Set(around));
    }
  }
  for (const [prefix, zones] of prefixZones) {
    const areaCode = prefix.slice(0, 4);
    if (!areaCodePlaces.has(areaCode) || prefix.length <= 4) continue;
    found.set(areaCode, new Set([...(found.get(areaCode) ?? []), ...zones]));
  }
  return new Map([...found].map(([areaCode, zones]) => [areaCode, sorted([...zones])]));
}

/** The zones of a state or province: those of every area code that serves it. */
function zonesByPart(): ReadonlyMap<Jurisdiction, readonly string[]> {
  const found = new Map<Jurisdiction, string[]>();
  for (const [areaCode, places] of areaCodePlaces) {
    for (const place of places) found.set(place, [...(found.get(place) ?? []), ...(areaCodeZones.get(areaCode) ?? [])]);
  }
  return found;
}

function countriesByZone(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [country, zones] of countryZones) {
    for (const zone of zones) {
      const name = timeZoneOf(zone)?.name ?? zone;
      found.set(name, [...(found.get(name) ?? []), country]);
    }
  }
  return found;
}

/** Lines of `key|value&value`. */
export function tableOf(lines: string): ReadonlyMap<string, readonly string[]> {
  const rows = lines
    .trim()
    .split('\n')
    .map((line) => line.split('|'));
  return new Map(rows.map(([key = '', values = '']) => [key, values.split('&')]));
}

function sorted(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}
