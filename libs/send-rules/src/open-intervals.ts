import { Temporal } from 'temporal-polyfill';

import { WEEKDAYS, type Weekday, type WindowRule } from './rule-set.ts';

/** A half-open stretch of time, epoch milliseconds. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

const DAY_MS = 86_400_000;
const EPOCH = Temporal.PlainDate.from('1970-01-01');

/**
 * Conversions are remembered, because one costs about 60 µs with the polyfill and the same few (zone, date, wall time)
 * come up all day. The answers cannot change within a process; the bound keeps memory under about 10 MB.
 */
const CONVERSIONS_MAX = 50_000;
const conversions = new Map<string, number>();

/**
 * The stretches in [from, to) in which a rule lets messages leave to a person in a zone: sorted, apart from each other,
 * cut to the range. A gap or an overlap of the local clock only ever makes a window smaller: it opens at the later and
 * closes at the earlier reading of its wall time.
 */
export function openIntervals(zone: string, rule: WindowRule, range: Interval): readonly Interval[] {
  const found: Interval[] = [];
  // A local date is at most a day away from the UTC date, and a clock set back over midnight repeats the day before.
  const first = Math.floor(range.from / DAY_MS) - 2;
  const last = Math.floor(range.to / DAY_MS) + 1;
  for (let epochDay = first; epochDay <= last; epochDay += 1) {
    for (const [opens, closes] of rule.weekdays[weekdayOf(epochDay)] ?? []) {
      const from = Math.max(range.from, wallTimeToInstant(zone, epochDay, opens, 'later'));
      const to = Math.min(range.to, wallTimeToInstant(zone, epochDay, closes, 'earlier'));
      if (from < to) found.push({ from, to });
    }
  }
  return joined(found);
}

/** The instants that lie in both lists; both are sorted and apart, and so is the answer. */
export function intersection(left: readonly Interval[], right: readonly Interval[]): readonly Interval[] {
  const found: Interval[] = [];
  let l = 0;
  let r = 0;
  for (let a = left[l], b = right[r]; a !== undefined && b !== undefined; a = left[l], b = right[r]) {
    const from = Math.max(a.from, b.from);
    const to = Math.min(a.to, b.to);
    if (from < to) found.push({ from, to });
    if (a.to < b.to) l += 1;
    else r += 1;
  }
  return found;
}

/** Epoch ms of a wall time (`HH:MM` to `24:00`) on a local date, given as days since 1970-01-01. */
export function wallTimeToInstant(
  zone: string,
  epochDay: number,
  wallTime: string,
  disambiguation: 'earlier' | 'later',
): number {
  const key = `${zone}|${epochDay}|${wallTime}|${disambiguation}`;
  const known = conversions.get(key);
  if (known !== undefined) return known;
  const midnight = wallTime === '24:00';
  const local = EPOCH.add({ days: epochDay + (midnight ? 1 : 0) }).toPlainDateTime(midnight ? '00:00' : wallTime);
  const instant = local.toZonedDateTime(zone, { disambiguation }).epochMilliseconds;
  if (conversions.size >= CONVERSIONS_MAX) conversions.clear();
  conversions.set(key, instant);
  return instant;
}

/** Days since 1970-01-01. */
export function epochDayOf(date: Temporal.PlainDate): number {
  return EPOCH.until(date, { largestUnit: 'days' }).days;
}

function weekdayOf(epochDay: number): Weekday {
  const daysSinceMonday = (((epochDay + EPOCH.dayOfWeek - 1) % 7) + 7) % 7;
  return WEEKDAYS[daysSinceMonday] ?? 'sunday';
}

function joined(intervals: readonly Interval[]): readonly Interval[] {
  const apart: Interval[] = [];
  for (const next of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last !== undefined && next.from <= last.to) {
      apart[apart.length - 1] = { from: last.from, to: Math.max(last.to, next.to) };
    } else {
      apart.push(next);
    }
  }
  return apart;
}
