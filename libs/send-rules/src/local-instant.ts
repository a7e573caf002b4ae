import { epochDayOf } from './calendar.ts';
import { SendRulesError } from './send-rules-error.ts';
import { timeZoneOf, wallTimeToInstant } from './time-zones.ts';

/**
 * The instant (epoch ms) of a local date (`YYYY-MM-DD`) and time (`HH:MM`) such as "tomorrow 9:00": the latest of the
 * candidate zones' instants, so that it is nowhere earlier than asked for. In a gap of the local clock, and in an
 * overlap, the later reading counts. Undefined when no zone is known. Throws `SendRulesError`: `invalid-local-time` for
 * a date or time that does not exist in the calendar, `unknown-zone` for a zone that the tz data does not have.
 */
export function localInstant(wish: {
  readonly date: string;
  readonly time: string;
  readonly zones: readonly string[];
}): number | undefined {
  const epochDay = epochDayOf(wish.date);
  if (epochDay === undefined || !/^([01]\d|2[0-3]):[0-5]\d$/.test(wish.time)) {
    throw new SendRulesError('invalid-local-time', 'the local date or time does not exist');
  }
  if (wish.zones.length === 0) return undefined;
  const minute = Number(wish.time.slice(0, 2)) * 60 + Number(wish.time.slice(3));
  const instants = wish.zones.map((name) => {
    const zone = timeZoneOf(name);
    if (zone === undefined) throw new SendRulesError('unknown-zone', 'the tz data does not have this time zone');
    return wallTimeToInstant(zone, epochDay, minute, 'later');
  });
  return Math.max(...instants);
}
