import {
  evaluate,
  localInstant,
  type Location,
  locateRecipient,
  type MessageContent,
  type RecipientEvidence,
  type RuleSet,
  type SendCategory,
  type SendQuestion,
  type SendVerdict,
} from '@assent/send-rules';
import { rulesOf } from './rule-set-source.ts';

const DAY_MS = 86_400_000;
const HALF_HOUR_MS = 1_800_000;
const MINUTE_MS = 60_000;
const DAYS = 7;
const SLOTS = 48;
/** Stretches looked for in a week; rules of hours have few a day. */
const STRETCHES_MAX = 500;

/** What is asked on the command line. */
export interface AskedSend {
  readonly recipient: RecipientEvidence;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly purposeId: string;
  readonly category: SendCategory;
  readonly ruleSet: RuleSet;
}

/** Half an hour of a chart: all of it is allowed, a part of it, nothing. */
export type Slot = 'allowed' | 'partly' | 'closed';

export interface ChartDay {
  /** `YYYY-MM-DD`, local. */
  readonly date: string;
  /** 48 half hours from midnight on. */
  readonly slots: readonly Slot[];
  /** The holiday because of which hours are other ones, with where it is one. */
  readonly holiday?: string;
}

export interface ExplainedSend {
  readonly asked: AskedSend;
  readonly location: Location;
  readonly verdict: SendVerdict;
  /** The zone whose hours the chart shows; absent when no zone is known. */
  readonly chartZone?: string;
  /** Local date and time there from which a held message is allowed. */
  readonly opensAt?: string;
  readonly week: readonly ChartDay[];
}

/**
 * Pure: everything the rules say about a message at an instant, and about the week from that day on. It takes for
 * granted what is not asked about: nothing was sent before, the consent was given that day, and the message says what
 * it has to say.
 */
export function explainSend(asked: AskedSend): ExplainedSend {
  const location = locateRecipient(asked.recipient);
  const [chartZone] = location.zones;
  const question = questionOf(asked, location);
  const verdict = evaluate(question);
  return {
    asked,
    location,
    verdict,
    ...(chartZone !== undefined && verdict.verdict === 'hold'
      ? { opensAt: localTextAt(verdict.until, chartZone) }
      : {}),
    ...(chartZone === undefined ? {} : { chartZone }),
    week: chartZone === undefined ? [] : weekOf(question, chartZone),
  };
}

function questionOf({ recipient, at, purposeId, category, ruleSet }: AskedSend, location: Location): SendQuestion {
  return {
    at,
    recipient,
    senderId: '0',
    purposeId,
    class: 'message',
    category,
    attempts: [],
    consent: { basis: 'express', grantedAt: at, lastUsedAt: at, lastActAt: at },
    content: fittingContent(category, ruleSet, location),
    ruleSet,
    holidays: [],
    blackouts: [],
  };
}

/** A message that names its sender, begins with the label that is asked for, and says how to end it. */
function fittingContent(category: SendCategory, ruleSet: RuleSet, { jurisdictions }: Location): MessageContent {
  const countries = new Set(jurisdictions.map((jurisdiction) => jurisdiction.slice(0, 2)));
  const labels = [...rulesOf(ruleSet).values()].flatMap(({ rule }) =>
    rule.kind === 'content' && rule.label !== undefined && countries.has(rule.jurisdiction.slice(0, 2))
      ? [rule.label]
      : [],
  );
  return {
    templateCategory: category,
    purposeCategory: category,
    language: 'en',
    body: `${labels[0] ?? ''} Acme: news. Reply STOP to end.`.trim(),
    buttons: [{ text: 'Stop', optsOut: true }],
    senderName: 'Acme',
  };
}

function weekOf(question: SendQuestion, zone: string): ChartDay[] {
  const first = localDateAt(question.at, zone);
  const dates = Array.from({ length: DAYS + 1 }, (_, day) => isoDate(Date.parse(first) + day * DAY_MS));
  const from = midnight(dates[0] ?? first, zone);
  const to = midnight(dates[DAYS] ?? first, zone);
  const stretches = allowedStretches(question, from, to);
  return dates.slice(0, DAYS).map((date) => {
    const holiday = holidayOf({ ...question, at: instantOf(date, '12:00', zone) });
    const slots = Array.from({ length: SLOTS }, (_, slot) => slotOf(stretches, instantOf(date, timeOf(slot), zone)));
    return { date, slots, ...(holiday === undefined ? {} : { holiday }) };
  });
}

type Stretch = readonly [from: number, to: number];

function allowedStretches(question: SendQuestion, from: number, to: number): Stretch[] {
  const stretches: Stretch[] = [];
  let at = from;
  for (let found = 0; found < STRETCHES_MAX && at < to; found += 1) {
    const verdict = evaluate({ ...question, at });
    if (verdict.verdict === 'review' || verdict.verdict === 'refuse') break;
    if (verdict.verdict === 'allow') stretches.push([at, verdict.until]);
    at = verdict.until;
  }
  return stretches;
}

function slotOf(stretches: readonly Stretch[], start: number): Slot {
  const end = start + HALF_HOUR_MS;
  const allowedMs = stretches.reduce(
    (sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, start)),
    0,
  );
  if (allowedMs === 0) return 'closed';
  return allowedMs === HALF_HOUR_MS ? 'allowed' : 'partly';
}

function holidayOf(question: SendQuestion): string | undefined {
  for (const { code, params } of evaluate(question).reasons) {
    if (code === 'outside-on-holiday') return `${String(params['holiday'])} (${String(params['place'])})`;
    if (code === 'outside-calendar-unknown') return `no calendar (${String(params['place'])})`;
  }
  return undefined;
}

/** The local date at an instant. Where a day is left out, the one before it. */
function localDateAt(at: number, zone: string): string {
  for (const ahead of [1, 0]) {
    const date = isoDate(at + ahead * DAY_MS);
    if (midnight(date, zone) <= at) return date;
  }
  return isoDate(at - DAY_MS);
}

/** `YYYY-MM-DD HH:MM`. On a day whose clock is set, the reading that leads back to the instant. */
function localTextAt(at: number, zone: string): string {
  const date = localDateAt(at, zone);
  const minutes = Math.floor((at - midnight(date, zone)) / MINUTE_MS);
  const times = [0, 60, -60, 30, -30].map((shift) => clockTime(minutes + shift));
  const whole = at - (at % MINUTE_MS);
  return `${date} ${times.find((time) => time !== undefined && instantOf(date, time, zone) === whole) ?? times[0] ?? ''}`;
}

function clockTime(minutes: number): string | undefined {
  if (minutes < 0 || minutes >= 1_440) return undefined;
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function midnight(date: string, zone: string): number {
  return instantOf(date, '00:00', zone);
}

function instantOf(date: string, time: string, zone: string): number {
  return localInstant({ date, time, zones: [zone] }) ?? Number.NaN;
}

function timeOf(slot: number): string {
  return clockTime(slot * 30) ?? '';
}

function isoDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
