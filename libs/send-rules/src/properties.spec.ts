import { readdirSync, readFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import fc from 'fast-check';

import { dateOf, epochDayOf } from './calendar.ts';
import { evaluate, nextAllowed } from './evaluate.ts';
import { holidayOn } from './holidays.ts';
import { locateRecipient } from './locate-recipient.ts';
import { DEFAULT_RULE_SET, DEMO_RULE_SET } from './rule-sets.ts';
import { type LocalWindow, type Rule, type RuleSet, WEEKDAYS, type WindowsRule } from './rule.ts';
import { placesOf, rulesInForce, rulesThatHold } from './rules-in-force.ts';
import type { RecipientEvidence, SendQuestion } from './send-question.ts';
import { at, attempt, cap, contentRule, everyDay, hours, life, sendQuestion } from './send-question.fixture.ts';
import { SHIPPED_RULES, SHIPPED_RULES_LATEST } from './shipped-rules.ts';

/** Real numbers' shapes and real places: one zone and many, with states and without, with rules and without. */
const RECIPIENTS: readonly RecipientEvidence[] = [
  { phone: '+12125550123' },
  { phone: '+13055550123' },
  { phone: '+12085550123' },
  { phone: '+19075550123' },
  { phone: '+447700900123' },
  { phone: '+33612345678' },
  { phone: '+61491570156' },
  { phone: '+393512345678' },
  { phone: '+821012345678' },
  { phone: '+971501234567' },
  { phone: '+6281234567890' },
  { phone: '+5511987654321' },
  { bsuidCountry: 'BR' },
  { bsuidCountry: 'CL' },
  { declaredZone: 'Australia/Lord_Howe', declaredRegion: 'AU' },
  { declaredZone: 'Asia/Kathmandu', declaredRegion: 'NP' },
  { declaredZone: 'Africa/Cairo', declaredRegion: 'EG' },
  { declaredZone: 'Asia/Beirut', declaredRegion: 'LB' },
];
const shadow = (SHIPPED_RULES[SHIPPED_RULES_LATEST] ?? [])
  .flatMap(({ rules }) => rules)
  .filter(({ status }) => status === 'shadow')
  .map(({ id }) => ({ ruleId: id, by: 'counsel', on: '2026-11-24', reason: 'read' }));
const RULE_SETS: readonly RuleSet[] = [
  DEFAULT_RULE_SET,
  { ...DEFAULT_RULE_SET, id: 'signed', signedOff: shadow },
  DEMO_RULE_SET,
];

const FROM = at('2026-01-02T00:00:00Z');
const UNTIL = at('2027-12-01T00:00:00Z');
/** Many a mistake shows on the hour, and by a millisecond. */
const instants = fc.oneof(
  fc.integer({ min: FROM, max: UNTIL }),
  fc
    .tuple(fc.integer({ min: 0, max: Math.floor((UNTIL - FROM) / 1_800_000) }), fc.integer({ min: -1, max: 1 }))
    .map(([halfHours, ms]) => FROM + halfHours * 1_800_000 + ms),
);
const wallTime = (halfHours: number): string =>
  `${String(Math.floor(halfHours / 2)).padStart(2, '0')}:${halfHours % 2 === 0 ? '00' : '30'}`;
const windows = fc
  .uniqueArray(fc.integer({ min: 0, max: 48 }), { minLength: 2, maxLength: 4 })
  .map((found) => [...found].sort((a, b) => a - b).map(wallTime))
  .map((times) =>
    times.flatMap((time, index): LocalWindow[] => (index % 2 === 1 ? [[times[index - 1] ?? '', time]] : [])),
  );
const questions = fc
  .record({
    instant: instants,
    recipient: fc.constantFrom(...RECIPIENTS),
    ruleSet: fc.constantFrom(...RULE_SETS),
    category: fc.constantFrom('marketing', 'utility'),
    ages: fc.array(fc.integer({ min: 1, max: 40 * 24 }), { maxLength: 5 }),
    quiet: fc.option(fc.tuple(fc.integer({ min: 0, max: 47 }), fc.integer({ min: 0, max: 47 })), { freq: 3 }),
    blackout: fc.option(fc.tuple(fc.integer({ min: -48, max: 48 }), fc.integer({ min: 1, max: 96 })), { freq: 4 }),
  })
  .map(({ instant, recipient, ruleSet, category, ages, quiet, blackout }) => {
    const content = sendQuestion().content!;
    return sendQuestion({
      at: instant,
      recipient,
      ruleSet,
      category: category,
      content: { ...content, body: `(광고) ${content.body}`, templateCategory: category },
      attempts: ages.map((age) => attempt(instant - age * 3_600_000)),
      ...(quiet === null ? {} : { wishes: { quietHours: [wallTime(quiet[0]), wallTime(quiet[1])] as const } }),
      blackouts:
        blackout === null
          ? []
          : [
              {
                id: 'b',
                jurisdictions: ['*'],
                from: instant + blackout[0] * 3_600_000,
                until: instant + (blackout[0] + blackout[1]) * 3_600_000,
                reason: 'storm',
              },
            ],
    });
  });
const isAllowed = (question: SendQuestion, instant = question.at): boolean =>
  evaluate({ ...question, at: instant }).verdict === 'allow';
const samples = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + Math.floor(((to - from) * index) / count));
const check = (runs: number, predicate: (question: SendQuestion, extra: number) => void): void => {
  fc.assert(fc.property(questions, fc.nat(), predicate), { numRuns: runs });
};

describe('for real places, real rules and any instant', () => {
  it('nothing is allowed outside the hours of any rule in any candidate zone and place', () => {
    check(120, (question) => {
      const verdict = evaluate(question);
      if (verdict.verdict !== 'allow') return;
      for (const instant of [question.at, ...samples(question.at, verdict.until, 3), verdict.until - 1]) {
        expect(closedBy(question, instant)).toEqual([]);
      }
    });
  });

  it('the next allowed instant is allowed, and nothing earlier is', () => {
    check(120, (question, seed) => {
      const next = nextAllowed(question);
      if (next === undefined) return;
      expect(next).toBeGreaterThanOrEqual(question.at);
      expect(isAllowed(question, next)).toBe(true);
      const near = [1, 60_000, 3_599_999, 3_600_000].map((before) => next - before);
      const earlier = [...near, ...samples(question.at + (seed % 1_800_000), next, 6)];
      for (const instant of earlier.filter((one) => one >= question.at && one < next)) {
        // Attempts stay where they were: only the instant of the question moves.
        expect([instant, isAllowed(question, instant)]).toEqual([instant, false]);
      }
    });
  });

  it('what is allowed stays allowed until the instant that was told', () => {
    check(60, (question) => {
      const verdict = evaluate(question);
      if (verdict.verdict !== 'allow') return;
      for (const instant of [...samples(question.at, verdict.until, 4), verdict.until - 1]) {
        expect(isAllowed(question, instant)).toBe(true);
      }
    });
  });

  it('what is allowed to somebody who may be in several places is allowed in each; so knowing more never allows what each forbids', () => {
    const wide = RECIPIENTS.map((recipient) => ({ recipient, location: locateRecipient(recipient) })).filter(
      ({ location }) => location.zones.length > 1,
    );
    fc.assert(
      fc.property(questions, fc.constantFrom(...wide), fc.nat(), (question, { recipient, location }, pick) => {
        const asked = { ...question, recipient };
        const next = nextAllowed(asked);
        if (next === undefined) return;
        const declaredZone = location.zones[pick % location.zones.length]!;
        const declaredRegion = location.jurisdictions[pick % location.jurisdictions.length]!;
        expect(isAllowed({ ...asked, recipient: { declaredZone, declaredRegion } }, next)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('adding a rule never allows more', () => {
    const weekdays = fc
      .tuple(...WEEKDAYS.map(() => windows))
      .map((days): WindowsRule['weekdays'] =>
        Object.fromEntries(WEEKDAYS.map((weekday, index) => [weekday, days[index] ?? []])),
      );
    const added: fc.Arbitrary<Rule> = fc
      .record({
        status: fc.constantFrom('active', 'shadow'),
        weekdays,
        windows,
        holidays: fc.constantFrom('as-weekday', 'as-sunday', 'closed'),
        attemptsMax: fc.integer({ min: 1, max: 3 }),
        pick: fc.nat({ max: 5 }),
      })
      .map(({ status, pick, attemptsMax, holidays, ...random }): Rule => {
        const frame = { id: 'added', status: status as 'active' };
        const holidayPolicy = holidays as 'closed';
        const every = [
          hours(random.weekdays, { ...frame, holidays: holidayPolicy }),
          everyDay(random.windows, { ...frame, holidayEves: random.windows }),
          everyDay([['00:00', '24:00']], { ...frame, openedBy: 'night' }),
          cap({ ...frame, attemptsMax }),
          life({ ...frame, monthsMax: attemptsMax }),
          contentRule(frame),
        ];
        return every[pick]!;
      });
    fc.assert(
      fc.property(questions, added, fc.nat(), (question, template, where) => {
        const { jurisdictions } = locateRecipient(question.recipient);
        const places = ['*', 'default', ...jurisdictions, ...jurisdictions.map((one) => one.slice(0, 2))];
        const rule = { ...template, jurisdiction: places[where % places.length]! };
        const more = { ...question, ruleSet: { ...question.ruleSet, rules: [...question.ruleSet.rules, rule] } };
        const before = evaluate(question);
        const after = evaluate(more);
        if (after.verdict === 'allow') {
          expect(before.verdict).toBe('allow');
          expect(before).toMatchObject({ until: expect.any(Number) as number });
        }
        if (after.verdict === 'hold') expect(nextAllowed(question) ?? Infinity).toBeLessThanOrEqual(after.until);
      }),
      { numRuns: 150 },
    );
  });

  it.each(['Pacific/Apia', 'America/St_Johns', 'Asia/Tehran'])(
    'answers do not depend on the process running in %s',
    (zone) => {
      const asked = fc.sample(questions, { numRuns: 25, seed: 11 });
      const inUtc = asked.map(evaluate);
      expect(inProcessZone(zone, () => asked.map((question) => evaluate({ ...question })))).toEqual(inUtc);
    },
  );
});

describe('the source of the library', () => {
  it('asks nothing of the process’s locale, clock or randomness', () => {
    const folder = new URL('./', import.meta.url);
    const sources = readdirSync(folder).filter((name) => /^[a-z-]+\.ts$/.test(name));
    expect(sources.length).toBeGreaterThan(15);
    const asking = sources.filter((name) =>
      /\bIntl\.|toLocale|localeCompare|Date\.now|new Date\(\)|Math\.random|\bprocess\.|getTimezoneOffset|getHours\(/.test(
        readFileSync(new URL(name, folder), 'utf8'),
      ),
    );
    expect(asking).toEqual([]);
  });
});

/** The second opinion: wall time as Intl tells it, windows as strings; names what is closed at an instant. */
function closedBy(question: SendQuestion, instant: number): string[] {
  const rules = rulesInForce(question.ruleSet);
  const { zones, jurisdictions } = locateRecipient(question.recipient);
  return zones.flatMap((zone) => {
    const { date, time } = wallClock(zone, instant);
    const day = epochDayOf(date)!;
    return placesOf(jurisdictions, rules).flatMap((place) =>
      rulesThatHold(rules, 'windows', place, question, day)
        .filter((rule) => !windowsOf(rule, place.name, day).some(([from, to]) => from <= time && time < to))
        .map((rule) => `${rule.id} in ${zone}, ${place.name} on ${date} at ${time}`),
    );
  });
}

function windowsOf(rule: WindowsRule, place: string, day: number): readonly LocalWindow[] {
  const isHoliday = (one: number): boolean => holidayOn(place, one, []) !== 'none';
  if (rule.holidays !== 'as-weekday' && isHoliday(day)) {
    if (rule.holidays === 'closed') return [];
    return rule.holidays === 'as-sunday' ? (rule.weekdays.sunday ?? []) : rule.holidays;
  }
  if (rule.holidayEves !== undefined && isHoliday(day + 1)) return rule.holidayEves;
  const weekday = WEEKDAYS[(new Date(`${dateOf(day)}T00:00:00Z`).getUTCDay() + 6) % 7]!;
  return rule.weekdays[weekday] ?? [];
}

const formats = new Map<string, Intl.DateTimeFormat>();
function wallClock(timeZone: string, instant: number): { date: string; time: string } {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' });
  formats.set(timeZone, format);
  const [date = '', time = ''] = format.format(instant).split(' ');
  return { date, time };
}

/** jest gives tests a copy of process.env; the time zone is read from the real one. */
function inProcessZone<T>(zone: string, run: () => T): T {
  const setZone = (value: string): void => {
    runInThisContext(`process.env.TZ = ${JSON.stringify(value)}`);
  };
  const before = Intl.DateTimeFormat().resolvedOptions().timeZone;
  setZone(zone);
  try {
    expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(zone);
    return run();
  } finally {
    setZone(before);
  }
}
