/**
 * Zones over the whole day, so that it is the middle of the day in one of them at any instant. Those of the numbers' own
 * continent come first.
 */
const ZONES = [
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
  'Pacific/Honolulu',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'Pacific/Auckland',
] as const;

/** Well inside the demo's hours for sending (8 to 21), with room for the time the demo takes. */
const FIRST_MINUTE = 10 * 60;
const LAST_MINUTE = 18 * 60 - 10;

/**
 * Pure: a time zone in which it is between 10 and 18 at an instant (epoch ms), so that the story's messages may leave
 * whenever it is played.
 *
 * @throws RangeError never, as far as the zones above cover the day; a test walks through all of it
 */
export function chooseZone(now: number): string {
  const zone = ZONES.find((candidate) => {
    const minute = localMinute(now, candidate);
    return minute >= FIRST_MINUTE && minute < LAST_MINUTE;
  });
  if (zone === undefined) throw new RangeError('no zone has the middle of the day');
  return zone;
}

/** Making a format is a thousand times as slow as using it. */
const CLOCKS: ReadonlyMap<string, Intl.DateTimeFormat> = new Map(
  ZONES.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  ]),
);

/** Minute of the local day, 0 to 1,439. */
function localMinute(now: number, timeZone: (typeof ZONES)[number]): number {
  const [hour = '0', minute = '0'] = (CLOCKS.get(timeZone)?.format(now) ?? '').split(':');
  return Number(hour) * 60 + Number(minute);
}

/** `YYYY-MM-DD` of the day after the local day of an instant. */
export function localTomorrow(now: number, timeZone: string): string {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(now);
  const date = new Date(`${today}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}
