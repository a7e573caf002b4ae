import type { CapVector, ConsentVector } from './cap-and-consent-vectors.fixture.ts';
import { WEEKDAYS, type LocalWindow, type Rule, type RuleSet } from './rule.ts';
import type { Attempt, MessageContent, RecipientEvidence, SendQuestion, SendVerdict } from './send-question.ts';
import type { SendWindowVector } from './send-window-vectors.fixture.ts';

export type Ask = (question: SendQuestion) => SendVerdict;
/** The rule set of a vector: shipped rules, with what it signs off. One object per sign-off, so that caches can hold it. */
export type RuleSetOf = (signedOff: readonly string[]) => RuleSet;

const DAY_NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const DAY_MS = 86_400_000;
const HALF_HOUR_MS = 1_800_000;

/** Fits every content rule, Korea's label among them. */
const FITTING_CONTENT: MessageContent = {
  templateCategory: 'marketing',
  purposeCategory: 'marketing',
  language: 'en',
  body: '(광고) Acme has new shoes.',
  footer: 'Write STOP to end this.',
  buttons: [],
  senderName: 'Acme',
};

/** Rule sets on a base, kept per sign-off. */
export function ruleSetsOn(base: string): RuleSetOf {
  const kept = new Map<string, RuleSet>();
  return (signedOff) => {
    const key = signedOff.join(' ');
    const ruleSet: RuleSet = kept.get(key) ?? {
      id: 'vectors',
      version: 1,
      effectiveFrom: '2020-01-01T00:00:00.000Z',
      base,
      signedOff: signedOff.map((ruleId) => ({ ruleId, by: 'counsel', on: '2026-11-24', reason: 'a vector' })),
      rules: [],
      exempt: [],
    };
    kept.set(key, ruleSet);
    return ruleSet;
  };
}

/**
 * What a vector expects and the engine does not answer, in words, one after the other; nothing when all is well. Of the
 * week only one day (0 is Monday), when nothing else can differ.
 */
export function* windowFailures(
  vector: SendWindowVector,
  ask: Ask,
  ruleSetOf: RuleSetOf,
  day?: number,
): Generator<string> {
  const holidays = (vector.calendar ?? []).map((date) => ({
    jurisdiction: vector.country,
    date,
    holiday: true,
    name: 'entered by an operator',
  }));
  const question = { ...questionOf(vector, ruleSetOf), holidays };
  if (vector.week !== undefined) {
    const days = day === undefined ? { from: 0, to: 7 * DAY_MS } : { from: day * DAY_MS, to: (day + 1) * DAY_MS };
    const open = openHours(Date.parse(vector.week.monday), days, question, ask);
    const expected = hoursOfWeek(vector.week.open, days);
    if (open !== expected) yield `${vector.place}, week of ${vector.week.monday}: open ${open}, expected ${expected}`;
  }
  for (const [at, expected, about] of vector.expect) {
    yield* difference(`${vector.place}, ${at} (${about})`, expected, ask({ ...question, at: Date.parse(at) }));
  }
}

export function capFailures(vector: CapVector, ask: Ask, ruleSetOf: RuleSetOf): Iterable<string> {
  const attempts = vector.attempts.map(([at, purposeId], index): Attempt => ({
    attemptId: `attempt-${index}`,
    at: Date.parse(at),
    class: 'message',
    category: 'marketing',
    purposeId: purposeId ?? 'offers',
    senderId: '100000000000001',
    outcome: 'sent',
  }));
  const question = { ...questionOf(vector, ruleSetOf), attempts, at: Date.parse(vector.at) };
  return difference(`${vector.rests}, ${vector.at}`, vector.expect, ask(question));
}

export function consentFailures(vector: ConsentVector, ask: Ask, ruleSetOf: RuleSetOf): Iterable<string> {
  const { basis, grantedAt, lastUsedAt, lastActAt, night, slot } = vector;
  const consent = {
    basis,
    grantedAt: Date.parse(grantedAt),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: Date.parse(lastUsedAt) }),
    ...(lastActAt === undefined ? {} : { lastActAt: Date.parse(lastActAt) }),
    ...(night === undefined ? {} : { night }),
    ...(slot === undefined ? {} : { slots: [{ from: Date.parse(slot[0]), to: Date.parse(slot[1]) }] }),
  };
  const question = { ...questionOf(vector, ruleSetOf), consent, at: Date.parse(vector.at) };
  return difference(`${vector.rests}, ${vector.at}`, vector.expect, ask(question));
}

/** The figures of a rule in one line, as in SHIPPED_RULE_LINES. */
export function lineOf(rule: Rule): string {
  const from = rule.appliesFrom === undefined ? '' : `; from ${rule.appliesFrom}`;
  const until = rule.appliesUntil === undefined ? '' : `; until ${rule.appliesUntil}`;
  return `${rule.id} | ${rule.status} | ${figuresOf(rule)}${from}${until}`;
}

function figuresOf(rule: Rule): string {
  switch (rule.kind) {
    case 'windows': {
      const holidays = typeof rule.holidays === 'string' ? rule.holidays : hoursInWords(rule.holidays);
      const eves = rule.holidayEves === undefined ? '' : `; eves ${hoursInWords(rule.holidayEves)}`;
      const opened = rule.openedBy === undefined ? '' : `; opened by ${rule.openedBy}`;
      const days = WEEKDAYS.map((weekday) => hoursInWords(rule.weekdays[weekday] ?? []));
      const clock = rule.zone === undefined ? '' : `; by the clock of ${rule.zone}`;
      return `${weekInWords(days)}${clock}; holidays ${holidays}${eves}${opened}`;
    }
    case 'cap': {
      const per = rule.per.length === 0 ? '' : ` per ${rule.per.join(' and ')}`;
      return `${rule.attemptsMax} in ${rule.windowHours} h${per}`;
    }
    case 'consent-life':
      return `${rule.basis} ends ${rule.monthsMax} months after ${rule.countsFrom}`;
    case 'content':
      return rule.label === undefined ? rule.requires : `${rule.requires} ${rule.label}`;
  }
}

function hoursInWords(windows: readonly LocalWindow[]): string {
  const short = (time: string): string => time.replace(/^0(?=\d)/, '').replace(/:00$/, '');
  return windows.map(([from, to]) => `${short(from)}-${short(to)}`).join('+');
}

/** `Mon-Fri 8-20, Sat 9-13`: neighbouring days with the same hours are one part, closed days none. */
function weekInWords(days: readonly string[]): string {
  const parts: { first: number; last: number; hours: string }[] = [];
  days.forEach((hours, day) => {
    const last = parts.at(-1);
    if (last?.last === day - 1 && last.hours === hours) last.last = day;
    else if (hours !== '') parts.push({ first: day, last: day, hours });
  });
  return parts
    .map(({ first, last, hours }) => {
      const names = first === last ? DAY_NAMES[first] : `${DAY_NAMES[first]}-${DAY_NAMES[last]}`;
      return `${names} ${hours}`;
    })
    .join(', ');
}

function questionOf(
  vector: RecipientEvidence & { readonly phone: string; readonly signedOff?: readonly string[] },
  ruleSetOf: RuleSetOf,
): Omit<SendQuestion, 'at'> {
  return {
    recipient: {
      phone: vector.phone,
      ...(vector.declaredZone === undefined ? {} : { declaredZone: vector.declaredZone }),
      ...(vector.declaredRegion === undefined ? {} : { declaredRegion: vector.declaredRegion }),
    },
    senderId: '100000000000001',
    purposeId: 'offers',
    class: 'message',
    category: 'marketing',
    attempts: [],
    consent: { basis: 'express', grantedAt: Date.parse('2026-01-15T12:00Z') },
    content: FITTING_CONTENT,
    ruleSet: ruleSetOf(vector.signedOff ?? []),
    holidays: [],
    blackouts: [],
  };
}

function difference(what: string, expected: string, verdict: SendVerdict): string[] {
  const until = /^hold until (.+)$/.exec(expected)?.[1];
  const same =
    until === undefined
      ? verdict.verdict === expected
      : verdict.verdict === 'hold' && verdict.until === Date.parse(until);
  if (same) return [];
  const found = verdict.verdict === 'hold' ? `hold until ${new Date(verdict.until).toISOString()}` : verdict.verdict;
  const why = verdict.reasons.map(({ code }) => code).join(', ');
  return [`${what}: expected ${expected}, answered ${found} (${why})`];
}

interface Span {
  /** Milliseconds since the week began. */
  readonly from: number;
  readonly to: number;
}

/** The open hours of some days of a week as half hours from its first instant on: `20-42` is 10:00 to 21:00 of Monday. */
function openHours(monday: number, days: Span, question: Omit<SendQuestion, 'at'>, ask: Ask): string {
  const open: Span[] = [];
  let at = days.from;
  while (at < days.to) {
    const verdict = ask({ ...question, at: monday + at });
    if (verdict.verdict === 'review' || verdict.verdict === 'refuse') return verdict.verdict;
    const until = Math.min(verdict.until - monday, days.to);
    if (verdict.verdict === 'allow') open.push({ from: at, to: until });
    at = until;
  }
  return inHalfHours(open);
}

function hoursOfWeek(text: string, days: Span): string {
  const open = text.split('; ').flatMap((part): Span[] => {
    const [names = '', ...hours] = part.split(' ');
    const [first = '', last = first] = names.split('-');
    const named = DAY_NAMES.slice(DAY_NAMES.indexOf(first), DAY_NAMES.indexOf(last) + 1);
    return named.flatMap((name) =>
      hours.map((window) => {
        const [from = '', to = ''] = window.replace(',', '').split('-');
        const start = DAY_NAMES.indexOf(name) * DAY_MS;
        return { from: start + sinceMidnight(from), to: start + sinceMidnight(to) };
      }),
    );
  });
  return inHalfHours(open.filter(({ from }) => from >= days.from && from < days.to));
}

function sinceMidnight(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * 60_000;
}

function inHalfHours(spans: readonly Span[]): string {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last?.to === from) last.to = to;
    else joined.push({ from, to });
  }
  return joined.map(({ from, to }) => `${from / HALF_HOUR_MS}-${to / HALF_HOUR_MS}`).join(' ');
}
