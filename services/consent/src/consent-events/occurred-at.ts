/** One instant, with its offset: a time without one would be read in the zone of our host, a week date not at all. */
export const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** WhatsApp began in 2009: an earlier stamp is a broken clock, not a time at which somebody said something over it. */
const EARLIEST_MS = Date.UTC(2009, 0, 1);

/**
 * When something happened, as far as its source can be believed: a time in the future, an impossible one and none at all
 * are `now`. For a withdrawal that is the person's side (I6): stamped 1970 it would lose to every grant there is.
 *
 * @param given epoch milliseconds
 * @param now epoch milliseconds
 */
export function occurredAtOf(given: number | undefined, now: number): number {
  return given === undefined || !(given >= EARLIEST_MS) ? now : Math.min(Math.trunc(given), now);
}
