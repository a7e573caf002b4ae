import { Temporal } from 'temporal-polyfill';

import { SendRulesError } from './evaluate.ts';
import { epochDayOf, wallTimeToInstant } from './open-intervals.ts';

/**
 * The instant (epoch ms) of a local date (`YYYY-MM-DD`) and time (`HH:MM`) such as "tomorrow 9:00": the latest of the
 * candidate zones' instants, so that it is nowhere earlier than asked for. In a gap of the local clock, and in an
 * overlap, the later reading counts. Undefined when no zone is known. Throws `SendRulesError` (`invalid-local-time`)
 * for a date or time that does not exist in the calendar and `RangeError` for a zone this runtime does not know.
 */
export function localInstant(wish: {
  readonly date: string;
  readonly time: string;
  readonly zones: readonly string[];
}): number | undefined {
  const date = plainDate(wish.date);
  if (date === undefined || !/^([01]\d|2[0-3]):[0-5]\d$/.test(wish.time)) {
    throw new SendRulesError('invalid-local-time', 'the local date or time does not exist');
  }
  if (wish.zones.length === 0) return undefined;
  return Math.max(...wish.zones.map((zone) => wallTimeToInstant(zone, epochDayOf(date), wish.time, 'later')));
}

function plainDate(text: string): Temporal.PlainDate | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}
