import { Temporal as TemporalPolyfill } from 'temporal-polyfill';

/** The runtime's own Temporal where there is one (Node 26); only calendar dates are taken from it, never zones. */
const Temporal = (globalThis as { Temporal?: typeof TemporalPolyfill }).Temporal ?? TemporalPolyfill;

const EPOCH = Temporal.PlainDate.from('1970-01-01');
const EPOCH_WEEKDAY = EPOCH.dayOfWeek;
export const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a date `YYYY-MM-DD`; undefined when the calendar has no such day. */
export function epochDayOf(date: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  try {
    return EPOCH.until(Temporal.PlainDate.from(date, { overflow: 'reject' }), { largestUnit: 'days' }).days;
  } catch {
    return undefined;
  }
}

/** `YYYY-MM-DD` of days since 1970-01-01, years 0 to 9999. Asked often, so not of Temporal: a polyfill takes 60 µs. */
export function dateOf(epochDay: number): string {
  return new Date(epochDay * DAY_MS).toISOString().slice(0, 10);
}

/** Days since 1970-01-01 of the first of January. */
export function newYearOf(year: number): number {
  return Date.UTC(year, 0, 1) / DAY_MS;
}

/** 0 is Monday, 6 is Sunday. */
export function weekdayIndexOf(epochDay: number): number {
  return (((epochDay + EPOCH_WEEKDAY - 1) % 7) + 7) % 7;
}

/**
 * The instant (epoch ms) so many calendar months after another, in UTC; the last day of a month where it is shorter.
 * Asked at every decision, so not of Temporal: a test holds the two together.
 */
export function monthsAfter(at: number, months: number): number {
  const from = new Date(at);
  const month = from.getUTCFullYear() * 12 + from.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(Math.floor(month / 12), (month % 12) + 1, 0)).getUTCDate();
  const day = Math.min(from.getUTCDate(), lastDay);
  return Date.UTC(Math.floor(month / 12), month % 12, day) + (at - Math.floor(at / DAY_MS) * DAY_MS);
}

/** Whether the text is an RFC 3339 instant that exists. */
export function isInstant(text: string): boolean {
  try {
    Temporal.Instant.from(text);
    return true;
  } catch {
    return false;
  }
}
