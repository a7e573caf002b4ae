import { Temporal } from 'temporal-polyfill';

import { CALLING_CODE_COUNTRIES, COUNTRY_ZONES, PHONE_PREFIX_ZONES } from './generated/phone-zones.ts';

/** The data behind `candidateZones`, for the record of a decision. */
export const PHONE_ZONES_VERSION = 'libphonenumber-f7e3e88c+tz-2025b';

export interface ZoneEvidence {
  /** IANA time zone that the person declared. */
  readonly declared?: string;
  /** Phone number in E.164 or a wa_id; a leading `+` is optional. */
  readonly e164?: string;
  /** ISO 3166 country in front of a business-scoped user id (`US.1349…`). */
  readonly bsuidCountry?: string;
}

export interface CandidateZones {
  /** Every zone the person may be in, sorted. Empty means: any zone of the world (basis `unknown`). */
  readonly zones: readonly string[];
  readonly basis: 'declared' | 'area-code' | 'calling-code' | 'country' | 'unknown';
  readonly confidence: 'high' | 'medium' | 'low' | 'none';
}

const UNKNOWN: CandidateZones = { zones: [], basis: 'unknown', confidence: 'none' };
const NORTH_AMERICA = '1';
const CALLING_CODE_DIGITS_MAX = 3;

const prefixZones = tableOf(PHONE_PREFIX_ZONES);
const countryZones = tableOf(COUNTRY_ZONES);
const callingCodeCountries = tableOf(CALLING_CODE_COUNTRIES);
const areaCodeZones = zonesByAreaCode();

/**
 * The time zones that a person may be in, from the best evidence there is: the declared zone; else the phone number;
 * else the country of the business-scoped user id; else unknown. A declared zone that this runtime does not know counts
 * as not declared. Never throws.
 *
 * Phone numbers follow libphonenumber's rule for numbers that are not geographical (PhoneNumberToTimeZonesMapper): all
 * zones of the calling code, because a mobile number does not tell where its country's person is. To these the zones of
 * every country with that calling code are added, because the phone data alone misses some (+7 lacks Kaliningrad, +212
 * holds only the Canary Islands). Every number outside North America is treated so, +62 too: more candidates only make
 * the window smaller. In North America the area code is presumed to tell (Florida's law says so), with every zone of
 * every prefix in it.
 */
export function candidateZones(evidence: ZoneEvidence): CandidateZones {
  const { declared, e164, bsuidCountry } = evidence;
  if (declared !== undefined && isKnownZone(declared)) {
    return { zones: [declared], basis: 'declared', confidence: 'high' };
  }
  if (e164 !== undefined) return zonesOfPhone(e164);
  if (bsuidCountry !== undefined) return zonesOfCountry(bsuidCountry);
  return UNKNOWN;
}

/** Whether the text is the name of a time zone (not a bare offset such as `+02:00`) that this runtime knows. */
export function isKnownZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

function zonesOfPhone(e164: string): CandidateZones {
  const digits = /^\+?([1-9]\d{6,14})$/.exec(e164)?.[1];
  if (digits === undefined) return UNKNOWN;
  if (digits.startsWith(NORTH_AMERICA)) {
    const zones = areaCodeZones.get(digits.slice(0, 4));
    if (zones !== undefined) return { zones, basis: 'area-code', confidence: 'medium' };
  }
  const callingCode = callingCodeOf(digits);
  if (callingCode === undefined) return UNKNOWN;
  const countries = callingCodeCountries.get(callingCode) ?? [];
  const zones = union([
    prefixZones.get(callingCode) ?? [],
    // The data of +1 names every zone of its 25 countries that a number can be in; the area code told nothing.
    ...(callingCode === NORTH_AMERICA ? [] : countries.map((country) => countryZones.get(country) ?? [])),
  ]);
  return zones.length === 0 ? UNKNOWN : { zones, basis: 'calling-code', confidence: 'medium' };
}

function zonesOfCountry(country: string): CandidateZones {
  const zones = countryZones.get(country.toUpperCase());
  return zones === undefined ? UNKNOWN : { zones, basis: 'country', confidence: 'low' };
}

/** Calling codes are prefix-free (ITU-T E.164), so at most one length matches. */
function callingCodeOf(digits: string): string | undefined {
  for (let length = 1; length <= CALLING_CODE_DIGITS_MAX; length += 1) {
    const code = digits.slice(0, length);
    if (callingCodeCountries.has(code)) return code;
  }
  return undefined;
}

function zonesByAreaCode(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [prefix, zones] of prefixZones) {
    if (!prefix.startsWith(NORTH_AMERICA) || prefix.length < 4) continue;
    const areaCode = prefix.slice(0, 4);
    found.set(areaCode, union([found.get(areaCode) ?? [], zones]));
  }
  return found;
}

function tableOf(lines: string): ReadonlyMap<string, readonly string[]> {
  const rows = lines
    .trim()
    .split('\n')
    .map((line) => line.split('|'));
  return new Map(rows.map(([key = '', values = '']) => [key, values.split('&')]));
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())].sort();
}
