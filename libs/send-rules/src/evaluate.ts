import type { Interval } from './open-intervals.ts';
import { openStretches, type Weighing, weigh } from './allowed-time.ts';
import { DAY_MS } from './calendar.ts';
import { checkContent } from './check-content.ts';
import { lapsesAt } from './consent-life.ts';
import { explainCaps, explainHours } from './explain-verdict.ts';
import { type Location, locateRecipient } from './locate-recipient.ts';
import { reason, ruleReason } from './reasons.ts';
import type { ConsentLifeRule, ContentRule } from './rule.ts';
import { rulesInForce } from './rules-in-force.ts';
import { capStanding, wishStanding } from './caps.ts';
import { ruleSetReference } from './rule-sets.ts';
import type { Blackout, SendQuestion, SendReason, SendVerdict } from './send-question.ts';
import { SendRulesError } from './send-rules-error.ts';
import { localTimeAt, TIME_ZONES_END_MS, wallTimeToInstant } from './time-zones.ts';

/** How far ahead an allowed instant is looked for; what finds none by then needs a person's eye. */
export const SEARCH_HORIZON_MS = 400 * DAY_MS;
/** What is exempt may leave at least this long. */
const EXEMPT_MS = 14 * DAY_MS;
/** Most answers lie within a day, and most others within three; the search goes on in longer steps. Ends of the steps, from the question on. */
const SEARCH_STEPS_MS = [1, 3, 17, 80, 160, 240, 320, 400].map((days) => days * DAY_MS);
/** Where it is looked whether hours in common are too short or none. */
const FIRST_STEPS_MS = 17 * DAY_MS;
/** The year 10,000: no dispatch lies beyond, and calendar arithmetic stays within what Temporal can name. */
const INSTANT_MAX = 253_402_300_800_000;
/** Caps, blackouts and changes of rules push an instant on; more pushes within one stretch than this need a person. */
const PUSHES_MAX = 1_000;

/**
 * Whether a message may leave at an instant, and if not, when: a pure function of the question and of the versions in
 * `SEND_RULES_VERSIONS`. Allowed is what every rule of every place the person may be allows in every time zone the
 * person may be in, in a common stretch of at least an hour. Unknown zone, unknown rules, nothing allowed within 400
 * days: review, never a guess. Work is bounded: 400 local days per candidate zone and rule.
 *
 * Throws `SendRulesError` (`invalid-instant`) when `at` is not a whole number of epoch milliseconds from 1970 to 9999.
 */
export function evaluate(question: SendQuestion): SendVerdict {
  const { at, ruleSet } = question;
  if (!Number.isSafeInteger(at) || at < 0 || at > INSTANT_MAX) {
    throw new SendRulesError('invalid-instant', 'at is not a whole number of milliseconds between 1970 and 9999');
  }
  if (isExempt(question)) {
    const exempt = reason('exempt-from-send-windows', {}, { ref: ruleSetReference(ruleSet) });
    return { verdict: 'allow', until: at + EXEMPT_MS, reasons: [exempt] };
  }
  const rules = rulesInForce(ruleSet);
  if (rules.fault !== undefined) return review(reason(`rule-set-${rules.fault}`, {}, { ref: rules.reference }));
  const location = locateRecipient(question.recipient);
  if (location.zones.length === 0) return review(reason('zone-unknown'));
  if (!isReadable(question)) return review(reason('wish-unreadable'));
  if (at >= TIME_ZONES_END_MS) return review(dataEnd());
  return decide(weigh(question, location, rules), location);
}

/** The first instant at or after `at` that `evaluate` allows (epoch ms); undefined when a person has to look, or never. */
export function nextAllowed(question: SendQuestion): number | undefined {
  const verdict = evaluate(question);
  if (verdict.verdict === 'allow') return question.at;
  return verdict.verdict === 'hold' ? verdict.until : undefined;
}

function decide(weighing: Weighing, location: Location): SendVerdict {
  const { question } = weighing;
  const { at } = question;
  const withoutHours = daysAt(weighing, at)
    .map((day) => weighing.rulesOn(day).withoutHours)
    .find((place) => place !== undefined);
  if (withoutHours !== undefined) {
    return review(reason('no-window-rule', { place: withoutHours }, { ref: weighing.rules.reference }));
  }
  const lasting = lastingFindings(weighing, at);
  if (lasting.refuse.length > 0) return { verdict: 'refuse', reasons: [...lasting.refuse, ...lasting.allow] };
  if (lasting.review.length > 0) return { verdict: 'review', reasons: [...lasting.review, ...lasting.allow] };

  const now = [...explainHours(weighing, at), ...explainCaps(weighing, at), ...blackoutReasons(weighing, at)];
  const taking = [...now, ...lasting.allow];
  const found = firstAllowed(weighing);
  if ('obstacle' in found)
    return { verdict: 'review', reasons: [obstacleReason(found.obstacle, weighing, location), ...taking] };
  // By then the consent may have lapsed or rules may have begun; the next allowed instant is one that they allow too.
  const then = found.from === at ? lasting : lastingFindings(weighing, found.from);
  if (then.refuse.length > 0) return { verdict: 'refuse', reasons: [...then.refuse, ...taking] };
  if (then.review.length > 0) return { verdict: 'review', reasons: [...then.review, ...taking] };
  const { lapses } = then;
  if (found.from > at)
    return { verdict: 'hold', until: found.from, reasons: blockingFirst(taking, weighing, location) };
  return { verdict: 'allow', until: Math.min(found.to, lapses?.at ?? Infinity), reasons: taking };
}

/** What does not change with the hours: the life of the consent and what the message says. */
function lastingFindings(
  weighing: Weighing,
  at: number,
): {
  readonly refuse: readonly SendReason[];
  readonly review: readonly SendReason[];
  readonly allow: readonly SendReason[];
  readonly lapses?: { readonly at: number; readonly rule: ConsentLifeRule };
} {
  const { question, rules } = weighing;
  const held = new Set(daysAt(weighing, at).flatMap((day) => weighing.rulesOn(day).others));
  const refuse: SendReason[] = [];
  const unclear: SendReason[] = [];
  const allow: SendReason[] = [];
  let lapses: { at: number; rule: ConsentLifeRule } | undefined;
  const contentRules: ContentRule[] = [];
  for (const rule of held) {
    if (rule.kind === 'content') contentRules.push(rule);
    // Only a message rests on consent; an ask asks for it.
    if (rule.kind !== 'consent-life' || question.class !== 'message') continue;
    if (question.consent === undefined) {
      unclear.push(ruleReason('consent-age-unknown', rules.reference, rule));
      continue;
    }
    const lapsed = lapsesAt(rule, question.consent);
    if (lapsed === undefined) continue;
    const until = textOf(lapsed);
    if (lapsed <= at) {
      const code = lapsed <= question.at ? 'consent-lapsed' : 'consent-lapses-first';
      refuse.push(ruleReason(code, rules.reference, rule, { until }));
    } else allow.push(ruleReason('consent-live', rules.reference, rule, { until }));
    if (lapses === undefined || lapsed < lapses.at) lapses = { at: lapsed, rule };
  }
  if (question.content !== undefined) {
    const { faults, fits } = checkContent(question.content, contentRules, rules.reference);
    refuse.push(...faults);
    allow.push(...fits);
  } else {
    unclear.push(...contentRules.map((rule) => ruleReason('content-unknown', rules.reference, rule)));
  }
  return { refuse, review: unclear, allow, ...(lapses === undefined ? {} : { lapses }) };
}

type Obstacle = 'no-common-window' | 'common-window-too-short' | 'time-zone-data-ends';
type Search = Interval | { readonly obstacle: Obstacle };

/** The first stretch at or after the question's instant at whose every instant everything allows. */
function firstAllowed(weighing: Weighing): Search {
  const { at } = weighing.question;
  let from = at;
  for (const step of SEARCH_STEPS_MS) {
    const to = Math.min(at + step, TIME_ZONES_END_MS);
    for (const stretch of openStretches(weighing, { from, to })) {
      const start = firstFree(weighing, Math.max(at, stretch.from), stretch.to);
      if (start !== undefined && start < at + SEARCH_HORIZON_MS) {
        return { from: start, to: Math.min(stretch.to, nextPush(weighing, start)) };
      }
    }
    if (to === TIME_ZONES_END_MS) return { obstacle: 'time-zone-data-ends' };
    from = to;
  }
  const short = openStretches(weighing, { from: at, to: at + FIRST_STEPS_MS }, 1).length > 0;
  return { obstacle: short ? 'common-window-too-short' : 'no-common-window' };
}

/** The first instant in [from, to) that caps and blackouts leave free. */
function firstFree(weighing: Weighing, from: number, to: number): number | undefined {
  let instant = from;
  for (let pushes = 0; pushes < PUSHES_MAX && instant < to; pushes += 1) {
    const blackout = blackoutsAt(weighing, instant)[0];
    const capped = capFreeFrom(weighing, instant);
    if (blackout === undefined && capped <= instant) return instant;
    if (blackout !== undefined) instant = blackout.until ?? Infinity;
    // Until then the rules may change, and with them the cap.
    else instant = Math.min(capped, nextChange(weighing, instant));
  }
  return undefined;
}

/** The earliest instant (epoch ms) from which every cap and the person's own wish leave room, by the rules of `at`. */
function capFreeFrom(weighing: Weighing, at: number): number {
  const { question } = weighing;
  const frequency = question.wishes?.frequency;
  let freeFrom = frequency === undefined ? -Infinity : wishStanding(frequency, question, at).freeFrom;
  for (const day of daysAt(weighing, at)) {
    for (const rule of weighing.rulesOn(day).others) {
      if (rule.kind === 'cap') freeFrom = Math.max(freeFrom, capStanding(rule, question, at).freeFrom);
    }
  }
  return freeFrom;
}

/** Until when an allowed instant is sure to stay allowed: the next blackout, or the next change of rules. */
function nextPush(weighing: Weighing, at: number): number {
  const blackouts = weighing.question.blackouts
    .filter((blackout) => blackout.from > at && concerns(weighing, blackout))
    .map(({ from }) => from);
  return Math.min(nextChange(weighing, at), ...blackouts);
}

/** The next instant at which a candidate zone comes to a day on which rules begin or end to apply. */
function nextChange(weighing: Weighing, at: number): number {
  const instants = weighing.changes.flatMap((day) =>
    weighing.zones.flatMap((zone) => [
      wallTimeToInstant(zone, day, 0, 'earlier'),
      wallTimeToInstant(zone, day, 0, 'later'),
    ]),
  );
  return Math.min(Infinity, ...instants.filter((instant) => instant > at));
}

/** The local days that it is at an instant, in one candidate zone or another. */
function daysAt(weighing: Weighing, at: number): readonly number[] {
  return [...new Set(weighing.zones.map((zone) => localTimeAt(zone, at).epochDay))];
}

function blackoutsAt(weighing: Weighing, at: number): readonly Blackout[] {
  return weighing.question.blackouts.filter(
    (blackout) => blackout.from <= at && at < (blackout.until ?? Infinity) && concerns(weighing, blackout),
  );
}

function blackoutReasons(weighing: Weighing, at: number): readonly SendReason[] {
  return blackoutsAt(weighing, at).map(({ id, reason: why }) => reason('blackout', { reason: why }, { ref: id }));
}

/** Whether somebody whom a blackout is about may be the recipient; a country holds its parts, an unknown place all. */
function concerns(weighing: Weighing, { categories, jurisdictions }: Blackout): boolean {
  if (categories !== undefined && !categories.includes(weighing.question.category)) return false;
  return jurisdictions.some(
    (one) =>
      one === '*' ||
      weighing.places.some(
        ({ name, levels }) => levels.length === 0 || name === one || levels.includes(one) || one.startsWith(`${name}-`),
      ),
  );
}

function isExempt({ ruleSet, class: kind, selfStarted }: SendQuestion): boolean {
  return ruleSet.exempt.some(
    (exemption) => exemption.class === kind && (exemption.class === 'withdrawal-receipt' || selfStarted === true),
  );
}

function isReadable({ wishes }: SendQuestion): boolean {
  const { quietHours, frequency } = wishes ?? {};
  const times = quietHours?.every((time) => /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/.test(time)) ?? true;
  const counts = frequency === undefined ? [] : [frequency.attemptsMax, frequency.windowHours];
  return times && counts.every((count) => Number.isInteger(count) && count >= 1);
}

function review(...reasons: readonly SendReason[]): SendVerdict {
  return { verdict: 'review', reasons };
}

function dataEnd(): SendReason {
  return reason('time-zone-data-ends', { date: textOf(TIME_ZONES_END_MS) });
}

function obstacleReason(obstacle: Obstacle, weighing: Weighing, location: Location): SendReason {
  if (obstacle === 'time-zone-data-ends') return dataEnd();
  const params = {
    days: SEARCH_HORIZON_MS / DAY_MS,
    zones: location.zones.length,
    places: weighing.places.length,
  };
  return reason(obstacle, params, { ref: weighing.rules.reference });
}

/** What does not allow comes first; when every rule allows now and it holds all the same, what they have in common is too short. */
function blockingFirst(reasons: readonly SendReason[], weighing: Weighing, location: Location): readonly SendReason[] {
  const blocking = reasons.filter(({ code }) => BLOCKING.has(code));
  if (blocking.length > 0) return [...blocking, ...reasons.filter(({ code }) => !BLOCKING.has(code))];
  const params = { zones: location.zones.length, places: weighing.places.length };
  return [reason('common-window-too-short', params, { ref: weighing.rules.reference }), ...reasons];
}

const BLOCKING: ReadonlySet<string> = new Set([
  'outside-send-window',
  'outside-on-holiday',
  'outside-calendar-unknown',
  'cap-reached',
  'wished-frequency-reached',
  'quiet-hours',
  'blackout',
]);

/** RFC 3339 in UTC, to the second. */
function textOf(instant: number): string {
  return new Date(instant).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
