import { Temporal } from 'temporal-polyfill';

import { isKnownZone } from './candidate-zones.ts';
import { intersection, openIntervals, type Interval } from './open-intervals.ts';
import { ruleSetReference, type DispatchClass, type RuleSet, type SendCategory, type WindowRule } from './rule-set.ts';

/** How far ahead an allowed instant is looked for; what finds none by then needs a person's eye. */
export const SEARCH_HORIZON_MS = 14 * 86_400_000;
/** A common window shorter than this is not used: a clock or a tz rule slightly off would leave nothing of it. */
export const COMMON_WINDOW_MIN_MS = 3_600_000;
/** Most answers lie within two days, so these are searched first. */
const FIRST_SEARCH_MS = 2 * 86_400_000;
/** The year 10,000: no dispatch lies beyond, and calendar arithmetic stays within what Temporal can name. */
const INSTANT_MAX = 253_402_300_800_000;
/** Looked at beyond the range, so that a window that begins in it is seen at least as long as the shortest usable one. */
const LOOK_BEYOND_MS = 86_400_000;

/** A reason for a machine (`code`) and for people (`text`, without personal data); `ref` names the rule. */
export interface Reason {
  readonly code:
    | 'inside-send-window'
    | 'exempt-from-send-windows'
    | 'outside-send-window'
    | 'zone-unknown'
    | 'zone-not-supported'
    | 'no-window-rule'
    | 'no-common-window'
    | 'common-window-too-short';
  readonly text: string;
  readonly ref?: string;
}

export interface SendQuestion {
  /** Epoch ms. */
  readonly at: number;
  /** Every zone the recipient may be in; empty means any zone of the world. */
  readonly zones: readonly string[];
  readonly ruleSet: RuleSet;
  readonly class: DispatchClass;
  readonly category: SendCategory;
  /** For an opt-in ask: whether the person's own message from that address started it. */
  readonly selfStarted?: boolean;
}

/**
 * - `allow`: it may leave at `at`, and at any instant before `until` (never farther than the search horizon).
 * - `hold`: not now; `until` is the next instant that is allowed in every candidate zone.
 * - `review`: nothing allowed in sight; a person has to look.
 */
export type SendVerdict =
  | { readonly verdict: 'allow'; readonly until: number; readonly reasons: readonly Reason[] }
  | { readonly verdict: 'hold'; readonly until: number; readonly reasons: readonly Reason[] }
  | { readonly verdict: 'review'; readonly reasons: readonly Reason[] };

export class SendRulesError extends Error {
  override readonly name = 'SendRulesError';
  constructor(
    readonly code: 'invalid-instant' | 'invalid-local-time',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Whether the send rules let a dispatch leave at an instant: a pure function of its arguments and of the runtime's tz
 * database, whose version the caller records. An instant is allowed when it lies in every matching window of every
 * candidate zone, in a common stretch of at least an hour. Unknown zone, zone this runtime does not know, no matching
 * rule: review. Throws `SendRulesError` when `at` is not a whole number of epoch
 * milliseconds from 1970 to 9999.
 */
export function evaluate(question: SendQuestion): SendVerdict {
  const { at, zones, ruleSet } = question;
  if (!Number.isSafeInteger(at) || at < 0 || at > INSTANT_MAX) {
    throw new SendRulesError('invalid-instant', 'at is not a whole number of milliseconds between 1970 and 9999');
  }
  const ref = ruleSetReference(ruleSet);
  if (isExempt(question)) {
    const text = 'It answers what the person just did, so the hours for sending do not apply.';
    return {
      verdict: 'allow',
      until: at + SEARCH_HORIZON_MS,
      reasons: [{ code: 'exempt-from-send-windows', text, ref }],
    };
  }
  const rules = ruleSet.windows.filter((rule) => matches(rule, question));
  const obstacle = obstacleOf(zones, rules, ref);
  if (obstacle !== undefined) return { verdict: 'review', reasons: [obstacle] };

  const nearby = search(question, rules, FIRST_SEARCH_MS);
  const found = nearby.usable === undefined ? search(question, rules, SEARCH_HORIZON_MS) : nearby;
  if (found.usable === undefined) return { verdict: 'review', reasons: [nothingInSight(found.anyCommon, zones, ref)] };
  if (found.usable.from > at) {
    return { verdict: 'hold', until: found.usable.from, reasons: [outside(question, rules)] };
  }
  const until = Math.min(found.usable.to, at + SEARCH_HORIZON_MS);
  const text = 'It is inside the hours for sending in every time zone the person may be in.';
  return { verdict: 'allow', until, reasons: [{ code: 'inside-send-window', text, ref }] };
}

/** The first instant at or after `at` that `evaluate` allows (epoch ms); undefined when a person has to look. */
export function nextAllowed(question: SendQuestion): number | undefined {
  const verdict = evaluate(question);
  if (verdict.verdict === 'allow') return question.at;
  return verdict.verdict === 'hold' ? verdict.until : undefined;
}

function isExempt(question: SendQuestion): boolean {
  return question.ruleSet.exempt.some(
    (exemption) =>
      exemption.class === question.class && (exemption.class === 'withdrawal-receipt' || question.selfStarted === true),
  );
}

function matches(rule: WindowRule, question: SendQuestion): boolean {
  return (
    (rule.classes === undefined || rule.classes.includes(question.class)) &&
    (rule.categories === undefined || rule.categories.includes(question.category))
  );
}

function obstacleOf(zones: readonly string[], rules: readonly WindowRule[], ref: string): Reason | undefined {
  if (rules.length === 0) {
    return { code: 'no-window-rule', text: 'The rule set has no hours for this kind of message.', ref };
  }
  if (zones.length === 0) {
    const text = 'Nothing tells which time zone the person is in. Ask for it, or record it with the consent.';
    return { code: 'zone-unknown', text, ref };
  }
  const unsupported = zones.find((zone) => !isKnownZone(zone));
  if (unsupported === undefined) return undefined;
  const text = `The time zone database of this process does not know ${unsupported}. Update it, or correct the zone.`;
  return { code: 'zone-not-supported', text, ref };
}

/** The first usable common stretch that ends after `at` and begins within `lengthMs`; and whether there is any at all. */
function search(
  question: SendQuestion,
  rules: readonly WindowRule[],
  lengthMs: number,
): { usable: Interval | undefined; anyCommon: boolean } {
  const { at, zones } = question;
  const range = { from: at - LOOK_BEYOND_MS, to: at + lengthMs + LOOK_BEYOND_MS };
  let common: readonly Interval[] = [range];
  for (const zone of new Set(zones)) {
    for (const rule of rules) {
      if (common.length > 0) common = intersection(common, openIntervals(zone, rule, range));
    }
  }
  const ahead = common.filter(({ from, to }) => to > at && from < at + lengthMs);
  return {
    usable: ahead.find(({ from, to }) => to - from >= COMMON_WINDOW_MIN_MS),
    anyCommon: ahead.length > 0,
  };
}

function nothingInSight(anyCommon: boolean, zones: readonly string[], ref: string): Reason {
  const where = zones.length === 1 ? 'the time zone' : `all ${zones.length} time zones`;
  if (anyCommon) {
    const text = `The hours for sending that hold in ${where} the person may be in are shorter than an hour.`;
    return { code: 'common-window-too-short', text, ref };
  }
  const text = `Within 14 days no instant lies in the hours for sending of ${where} the person may be in.`;
  return { code: 'no-common-window', text, ref };
}

/** Names the first zone and rule whose hours do not hold now; without one, what is left now is shorter than an hour. */
function outside(question: SendQuestion, rules: readonly WindowRule[]): Reason {
  const { at, zones, ruleSet } = question;
  const now = { from: at, to: at + 1 };
  for (const zone of zones) {
    const rule = rules.find((candidate) => openIntervals(zone, candidate, now).length === 0);
    if (rule === undefined) continue;
    const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
    const wallTime = local.toPlainTime().toString({ smallestUnit: 'minute' });
    const date = local.toPlainDate().toString();
    return {
      code: 'outside-send-window',
      text: `It is ${wallTime} on ${date} in ${zone}, where the person may be; that is outside the hours for sending.`,
      ref: `${ruleSetReference(ruleSet)}#${rule.id}`,
    };
  }
  const text = 'The hours for sending that all time zones have in common now are shorter than an hour.';
  return { code: 'common-window-too-short', text, ref: ruleSetReference(ruleSet) };
}
