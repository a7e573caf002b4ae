import { runInThisContext } from 'node:vm';

import * as fc from 'fast-check';

import { COMMON_WINDOW_MIN_MS, evaluate, nextAllowed, SEARCH_HORIZON_MS, type SendQuestion } from './evaluate.ts';
import { localInstant } from './local-instant.ts';
import { DEFAULT_RULE_SET, DEMO_RULE_SET, WEEKDAYS, type RuleSet, type WindowRule } from './rule-set.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (iso: string) => Date.parse(iso);
const question = (changes: Partial<SendQuestion>): SendQuestion => ({
  at: at('2026-11-24T15:00:00Z'),
  zones: ['America/New_York'],
  ruleSet: DEFAULT_RULE_SET,
  class: 'message',
  category: 'marketing',
  ...changes,
});
const rulesOf = (...windows: WindowRule[]): RuleSet => ({ ...DEFAULT_RULE_SET, windows });
const everyDay = (...windows: [string, string][]): WindowRule => ({
  id: 'every-day',
  weekdays: Object.fromEntries(WEEKDAYS.map((weekday) => [weekday, windows])),
});

describe('a message in one time zone', () => {
  it('may leave inside the window, until the window closes', () => {
    expect(evaluate(question({}))).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-24T22:00:00Z'),
      reasons: [{ code: 'inside-send-window', ref: 'default@1' }],
    });
  });

  it('may leave at the first instant of the window and not at its end', () => {
    expect(evaluate(question({ at: at('2026-11-24T14:59:59.999Z') })).verdict).toBe('hold');
    expect(evaluate(question({ at: at('2026-11-24T15:00:00.000Z') })).verdict).toBe('allow');
    expect(evaluate(question({ at: at('2026-11-24T21:59:59.999Z') })).verdict).toBe('allow');
    expect(evaluate(question({ at: at('2026-11-24T22:00:00.000Z') })).verdict).toBe('hold');
  });

  it('waits over the weekend', () => {
    expect(evaluate(question({ at: at('2026-11-28T15:00:00Z') }))).toEqual({
      verdict: 'hold',
      until: at('2026-11-30T15:00:00Z'),
      reasons: [
        {
          code: 'outside-send-window',
          text: 'It is 10:00 on 2026-11-28 in America/New_York, where the person may be; that is outside the hours for sending.',
          ref: 'default@1#workdays-10-to-17',
        },
      ],
    });
  });

  it.each(['2026-11-29T03:00:00Z', '2026-11-29T12:00:00Z', '2026-12-01T05:00:00Z'])(
    'may leave under the demo rules at %s to a person who declared a zone where it is between 10 and 18',
    (iso) => {
      const hour = new Date(iso).getUTCHours();
      const zone = `Etc/GMT${hour >= 12 ? '+' : '-'}${Math.abs(hour - 12)}`;
      expect(evaluate(question({ at: at(iso), zones: [zone], ruleSet: DEMO_RULE_SET })).verdict).toBe('allow');
    },
  );
});

describe('a message to a person who may be in several zones', () => {
  it('waits until every zone allows it, and only as long as every zone does', () => {
    const zones = ['America/New_York', 'America/Los_Angeles'];
    expect(evaluate(question({ zones, at: at('2026-11-24T15:00:00Z') }))).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-24T18:00:00Z'),
    });
    expect(evaluate(question({ zones, at: at('2026-11-24T18:00:00Z') }))).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-24T22:00:00Z'),
    });
  });

  it('goes to a person when the zones have no common window', () => {
    expect(evaluate(question({ zones: ['America/New_York', 'Asia/Tokyo'] }))).toMatchObject({
      verdict: 'review',
      reasons: [{ code: 'no-common-window' }],
    });
  });

  it('goes to a person when the common window is shorter than an hour', () => {
    const zones = ['Asia/Kolkata', 'Asia/Kathmandu'];
    const short = rulesOf(everyDay(['10:00', '11:14']));
    expect(evaluate(question({ zones, ruleSet: short }))).toMatchObject({
      verdict: 'review',
      reasons: [{ code: 'common-window-too-short' }],
    });
    expect(evaluate(question({ zones, ruleSet: rulesOf(everyDay(['10:00', '11:15'])) })).verdict).toBe('hold');
  });

  it('is held for the next usable window while it is inside one that is too short', () => {
    const ruleSet = rulesOf(everyDay(['08:00', '08:30'], ['12:00', '14:00']));
    const verdict = evaluate(question({ zones: ['UTC'], ruleSet, at: at('2026-11-24T08:10:00Z') }));
    expect(verdict).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-24T12:00:00Z'),
      reasons: [{ code: 'common-window-too-short' }],
    });
  });
});

describe('a question that cannot be answered', () => {
  it.each([
    ['no zone is known', question({ zones: [] }), 'zone-unknown'],
    ['the runtime does not know a zone', question({ zones: ['UTC', 'Mars/Olympus'] }), 'zone-not-supported'],
    [
      'no rule matches',
      question({ ruleSet: rulesOf({ ...everyDay(['08:00', '20:00']), categories: ['utility'] }) }),
      'no-window-rule',
    ],
    ['no day is ever allowed', question({ ruleSet: rulesOf(everyDay()) }), 'no-common-window'],
  ])('is for review when %s', (_, asked, code) => {
    expect(evaluate(asked)).toMatchObject({ verdict: 'review', reasons: [{ code }] });
    expect(nextAllowed(asked)).toBeUndefined();
  });

  it.each([Number.NaN, 1.5, -1, Number.MAX_SAFE_INTEGER])('is a thrown error for the instant %p', (instant) => {
    expect(() => evaluate(question({ at: instant }))).toThrow(
      expect.objectContaining({ code: 'invalid-instant' }) as Error,
    );
  });
});

describe('what answers the person', () => {
  const night = { at: at('2026-11-28T07:00:00Z'), zones: [] };

  it('may leave at any hour when it is the receipt of a withdrawal', () => {
    expect(evaluate(question({ ...night, class: 'withdrawal-receipt', category: 'utility' }))).toMatchObject({
      verdict: 'allow',
      reasons: [{ code: 'exempt-from-send-windows' }],
    });
  });

  it('may leave at any hour when it is an opt-in ask that the person started, and only then', () => {
    const ask = { ...night, class: 'opt-in-ask', category: 'utility' } as const;
    expect(evaluate(question({ ...ask, selfStarted: true })).verdict).toBe('allow');
    expect(evaluate(question({ ...ask, selfStarted: false })).verdict).toBe('review');
    expect(evaluate(question(ask)).verdict).toBe('review');
  });

  it('is bound to the hours like everything else when the rule set exempts nothing', () => {
    const ruleSet = { ...DEFAULT_RULE_SET, exempt: [] };
    expect(evaluate(question({ ...night, zones: ['UTC'], class: 'withdrawal-receipt', ruleSet })).verdict).toBe('hold');
  });

  it('does not free a message that says it was self-started', () => {
    expect(evaluate(question({ ...night, zones: ['UTC'], selfStarted: true })).verdict).toBe('hold');
  });
});

describe('several rules for one message', () => {
  it('all have to allow it', () => {
    const ruleSet = rulesOf(
      { ...everyDay(['08:00', '20:00']), id: 'wide' },
      { ...everyDay(['12:00', '22:00']), id: 'marketing', categories: ['marketing'] },
      { ...everyDay(['01:00', '03:00']), id: 'asks', classes: ['opt-in-ask'] },
    );
    const zones = ['UTC'];
    const morning = at('2026-11-24T09:00:00Z');
    expect(evaluate(question({ zones, ruleSet, at: morning }))).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-24T12:00:00Z'),
      reasons: [{ ref: 'default@1#marketing' }],
    });
    expect(evaluate(question({ zones, ruleSet, at: morning, category: 'utility' }))).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-24T20:00:00Z'),
    });
  });
});

describe('a change of the local clock', () => {
  const openAt = (zone: string, window: [string, string], iso: string) =>
    evaluate(question({ zones: [zone], ruleSet: rulesOf(everyDay(window)), at: at(iso) })).verdict;

  it('opens a window in a gap at its later reading', () => {
    expect(openAt('America/New_York', ['02:30', '09:00'], '2026-03-08T07:15:00Z')).toBe('hold'); // 03:15 EDT
    expect(openAt('America/New_York', ['02:30', '09:00'], '2026-03-08T07:30:00Z')).toBe('allow'); // 03:30 EDT
  });

  it('closes a window in a gap at its earlier reading', () => {
    expect(openAt('America/New_York', ['00:00', '02:30'], '2026-03-08T06:29:00Z')).toBe('allow'); // 01:29 EST
    expect(openAt('America/New_York', ['00:00', '02:30'], '2026-03-08T06:30:00Z')).toBe('hold'); // 01:30 EST
  });

  it('opens a window in an overlap at the second reading and closes it at the first', () => {
    expect(openAt('America/New_York', ['01:30', '09:00'], '2026-11-01T05:45:00Z')).toBe('hold'); // 01:45 EDT
    expect(openAt('America/New_York', ['01:30', '09:00'], '2026-11-01T06:30:00Z')).toBe('allow'); // 01:30 EST
    expect(openAt('America/New_York', ['00:00', '01:30'], '2026-11-01T05:30:00Z')).toBe('hold'); // 01:30 EDT
  });

  it('ends the day before a midnight that does not exist', () => {
    // Cairo jumped from 00:00 to 01:00 on 2026-04-24, at 22:00 UTC.
    expect(openAt('Africa/Cairo', ['08:00', '24:00'], '2026-04-23T20:59:00Z')).toBe('allow');
    expect(openAt('Africa/Cairo', ['08:00', '24:00'], '2026-04-23T22:00:00Z')).toBe('hold');
  });

  it('leaves nothing of a day that did not exist', () => {
    const verdict = evaluate(
      question({
        zones: ['Pacific/Apia'],
        ruleSet: rulesOf(everyDay(['10:00', '17:00'])),
        at: at('2011-12-30T04:00:00Z'),
      }),
    ); // 18:00 on Thursday 2011-12-29; Friday 2011-12-30 was skipped
    expect(verdict).toMatchObject({ verdict: 'hold', until: at('2011-12-30T20:00:00Z') }); // 10:00 on Saturday
  });
});

describe('a local wish', () => {
  const wish = { date: '2026-11-25', time: '09:00' };

  it('is the instant of that wall time', () => {
    expect(localInstant({ ...wish, zones: ['America/New_York'] })).toBe(at('2026-11-25T14:00:00Z'));
  });

  it('is the latest of the candidate zones, so that it is nowhere too early', () => {
    expect(localInstant({ ...wish, zones: ['America/New_York', 'Asia/Tokyo', 'America/Los_Angeles'] })).toBe(
      at('2026-11-25T17:00:00Z'),
    );
  });

  it('takes the later reading in a gap and in an overlap', () => {
    const zones = ['America/New_York'];
    expect(localInstant({ date: '2026-03-08', time: '02:30', zones })).toBe(at('2026-03-08T07:30:00Z'));
    expect(localInstant({ date: '2026-11-01', time: '01:30', zones })).toBe(at('2026-11-01T06:30:00Z'));
  });

  it('is unknown without a zone', () => {
    expect(localInstant({ ...wish, zones: [] })).toBeUndefined();
  });

  it.each([
    ['2026-02-30', '09:00'],
    ['26-02-03', '09:00'],
    ['2026-11-25T00:00', '09:00'],
    ['2026-11-25', '24:00'],
    ['2026-11-25', '9:00'],
  ])('is refused for %s %s', (date, time) => {
    expect(() => localInstant({ date, time, zones: ['UTC'] })).toThrow(
      expect.objectContaining({ code: 'invalid-local-time' }) as Error,
    );
  });
});

// Zones with every kind of clock: half and quarter hours, a half-hour change, changes at midnight, far ends of the day.
const ZONES = [
  'America/New_York', 'America/Los_Angeles', 'America/St_Johns', 'America/Sao_Paulo', 'America/Santiago',
  'America/Havana', 'Europe/London', 'Europe/Kaliningrad', 'Africa/Cairo', 'Africa/Casablanca', 'Asia/Beirut',
  'Asia/Tehran', 'Asia/Kolkata', 'Asia/Kathmandu', 'Asia/Jakarta', 'Australia/Darwin', 'Australia/Lord_Howe',
  'Pacific/Chatham', 'Pacific/Apia', 'Pacific/Honolulu', 'Pacific/Kiritimati', 'Etc/UTC',
]; // prettier-ignore
const zonesArbitrary = fc.uniqueArray(fc.constantFrom(...ZONES), { minLength: 1, maxLength: 4 });
const instantArbitrary = fc.integer({ min: at('2025-01-01T00:00:00Z'), max: at('2028-01-01T00:00:00Z') });
const wallTime = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const windowsArbitrary = fc
  .uniqueArray(fc.integer({ min: 0, max: 48 }), { minLength: 2, maxLength: 4 })
  .map((halfHours) => halfHours.sort((a, b) => a - b).map((half) => wallTime(half * 30)))
  .map((times) =>
    times.flatMap((time, index): [string, string][] => (index % 2 === 1 ? [[times[index - 1] ?? '', time]] : [])),
  );
const ruleArbitrary = (id: string) =>
  fc
    .tuple(...WEEKDAYS.map(() => fc.oneof({ weight: 4, arbitrary: windowsArbitrary }, fc.constant([]))))
    .map((days): WindowRule => ({
      id,
      weekdays: Object.fromEntries(WEEKDAYS.map((weekday, index) => [weekday, days[index] ?? []])),
    }));
const ruleSetArbitrary = fc
  .tuple(ruleArbitrary('one'), ruleArbitrary('two'), fc.boolean())
  .map(([one, two, both]) => (both ? rulesOf(one, two) : rulesOf(one)));

// The second opinion: wall time and weekday as Intl tells them, without Temporal and without intervals.
const formats = new Map<string, Intl.DateTimeFormat>();
function isOpenAt(instant: number, zone: string, rule: WindowRule): boolean {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      weekday: 'long',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const weekday = WEEKDAYS.find((name) => name === parts['weekday']?.toLowerCase());
  const local = `${parts['hour'] ?? ''}:${parts['minute'] ?? ''}`;
  return (weekday === undefined ? [] : (rule.weekdays[weekday] ?? [])).some(
    ([from, to]) => from <= local && local < to,
  );
}
const isOpenEverywhere = (instant: number, asked: SendQuestion) =>
  asked.zones.every((zone) => asked.ruleSet.windows.every((rule) => isOpenAt(instant, zone, rule)));
const samples = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, index) => from + Math.floor(((to - from) * index) / count));

const PROPERTY_RUNS = 60;
const property = (predicate: (asked: SendQuestion) => void) => {
  fc.assert(
    fc.property(instantArbitrary, zonesArbitrary, ruleSetArbitrary, (instant, zones, ruleSet) => {
      predicate(question({ at: instant, zones, ruleSet }));
    }),
    { numRuns: PROPERTY_RUNS },
  );
};

describe('for any zones, rules and instant', () => {
  it('nothing is allowed outside a window of any candidate zone', () => {
    property((asked) => {
      const verdict = evaluate(asked);
      if (verdict.verdict !== 'allow') return;
      for (const instant of [...samples(asked.at, verdict.until, 25), verdict.until - 1]) {
        expect(isOpenEverywhere(instant, asked)).toBe(true);
      }
    });
  });

  it('the next allowed instant is allowed', () => {
    property((asked) => {
      const next = nextAllowed(asked);
      if (next === undefined) return;
      expect(next).toBeGreaterThanOrEqual(asked.at);
      expect(next).toBeLessThan(asked.at + SEARCH_HORIZON_MS);
      expect(evaluate({ ...asked, at: next }).verdict).toBe('allow');
      expect(isOpenEverywhere(next, asked)).toBe(true);
    });
  });

  it('no instant before the next allowed one is allowed', () => {
    property((asked) => {
      const next = nextAllowed(asked) ?? asked.at + SEARCH_HORIZON_MS;
      for (const instant of samples(asked.at, next, next > asked.at ? 10 : 0)) {
        expect(evaluate({ ...asked, at: instant })).not.toMatchObject({ verdict: 'allow' });
      }
    });
  });

  it('an hour that Intl finds open everywhere, away from changes of the clock, is found', () => {
    property((asked) => {
      const next = nextAllowed(asked) ?? asked.at + SEARCH_HORIZON_MS;
      // A change of the clock may only shrink windows, so weeks with one are left to the examples above.
      const offsets = asked.zones.map((zone) => offsetsNear(zone, asked.at).size);
      if (offsets.some((count) => count > 1)) return;
      const latest = next - 2 * COMMON_WINDOW_MIN_MS;
      for (const instant of samples(asked.at, latest, latest > asked.at ? 25 : 0)) {
        // Windows of these rules begin and end on half hours, and zones differ by quarter hours.
        const open = samples(instant, instant + COMMON_WINDOW_MIN_MS, 5).map((moment) => moment + 1);
        expect(open.every((moment) => isOpenEverywhere(moment, asked))).toBe(false);
      }
    });
  });

  it('another candidate zone never allows more', () => {
    fc.assert(
      fc.property(
        instantArbitrary,
        zonesArbitrary,
        zonesArbitrary,
        ruleSetArbitrary,
        (instant, zones, more, ruleSet) => {
          const narrow = nextAllowed(question({ at: instant, zones, ruleSet }));
          const wide = nextAllowed(question({ at: instant, zones: [...zones, ...more], ruleSet }));
          if (wide !== undefined) expect(narrow).toBeLessThanOrEqual(wide);
        },
      ),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('the answer does not depend on the time zone of the process', () => {
    property((asked) => {
      expect(inProcessZone('Pacific/Kiritimati', () => evaluate(asked))).toEqual(
        inProcessZone('America/Los_Angeles', () => evaluate(asked)),
      );
    });
  });
});

function offsetsNear(zone: string, instant: number): Set<string> {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  return new Set(
    samples(instant - 2 * DAY, instant + SEARCH_HORIZON_MS + 2 * DAY, 18).map(
      (moment) => format.formatToParts(moment).find(({ type }) => type === 'timeZoneName')?.value ?? '',
    ),
  );
}

/** jest gives tests a copy of process.env; the time zone is read from the real one. */
function inProcessZone<T>(zone: string, run: () => T): T {
  const setZone = (value: string) => {
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
