import { DAY_MS } from './calendar.ts';
import { TIME_ZONE_LINKS, TIME_ZONES, TIME_ZONES_END, TIME_ZONES_VERSION } from './generated/time-zones.ts';

/** What the rules were checked against: British Columbia, Alberta and Morocco without clock changes (tz NEWS 2026b, c). */
const TIME_ZONES_VERSION_MIN = '2026c';
/** The tz database has had more than 300 zones since 2000; fewer means that the table was cut. */
const ZONES_MIN = 300;

/** From this instant on (epoch ms) the table says nothing. */
export const TIME_ZONES_END_MS = Date.parse(TIME_ZONES_END);

/**
 * One zone's offsets: `offsets[i]` (ms east of UTC) holds from `starts[i - 1]` (epoch ms) to before `starts[i]`. Two
 * names of one zone have the same object.
 */
export interface TimeZone {
  readonly name: string;
  readonly starts: Float64Array;
  readonly offsets: Float64Array;
}

export class TimeZoneDataError extends Error {
  override readonly name = 'TimeZoneDataError';
  constructor(
    readonly code: 'time-zone-data-missing' | 'time-zone-data-old',
    message: string,
  ) {
    super(message);
  }
}

const lines = new Map(
  TIME_ZONES.trim()
    .split('\n')
    .map((line) => [keyOf(line.slice(0, line.indexOf('|'))), line]),
);
const links = new Map(
  TIME_ZONE_LINKS.trim()
    .split('\n')
    .map((line) => line.split('|'))
    .map(([zone = '', alias = '']) => [keyOf(alias), keyOf(zone)]),
);
/** Read when first asked for; at most one per zone of the table. */
const zones = new Map<string, TimeZone>();

/**
 * Refuses tz data that is missing, cut or older than what the rules were checked against. A service calls it when it
 * starts, so that a wrong build never decides. Throws `TimeZoneDataError`.
 */
export function assertTimeZoneData(version: string = TIME_ZONES_VERSION, zonesTotal: number = lines.size): void {
  if (zonesTotal < ZONES_MIN || timeZoneOf('America/New_York') === undefined) {
    const message = `the time zone table has ${zonesTotal} zones; build @assent/send-rules again`;
    throw new TimeZoneDataError('time-zone-data-missing', message);
  }
  if (!/^\d{4}[a-z]$/.test(version) || version < TIME_ZONES_VERSION_MIN) {
    const message = `the time zone table is of release ${version}; ${TIME_ZONES_VERSION_MIN} is the least`;
    throw new TimeZoneDataError('time-zone-data-old', message);
  }
}

/** The zone of an IANA name in any case; undefined when the table has none of that name. */
export function timeZoneOf(name: string): TimeZone | undefined {
  const key = keyOf(name);
  const canonical = links.get(key) ?? key;
  const known = zones.get(canonical);
  if (known !== undefined) return known;
  const line = lines.get(canonical);
  if (line === undefined) return undefined;
  const zone = zoneFrom(line);
  zones.set(canonical, zone);
  return zone;
}

/** Every zone of the table, without its other names. */
export function zoneNames(): readonly string[] {
  return [...lines.values()].map((line) => line.slice(0, line.indexOf('|')));
}

/** Whether the text is the name of a time zone (not a bare offset such as `+02:00`). */
export function isKnownZone(name: string): boolean {
  return timeZoneOf(name) !== undefined;
}

/** Milliseconds east of UTC at an instant. */
export function offsetAt(zone: TimeZone, at: number): number {
  let low = 0;
  let high = zone.starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((zone.starts[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return zone.offsets[low] ?? 0;
}

/** The local date (days since 1970-01-01) and the minute of its day (0 to 1439) at an instant. */
export function localTimeAt(zone: TimeZone, at: number): { readonly epochDay: number; readonly minute: number } {
  const local = at + offsetAt(zone, at);
  const epochDay = Math.floor(local / DAY_MS);
  return { epochDay, minute: Math.floor((local - epochDay * DAY_MS) / 60_000) };
}

/**
 * The instant (epoch ms) of a local time: `minute` 0 to 1440 of a date. Where clocks say it twice, the earlier or the
 * later one; where clocks leave it out, the reading with the offset after or before the change, which are the earlier and
 * the later one (as Temporal reads it). So a window that opens at `later` and closes at `earlier` only ever shrinks.
 */
export function wallTimeToInstant(
  zone: TimeZone,
  epochDay: number,
  minute: number,
  disambiguation: 'earlier' | 'later',
): number {
  const local = epochDay * DAY_MS + minute * 60_000;
  // Offsets are less than a day, and no zone changes its clock twice within two days (a test holds it).
  const before = offsetAt(zone, local - DAY_MS);
  const after = offsetAt(zone, local + DAY_MS);
  if (before === after) return local - before;
  const byBefore = local - before;
  const byAfter = local - after;
  const beforeHolds = offsetAt(zone, byBefore) === before;
  const afterHolds = offsetAt(zone, byAfter) === after;
  if (beforeHolds !== afterHolds) return beforeHolds ? byBefore : byAfter;
  return disambiguation === 'earlier' ? Math.min(byBefore, byAfter) : Math.max(byBefore, byAfter);
}

function keyOf(name: string): string {
  return name.toLowerCase();
}

function zoneFrom(line: string): TimeZone {
  const [name = '', offsets = '', changes = ''] = line.split('|');
  const known = offsets.split(' ').map((seconds) => Number(seconds) * 1000);
  const transitions = changes === '' ? [] : changes.split(' ');
  const zone = {
    name,
    starts: new Float64Array(transitions.length),
    offsets: new Float64Array(transitions.length + 1).fill(known[0] ?? 0, 0, 1),
  };
  let at = 0;
  transitions.forEach((transition, index) => {
    at += Number.parseInt(transition.slice(1), 36) * 1000;
    zone.starts[index] = at;
    zone.offsets[index + 1] = known[Number.parseInt(transition.charAt(0), 36)] ?? 0;
  });
  return zone;
}
