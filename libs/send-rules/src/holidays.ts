import Holidays from 'date-holidays';

import { DAY_MS, dateOf, epochDayOf, newYearOf } from './calendar.ts';
import type { HolidayEntry } from './send-question.ts';

/** The holiday library and its version, for the record of a decision. */
export const HOLIDAYS_VERSION = 'date-holidays-3.37.0';

/** Days on which offices or banks are closed; the library's other kinds (school, observance, optional) are working days. */
const TYPES = ['public', 'bank'] as const;
/** Calendars remembered, one per place and year: about 2 kB each, and 10 to 40 ms to make one. */
const CALENDARS_MAX = 1_000;
const calendars = new Map<string, ReadonlyMap<number, string> | undefined>();
/** No feast of the library lasts longer. */
const FEAST_DAYS_MAX = 10;
let countries: Readonly<Record<string, string>> | undefined;

/** What is known of a day: the name of its holiday, that it is none, or nothing (no calendar for that place and year). */
export type HolidayAnswer = { readonly holiday: string } | 'none' | 'unknown';

/**
 * Whether a local date (days since 1970-01-01) is a public holiday in a place (`US`, `US-LA`). What the operator entered
 * goes before the library, and for a part before its country. A country or a year that neither knows is `unknown`.
 */
export function holidayOn(place: string, epochDay: number, entries: readonly HolidayEntry[]): HolidayAnswer {
  const country = place.slice(0, 2);
  if (entries.length > 0) {
    const date = dateOf(epochDay);
    const ofDay = entries.filter((entry) => entry.date === date);
    const entered =
      ofDay.findLast(({ jurisdiction }) => jurisdiction === place) ??
      ofDay.findLast(({ jurisdiction }) => jurisdiction === country);
    if (entered !== undefined) return entered.holiday ? { holiday: entered.name } : 'none';
  }
  const year = yearOf(epochDay);
  const calendar = calendarOf(place, year);
  if (calendar === undefined) {
    // An operator who enters a year for a place that the library lacks has taken its calendar over.
    const taken = entries.some(({ jurisdiction, date }) => jurisdiction === country && date.startsWith(`${year}-`));
    return taken ? 'none' : 'unknown';
  }
  // A feast that begins at the end of a year is in that year's calendar.
  const isJanuary = epochDay - newYearOf(year) < FEAST_DAYS_MAX;
  const name = calendar.get(epochDay) ?? (isJanuary ? calendarOf(place, year - 1)?.get(epochDay) : undefined);
  return name === undefined ? 'none' : { holiday: name };
}

function calendarOf(place: string, year: number): ReadonlyMap<number, string> | undefined {
  const key = `${place}|${year}`;
  if (calendars.has(key)) return calendars.get(key);
  const calendar = libraryCalendar(place.slice(0, 2), place.slice(3), year);
  if (calendars.size >= CALENDARS_MAX) calendars.clear();
  calendars.set(key, calendar);
  return calendar;
}

/** The library's calendar of a place (`US`, `LA`; no part is the empty string) in a year, by local day; not remembered. */
export function libraryCalendar(country: string, part: string, year: number): ReadonlyMap<number, string> | undefined {
  countries ??= new Holidays().getCountries();
  if (countries[country] === undefined) return undefined;
  const options = { types: [...TYPES] };
  const states =
    part === '' ? undefined : (new Holidays(country).getStates(country) as Record<string, string> | undefined);
  const library = states?.[part] === undefined ? new Holidays(country, options) : new Holidays(country, part, options);
  const found = new Map<number, string>();
  for (const holiday of library.getHolidays(year)) {
    const first = epochDayOf(holiday.date.slice(0, 10));
    if (first === undefined) continue;
    // Counted from the date the library names; its `start` is the sunset before, where days begin at sunset.
    const days = Math.max(1, Math.round((holiday.end.getTime() - holiday.start.getTime()) / DAY_MS));
    for (let day = 0; day < days; day += 1) found.set(first + day, holiday.name);
  }
  // No country is without a public holiday: an empty year is one that the library does not have.
  return found.size === 0 ? undefined : found;
}

function yearOf(epochDay: number): number {
  return new Date(epochDay * DAY_MS).getUTCFullYear();
}
