import { evaluate, nextAllowed } from './evaluate.ts';
import { localInstant } from './local-instant.ts';
import { DEFAULT_RULE_SET, DEMO_RULE_SET } from './rule-sets.ts';
import type { LocalWindow, Rule, RuleSet } from './rule.ts';
import type { Blackout, SendQuestion } from './send-question.ts';
import {
  at,
  attempt,
  cap,
  contentRule,
  DAY_MS,
  earlierRuleSet,
  everyDay,
  fittingContent,
  HOUR_MS,
  hours,
  life,
  only,
  sendQuestion,
  shippedAnd,
} from './send-question.fixture.ts';
import { SEND_RULES_VERSIONS } from './versions.ts';

const verdictOf = (changes: Partial<SendQuestion>) => evaluate(sendQuestion(changes));
const codesOf = (changes: Partial<SendQuestion>) => verdictOf(changes).reasons.map(({ code }) => code);
const noon: readonly LocalWindow[] = [['12:00', '14:00']];
const always = only(everyDay([['00:00', '24:00']]));
const inZone = (declaredZone: string) => ({ recipient: { declaredZone } });

describe('a message inside the hours', () => {
  it('may leave until they end, with every rule that took part in codes, words and sources', () => {
    const verdict = verdictOf({});
    expect(verdict).toMatchObject({ verdict: 'allow', until: at('2026-11-25T02:00:00Z') });
    expect(verdict.reasons.map(({ code, ref }) => `${code} ${ref ?? ''}`)).toEqual([
      'inside-send-window default@1#us-federal-hours',
      'within-cap default@1#default-cap-24h',
      'within-cap default@1#default-cap-7d',
      'within-cap default@1#default-cap-30d',
      'category-fits ',
      'content-fits default@1#any-sender-named',
      'content-fits default@1#any-opt-out-hint',
    ]);
    expect(verdict.reasons[1]).toMatchObject({
      text: '0 of at most 1 in 24 hours so far (default-cap-24h, default).',
      params: { rule: 'default-cap-24h', count: 0, attemptsMax: 1, windowHours: 24 },
      sources: [{ kind: 'own' }],
    });
  });

  it('may leave at their first instant and not at their end', () => {
    expect(verdictOf({ at: at('2026-11-24T12:59:59.999Z') }).verdict).toBe('hold');
    expect(verdictOf({ at: at('2026-11-24T13:00:00.000Z') }).verdict).toBe('allow');
    expect(verdictOf({ at: at('2026-11-25T01:59:59.999Z') }).verdict).toBe('allow');
    expect(verdictOf({ at: at('2026-11-25T02:00:00.000Z') }).verdict).toBe('hold');
  });

  it('says where it is outside of them, and when they begin', () => {
    const verdict = verdictOf({ at: at('2026-11-28T07:00:00Z') });
    expect(verdict).toMatchObject({ verdict: 'hold', until: at('2026-11-28T13:00:00Z') });
    expect(verdict.reasons[0]).toMatchObject({
      code: 'outside-send-window',
      text: 'It is 02:00 on saturday, 2026-11-28 in America/New_York, where the person may be; that is outside the hours of us-federal-hours (US).',
      ref: 'default@1#us-federal-hours',
    });
  });

  it.each(['2026-11-29T03:00:00Z', '2026-11-29T12:00:00Z', '2026-12-01T05:00:00Z'])(
    'may leave under the demo rules at %s to a person who declared a zone where it is between 10 and 18',
    (instant) => {
      const hour = new Date(instant).getUTCHours();
      const declaredZone = `Etc/GMT${hour >= 12 ? '+' : '-'}${Math.abs(hour - 12)}`;
      const recipient = { declaredZone, phone: '+15550100123' };
      expect(verdictOf({ at: at(instant), recipient, ruleSet: DEMO_RULE_SET }).verdict).toBe('allow');
    },
  );
});

describe('a number that may be anywhere', () => {
  it('is for a person, and stays so when it is asked about again and again', () => {
    const recipient = { phone: '+18005550100' };
    for (const instant of ['2026-11-24T15:00:00Z', '2026-12-24T15:00:00Z', '2026-11-20T15:00:00Z']) {
      expect(codesOf({ recipient, at: at(instant) })[0]).toBe('no-common-window');
    }
  });

  it('is one question for other zones and other wishes, and does not close them', () => {
    const nightOnly = { quietHours: ['06:00', '24:00'] } as const;
    expect(codesOf({ wishes: nightOnly })[0]).toBe('no-common-window');
    expect(verdictOf({}).verdict).toBe('allow');
    expect(codesOf({ recipient: { phone: '+18005550100' } })[0]).toBe('no-common-window');
    expect(verdictOf({ recipient: { phone: '+12125550100' } }).verdict).toBe('allow');
  });
});

describe('a message to a person who may be in several places', () => {
  it('waits until every zone allows it, and only as long as every zone does', () => {
    const recipient = { phone: '+12085550123' }; // Idaho: Boise, Denver and Los Angeles
    expect(verdictOf({ recipient, at: at('2026-11-24T15:00:00Z') })).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-24T16:00:00Z'),
    });
    expect(verdictOf({ recipient, at: at('2026-11-24T16:00:00Z') })).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-25T04:00:00Z'),
    });
  });

  it('goes to a person when the places have no hours in common', () => {
    const verdict = verdictOf({ recipient: { phone: '+18005550123' } });
    expect(verdict.verdict).toBe('review');
    expect(verdict.reasons[0]).toMatchObject({ code: 'no-common-window', params: { days: 400 } });
  });

  it('is weighed by the rules of every part of a country when only the country is known', () => {
    const reasons = verdictOf({ recipient: { declaredZone: 'America/New_York', declaredRegion: 'US' } }).reasons;
    const jurisdictions = new Set(reasons.map(({ params }) => params['jurisdiction']));
    expect([...jurisdictions]).toEqual(expect.arrayContaining(['US', 'US-FL', 'US-TX']));
  });

  it('goes to a person when the hours in common are shorter than an hour', () => {
    const recipient = { bsuidCountry: 'PT' }; // the Azores are an hour behind
    const short = only(everyDay([['10:00', '11:59']]));
    const enough = only(everyDay([['10:00', '12:00']]));
    expect(verdictOf({ recipient, ruleSet: short })).toMatchObject({
      verdict: 'review',
      reasons: expect.arrayContaining([expect.objectContaining({ code: 'common-window-too-short' })]) as unknown,
    });
    expect(verdictOf({ recipient, ruleSet: enough }).verdict).toBe('hold');
  });

  it('is held for the next usable hours while it is inside some that are too short', () => {
    const ruleSet = only(everyDay([['08:00', '08:30'], ...noon]));
    const verdict = verdictOf({ ...inZone('UTC'), ruleSet, at: at('2026-11-24T08:10:00Z') });
    expect(verdict).toMatchObject({ verdict: 'hold', until: at('2026-11-24T12:00:00Z') });
    expect(verdict.reasons[0]?.code).toBe('common-window-too-short');
  });
});

describe('a question that cannot be answered', () => {
  const utility = only(everyDay(noon, { categories: ['utility'] }));
  it.each([
    ['no zone is known', { recipient: {} }, 'zone-unknown'],
    ['no rule of hours is about it', { ruleSet: utility }, 'no-window-rule'],
    ['no day is ever allowed', { ruleSet: only(everyDay([])) }, 'no-common-window'],
    ['the person wants nothing at any hour', { wishes: { quietHours: ['00:00', '24:00'] } }, 'no-common-window'],
    ['the wish has another shape', { wishes: { quietHours: ['25:00', '08:00'] } }, 'wish-unreadable'],
    ['the wished frequency is none', { wishes: { frequency: { attemptsMax: 0, windowHours: 24 } } }, 'wish-unreadable'],
    ['the base is of another build', { ruleSet: { ...DEFAULT_RULE_SET, base: 'assent@999' } }, 'rule-set-unknown-base'],
    [
      'the set has neither rules nor the hours of the shape before',
      { ruleSet: { id: 'a', version: 1, exempt: [] } },
      'rule-set-unreadable',
    ],
    [
      'the consent is of unknown age where it lapses',
      { consent: undefined, ruleSet: shippedAnd(life()) },
      'consent-age-unknown',
    ],
    ['nothing tells what the message says', { content: undefined }, 'content-unknown'],
    ['the time zone data ends', { at: at('2051-01-01T00:00:00Z') }, 'time-zone-data-ends'],
  ] as [string, Partial<SendQuestion>, string][])('is for review when %s', (_, changes, code) => {
    const { consent, content, ...rest } = sendQuestion(changes);
    const question = {
      ...rest,
      ...(consent === undefined ? {} : { consent }),
      ...(content === undefined ? {} : { content }),
    };
    expect(evaluate(question).verdict).toBe('review');
    expect(evaluate(question).reasons[0]?.code).toBe(code);
    expect(nextAllowed(question)).toBeUndefined();
  });

  it.each([Number.NaN, 1.5, -1, Number.MAX_SAFE_INTEGER])('is a thrown error for the instant %p', (instant) => {
    const question = { ...sendQuestion(), at: instant };
    expect(() => evaluate(question)).toThrow(expect.objectContaining({ code: 'invalid-instant' }) as Error);
  });
});

describe('what answers the person', () => {
  const night = { at: at('2026-11-28T07:00:00Z') };
  const somewhere = { ...night, recipient: {} };

  it('may leave at any hour, when it is the receipt of a withdrawal, whatever else is wrong', () => {
    const receipt = { ...somewhere, class: 'withdrawal-receipt', category: 'utility' } as const;
    expect(verdictOf(receipt)).toMatchObject({
      verdict: 'allow',
      reasons: [{ code: 'exempt-from-send-windows', ref: 'default@1' }],
    });
  });

  it('may leave at any hour when it is an opt-in ask that the person started, and only then', () => {
    const ask = { ...somewhere, class: 'opt-in-ask', category: 'utility' } as const;
    expect(verdictOf({ ...ask, selfStarted: true }).verdict).toBe('allow');
    expect(verdictOf({ ...ask, selfStarted: false }).verdict).toBe('review');
    expect(verdictOf(ask).verdict).toBe('review');
  });

  it('is bound to the hours like everything else when the rule set exempts nothing', () => {
    const ruleSet = { ...DEFAULT_RULE_SET, exempt: [] };
    expect(verdictOf({ ...night, class: 'withdrawal-receipt', ruleSet }).verdict).toBe('hold');
  });

  it('does not free a message that says it was self-started', () => {
    expect(verdictOf({ ...night, selfStarted: true }).verdict).toBe('hold');
  });
});

describe('rules', () => {
  const morning = { ...inZone('UTC'), at: at('2026-11-24T09:00:00Z') };

  it('that are about a message all have to allow it', () => {
    const ruleSet = only(
      everyDay([['08:00', '20:00']]),
      everyDay([['12:00', '22:00']], { id: 'marketing', categories: ['marketing'] }),
      everyDay([['01:00', '03:00']], { id: 'asks', classes: ['opt-in-ask'] }),
      everyDay([['01:00', '03:00']], { id: 'news', purposes: ['news'] }),
    );
    expect(verdictOf({ ...morning, ruleSet })).toMatchObject({ verdict: 'hold', until: at('2026-11-24T12:00:00Z') });
    expect(verdictOf({ ...morning, ruleSet }).reasons[0]?.ref).toBe('own@1#marketing');
    expect(verdictOf({ ...morning, ruleSet, category: 'utility' })).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-24T20:00:00Z'),
    });
  });

  it('apply from and until their local dates', () => {
    const ruleSet = only(
      everyDay([['00:00', '24:00']]),
      everyDay(noon, { id: 'from-friday', appliesFrom: '2026-11-27', appliesUntil: '2026-11-30' }),
    );
    expect(verdictOf({ ...morning, ruleSet, at: at('2026-11-26T23:00:00Z') })).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-27T00:00:00Z'),
    });
    expect(verdictOf({ ...morning, ruleSet, at: at('2026-11-27T00:00:00Z') })).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-27T12:00:00Z'),
    });
    expect(verdictOf({ ...morning, ruleSet, at: at('2026-11-29T14:00:00Z') })).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-30T00:00:00Z'),
    });
  });

  it('of the publisher’s own add to the default and never replace it', () => {
    const german = {
      recipient: { declaredZone: 'Europe/Berlin', declaredRegion: 'DE' },
      at: at('2026-11-24T17:00:00Z'),
    };
    const ruleSet = shippedAnd(everyDay([['00:00', '24:00']], { jurisdiction: 'DE' }));
    expect(verdictOf(german).verdict).toBe('hold');
    expect(verdictOf({ ...german, ruleSet }).verdict).toBe('hold');
  });

  it('that rest on Assent’s own choice alone add to the default too', () => {
    // Egypt has a shipped row that closes Fridays and opens every other day; the default closes evenings and Saturdays.
    const egyptian = { declaredZone: 'Africa/Cairo', declaredRegion: 'EG' };
    expect(nextAllowed(sendQuestion({ recipient: egyptian, at: at('2026-11-26T18:00:00Z') }))).toBe(
      at('2026-11-30T08:00:00Z'),
    );
  });

  it('in shadow hold only once they are signed off; until then the default holds in their place', () => {
    const german = {
      recipient: { declaredZone: 'Europe/Berlin', declaredRegion: 'DE' },
      at: at('2026-11-24T17:00:00Z'),
    };
    const sign = { by: 'counsel', on: '2026-11-24', reason: 'read' };
    const ruleSet = { ...DEFAULT_RULE_SET, signedOff: [{ ...sign, ruleId: 'de-hours' }] };
    expect(codesOf(german)).toContain('outside-send-window');
    expect(verdictOf({ ...german, ruleSet }).verdict).toBe('allow');
  });

  it('in shadow in a state call the default in, though the country’s own rule is in force', () => {
    // Saturday noon in California; the federal rule would allow it.
    const saturday = { recipient: { phone: '+13105550123' }, at: at('2026-11-28T20:00:00Z') };
    const verdict = verdictOf(saturday);
    expect(verdict).toMatchObject({ verdict: 'hold', until: at('2026-11-30T18:00:00Z') });
    expect(verdict.reasons.map(({ ref }) => ref)).toEqual(
      expect.arrayContaining(['default@1#us-federal-hours', 'default@1#default-hours']),
    );
  });

  it('of a set of the shape before hold for everybody, and nothing else does', () => {
    const ruleSet = earlierRuleSet as unknown as RuleSet;
    const evening = at('2026-11-24T23:00:00Z');
    expect(verdictOf({ ruleSet })).toMatchObject({ verdict: 'hold', until: evening });
    expect(verdictOf({ ruleSet, at: evening })).toMatchObject({
      verdict: 'allow',
      reasons: expect.arrayContaining([expect.objectContaining({ ref: 'old@3#evenings' })]) as unknown,
    });
    expect(codesOf({ ruleSet, category: 'utility' })).toEqual(['no-window-rule']);
  });

  it('for a territory itself hold there next to those of the country whose law it has', () => {
    const recipient = { declaredZone: 'Indian/Christmas', declaredRegion: 'CX' };
    const ruleSet = shippedAnd(everyDay([], { jurisdiction: 'CX' }));
    expect(verdictOf({ recipient, ruleSet }).reasons.map(({ ref }) => ref)).toEqual(
      expect.arrayContaining(['own@1#hours', 'own@1#au-hours']),
    );
  });

  it('of a territory are those of the country whose law holds there', () => {
    const recipient = { declaredZone: 'Indian/Christmas', declaredRegion: 'CX' };
    expect(verdictOf({ recipient }).reasons.map(({ ref }) => ref)).toContain('default@1#au-hours');
  });

  it('may tell their hours by the clock of a zone of their own', () => {
    const ruleSet = only(
      everyDay([['00:00', '24:00']]),
      everyDay([['08:00', '20:00']], { id: 'central', zone: 'America/Chicago' }),
    );
    expect(verdictOf({ ruleSet, at: at('2026-11-24T13:30:00Z') })).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-24T14:00:00Z'),
    });
  });
});

describe('a public holiday', () => {
  const open = [['10:00', '12:00']] as const;
  const weekdays = { thursday: open, friday: open, sunday: [['11:00', '13:00']] as const };
  const thanksgiving = at('2026-11-26T15:30:00Z');

  it.each([
    ['as-weekday', 'allow', undefined],
    ['as-sunday', 'hold', '2026-11-26T16:00:00Z'],
    ['closed', 'hold', '2026-11-27T15:00:00Z'],
    [[['15:00', '17:00']], 'hold', '2026-11-26T20:00:00Z'],
  ] as const)('is kept as the rule says: %j', (holidays, verdict, until) => {
    const answer = verdictOf({ at: thanksgiving, ruleSet: only(hours(weekdays, { holidays })) });
    expect(answer.verdict).toBe(verdict);
    if (until !== undefined) expect(answer).toMatchObject({ until: at(until) });
  });

  it('has an eve with hours of its own where a rule has them', () => {
    const ruleSet = only(hours({ wednesday: open, thursday: open }, { holidayEves: [['15:00', '17:00']] }));
    expect(nextAllowed(sendQuestion({ at: at('2026-11-25T13:00:00Z'), ruleSet }))).toBe(at('2026-11-25T20:00:00Z'));
  });

  it('is named in the reason', () => {
    const closed = only(hours(weekdays, { holidays: 'closed' }));
    expect(verdictOf({ at: thanksgiving, ruleSet: closed }).reasons[0]).toMatchObject({
      code: 'outside-on-holiday',
      params: { holiday: 'Thanksgiving Day', place: 'US-NY', date: '2026-11-26' },
    });
  });

  it('is one, or none, when the operator says so, for a part of a country or for all of it', () => {
    const ruleSet = only(hours(weekdays, { holidays: 'closed' }));
    const entry = { name: 'Storm', date: '2026-11-27', holiday: true };
    const friday = { ruleSet, at: at('2026-11-27T15:30:00Z') };
    expect(verdictOf({ ...friday, holidays: [{ ...entry, jurisdiction: 'US' }] }).verdict).toBe('hold');
    expect(verdictOf({ ...friday, holidays: [{ ...entry, jurisdiction: 'US-NY' }] }).verdict).toBe('hold');
    expect(verdictOf({ ...friday, holidays: [{ ...entry, jurisdiction: 'US-LA' }] }).verdict).toBe('allow');
    const none = { name: 'moved', date: '2026-11-26', holiday: false, jurisdiction: 'US' };
    expect(verdictOf({ at: thanksgiving, ruleSet, holidays: [none] }).verdict).toBe('allow');
  });

  it('cannot be told for a country without a calendar: closed, until the operator enters that year', () => {
    const recipient = { declaredZone: 'Asia/Kabul', declaredRegion: 'AF' };
    const open247 = only(everyDay([['00:00', '24:00']], { holidays: 'closed' }));
    expect(codesOf({ recipient, ruleSet: open247 })).toContain('outside-calendar-unknown');
    const entry = { name: 'Nawruz', date: '2026-03-21', holiday: true, jurisdiction: 'AF' };
    expect(verdictOf({ recipient, ruleSet: open247, holidays: [entry] }).verdict).toBe('allow');
  });
});

describe('caps', () => {
  const now = at('2026-11-24T15:00:00Z');
  const capped = (...rules: readonly Rule[]) => only(everyDay([['00:00', '24:00']]), ...rules);

  it('count the attempts of any window of their length, to the millisecond', () => {
    const ruleSet = capped(cap({ attemptsMax: 2 }));
    const attempts = [attempt(now - DAY_MS), attempt(now - DAY_MS + 1), attempt(now - HOUR_MS)];
    expect(verdictOf({ ruleSet, attempts })).toMatchObject({ verdict: 'hold', until: now + 1 });
    expect(codesOf({ ruleSet, attempts })[0]).toBe('cap-reached');
    expect(verdictOf({ ruleSet, attempts, at: now + 1 }).verdict).toBe('allow');
  });

  it.each([
    ['failed before it reached the person', { outcome: 'failed' }, 'allow'],
    ['was abandoned before the call', { outcome: 'abandoned' }, 'allow'],
    ['has an unknown outcome', { outcome: 'unknown' }, 'hold'],
    ['is only intended so far', { outcome: 'intended' }, 'hold'],
    ['was a receipt of a withdrawal', { class: 'withdrawal-receipt' }, 'allow'],
    ['served another purpose', { purposeId: 'news' }, 'allow'],
    ['came from another sender', { senderId: '100000000000002' }, 'allow'],
    ['is dated later by another clock', { at: now + HOUR_MS }, 'hold'],
  ] as const)('an attempt that %s: %s', (_, changes, verdict) => {
    const ruleSet = capped(cap({ per: ['purpose', 'sender'] }));
    expect(verdictOf({ ruleSet, attempts: [attempt(now - HOUR_MS, changes)] }).verdict).toBe(verdict);
  });

  it('without a "per" count every purpose and sender', () => {
    const attempts = [attempt(now - HOUR_MS, { purposeId: 'news', senderId: '100000000000002' })];
    expect(verdictOf({ ruleSet: capped(cap()), attempts }).verdict).toBe('hold');
  });

  it('that are all full hold until the last of them frees, within the hours', () => {
    const ruleSet = only(everyDay(noon), cap(), cap({ id: 'week', windowHours: 168, attemptsMax: 2 }));
    const attempts = [attempt(now - HOUR_MS), attempt(now - 5 * DAY_MS)];
    // Free on Thursday at 15:00 UTC, 10 in the morning; the hours begin at noon.
    expect(verdictOf({ ruleSet, attempts })).toMatchObject({ verdict: 'hold', until: at('2026-11-26T17:00:00Z') });
  });

  it('hold to what the person wishes too, whoever sends', () => {
    const wishes = { frequency: { attemptsMax: 1, windowHours: 48 } };
    const attempts = [attempt(now - 30 * HOUR_MS, { senderId: '100000000000002', purposeId: 'news' })];
    expect(verdictOf({ ruleSet: always, wishes, attempts })).toMatchObject({
      verdict: 'hold',
      until: now + 18 * HOUR_MS,
    });
    expect(codesOf({ ruleSet: always, wishes, attempts })[0]).toBe('wished-frequency-reached');
  });

  it('begin and end to apply with their dates', () => {
    const ruleSet = capped(cap({ appliesUntil: '2026-11-25', windowHours: 744 }));
    // New York's 25th begins at 05:00 UTC; the cap would last a month.
    expect(verdictOf({ ruleSet, attempts: [attempt(now - HOUR_MS)] })).toMatchObject({
      verdict: 'hold',
      until: at('2026-11-25T05:00:00Z'),
    });
  });
});

describe('the person’s quiet hours', () => {
  it('hold in the person’s local time, over midnight too', () => {
    const wishes = { quietHours: ['20:00', '10:30'] } as const;
    expect(verdictOf({ wishes })).toMatchObject({ verdict: 'hold', until: at('2026-11-24T15:30:00Z') });
    expect(codesOf({ wishes })[0]).toBe('quiet-hours');
    expect(verdictOf({ wishes, at: at('2026-11-24T15:30:00Z') })).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-25T01:00:00Z'),
    });
  });

  it('split a day', () => {
    const wishes = { quietHours: ['10:00', '11:00'] } as const;
    expect(verdictOf({ wishes })).toMatchObject({ verdict: 'hold', until: at('2026-11-24T16:00:00Z') });
  });
});

describe('a blackout', () => {
  const blackout = (changes: Partial<Blackout>): Blackout => ({
    id: 'b1',
    jurisdictions: ['US'],
    from: at('2026-11-24T14:00:00Z'),
    until: at('2026-11-24T18:20:00Z'),
    reason: 'hurricane',
    ...changes,
  });

  it.each([
    ['everywhere', { jurisdictions: ['*'] }, 'hold'],
    ['in the country', {}, 'hold'],
    ['in the state', { jurisdictions: ['US-NY'] }, 'hold'],
    ['in another state', { jurisdictions: ['US-LA'] }, 'allow'],
    ['about another category', { categories: ['utility'] }, 'allow'],
    ['that has ended', { until: at('2026-11-24T15:00:00Z') }, 'allow'],
  ] as [string, Partial<Blackout>, string][])('%s: %s', (_, changes, verdict) => {
    expect(verdictOf({ blackouts: [blackout(changes)] }).verdict).toBe(verdict);
  });

  it('holds until it ends, and ends what was allowed when it begins', () => {
    const blackouts = [blackout({})];
    expect(verdictOf({ blackouts })).toMatchObject({ verdict: 'hold', until: at('2026-11-24T18:20:00Z') });
    expect(verdictOf({ blackouts, at: at('2026-11-24T13:30:00Z') })).toMatchObject({
      verdict: 'allow',
      until: at('2026-11-24T14:00:00Z'),
    });
  });

  it('of a state concerns who may be anywhere in the country, and who may be anywhere', () => {
    const blackouts = [blackout({ jurisdictions: ['US-ND'] })];
    const zone = { declaredZone: 'America/New_York' };
    expect(codesOf({ blackouts, recipient: { ...zone, declaredRegion: 'US' } })).toContain('blackout');
    expect(codesOf({ blackouts, recipient: { declaredZone: 'Etc/GMT+5' } })).toContain('blackout');
  });

  it('of one of several states concerns who may be in any of them', () => {
    const recipient = { declaredZone: 'America/New_York', declaredRegion: 'US-NY', phone: '+13055550123' };
    expect(codesOf({ recipient, blackouts: [blackout({ jurisdictions: ['US-FL'] })] })).toContain('blackout');
    expect(codesOf({ recipient, blackouts: [blackout({ jurisdictions: ['US-LA'] })] })).not.toContain('blackout');
  });

  it('without an end is for a person', () => {
    const { until: _, ...open } = blackout({});
    expect(verdictOf({ blackouts: [open] })).toMatchObject({ verdict: 'review' });
  });
});

describe('consent', () => {
  const now = at('2026-11-24T15:00:00Z');
  const ruleSet = shippedAnd(life());

  it('that lapsed is a reason to ask, not to send', () => {
    const consent = { basis: 'express', grantedAt: at('2024-11-24T15:00:00Z') } as const;
    expect(verdictOf({ ruleSet, consent })).toMatchObject({
      verdict: 'refuse',
    });
    expect(verdictOf({ ruleSet, consent }).reasons[0]).toMatchObject({
      code: 'consent-lapsed',
      params: { until: '2026-11-24T15:00:00Z' },
    });
  });

  it('that lapses within the hours ends what is allowed', () => {
    const consent = { basis: 'express', grantedAt: at('2024-11-24T16:00:00Z') } as const;
    expect(verdictOf({ ruleSet, consent })).toMatchObject({ verdict: 'allow', until: at('2026-11-24T16:00:00Z') });
  });

  it('that lapses before the next hours is a refusal', () => {
    const consent = { basis: 'express', grantedAt: at('2024-11-25T08:00:00Z') } as const;
    const verdict = verdictOf({ ruleSet, consent, at: at('2026-11-25T03:00:00Z') });
    expect(verdict.verdict).toBe('refuse');
    expect(verdict.reasons[0]?.code).toBe('consent-lapses-first');
  });

  it.each([
    ['grant', {}, 'refuse'],
    ['last-use', { lastUsedAt: now - DAY_MS }, 'allow'],
    ['last-use', { lastActAt: now - DAY_MS }, 'refuse'],
    ['last-act', { lastActAt: now - DAY_MS }, 'allow'],
    ['last-act', { lastUsedAt: now - DAY_MS }, 'refuse'],
  ] as const)('that lapses from the %s, with %j: %s', (countsFrom, evidence, verdict) => {
    const consent = { basis: 'express', grantedAt: now - 800 * DAY_MS, ...evidence } as const;
    expect(verdictOf({ ruleSet: shippedAnd(life({ countsFrom })), consent }).verdict).toBe(verdict);
  });

  it('of another basis than the rule’s does not lapse by it', () => {
    const consent = { basis: 'express', grantedAt: now - 800 * DAY_MS } as const;
    expect(verdictOf({ ruleSet: shippedAnd(life({ basis: 'implied-purchase' })), consent }).verdict).toBe('allow');
  });

  it('for the night opens the hours of a rule that knows it, and of no other', () => {
    const night = {
      at: at('2026-11-24T04:00:00Z'),
      consent: { basis: 'express', grantedAt: now - DAY_MS, night: true },
    } as const;
    expect(verdictOf({ ...night, ruleSet: only(everyDay(noon, { openedBy: 'night' })) }).verdict).toBe('allow');
    expect(verdictOf({ ...night, ruleSet: only(everyDay(noon, { openedBy: 'slot' })) }).verdict).toBe('hold');
    expect(verdictOf({ ...night, ruleSet: only(everyDay(noon)) }).verdict).toBe('hold');
  });

  it('to a slot opens that time alone, in a rule that knows it', () => {
    const slots = [{ from: at('2026-11-25T01:00:00Z'), to: at('2026-11-25T02:00:00Z') }];
    const consent = { basis: 'express', grantedAt: now - DAY_MS, slots } as const;
    const slotRule = only(everyDay(noon, { openedBy: 'slot' }));
    expect(verdictOf({ at: slots[0]!.from, consent, ruleSet: slotRule })).toMatchObject({
      verdict: 'allow',
      until: slots[0]!.to,
      reasons: expect.arrayContaining([expect.objectContaining({ code: 'opened-by-consent' })]) as unknown,
    });
    expect(verdictOf({ at: slots[0]!.to, consent, ruleSet: slotRule }).verdict).toBe('hold');
    expect(verdictOf({ at: slots[0]!.from, consent, ruleSet: only(everyDay(noon)) }).verdict).toBe('hold');
  });
});

describe('content that does not fit', () => {
  it.each([
    ['names no sender', { senderName: 'Another' }, 'sender-not-named'],
    ['says nothing about ending', { footer: 'See you' }, 'opt-out-hint-missing'],
    ['exceeds its purpose', { purposeCategory: 'utility' }, 'category-exceeds-purpose'],
    ['links through a shortener', { body: 'Acme Tea https://bit.ly/x' }, 'link-shortened'],
  ] as const)('is refused, since waiting does not help: it %s', (_, changes, code) => {
    const verdict = verdictOf({ content: { ...fittingContent, ...changes } });
    expect(verdict).toMatchObject({ verdict: 'refuse' });
    expect(verdict.reasons[0]?.code).toBe(code);
  });

  it('begins without the label that the place asks for', () => {
    const ruleSet = shippedAnd(contentRule({ requires: 'advertising-label', label: '(광고)' }));
    expect(codesOf({ ruleSet })).toContain('advertising-label-missing');
    const labelled = { ...fittingContent, body: `(광고) ${fittingContent.body}` };
    expect(verdictOf({ ruleSet, content: labelled }).verdict).toBe('allow');
  });
});

describe('a change of the local clock', () => {
  const openAt = (zone: string, window: LocalWindow, instant: string) =>
    verdictOf({ ...inZone(zone), ruleSet: only(everyDay([window])), at: at(instant) }).verdict;

  it('opens hours in a gap at the later reading', () => {
    expect(openAt('America/New_York', ['02:30', '09:00'], '2026-03-08T07:15:00Z')).toBe('hold'); // 03:15 EDT
    expect(openAt('America/New_York', ['02:30', '09:00'], '2026-03-08T07:30:00Z')).toBe('allow'); // 03:30 EDT
  });

  it('closes hours in a gap at the earlier reading', () => {
    expect(openAt('America/New_York', ['00:00', '02:30'], '2026-03-08T06:29:00Z')).toBe('allow'); // 01:29 EST
    expect(openAt('America/New_York', ['00:00', '02:30'], '2026-03-08T06:30:00Z')).toBe('hold'); // 01:30 EST
  });

  it('opens hours in an overlap at the second reading and closes them at the first', () => {
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
    // 18:00 on Thursday 2011-12-29 in Apia; Friday 2011-12-30 was skipped.
    const ruleSet = only(everyDay([['10:00', '17:00']]));
    const verdict = verdictOf({ ...inZone('Pacific/Apia'), ruleSet, at: at('2011-12-30T04:00:00Z') });
    expect(verdict).toMatchObject({ verdict: 'hold', until: at('2011-12-30T20:00:00Z') }); // 10:00 on Saturday
  });

  it('that a law ended is not made, whatever the runtime’s own data say', () => {
    // British Columbia keeps -07:00: 20:30 there is 03:30 UTC.
    expect(openAt('America/Vancouver', ['08:00', '20:30'], '2026-12-02T03:29:00Z')).toBe('allow');
    expect(openAt('America/Vancouver', ['08:00', '20:30'], '2026-12-02T03:30:00Z')).toBe('hold');
    expect(SEND_RULES_VERSIONS.tzdb >= '2026c').toBe(true);
  });
});

describe('a local wish', () => {
  const wish = { date: '2026-11-25', time: '09:00' };

  it('is the instant of that wall time', () => {
    expect(localInstant({ ...wish, zones: ['America/New_York'] })).toBe(at('2026-11-25T14:00:00Z'));
  });

  it('is the latest of the candidate zones, so that it is nowhere too early', () => {
    const zones = ['America/New_York', 'Asia/Tokyo', 'America/Los_Angeles'];
    expect(localInstant({ ...wish, zones })).toBe(at('2026-11-25T17:00:00Z'));
  });

  it('takes the later reading in a gap and in an overlap', () => {
    const zones = ['America/New_York'];
    expect(localInstant({ date: '2026-03-08', time: '02:30', zones })).toBe(at('2026-03-08T07:30:00Z'));
    expect(localInstant({ date: '2026-11-01', time: '01:30', zones })).toBe(at('2026-11-01T06:30:00Z'));
  });

  it('is unknown without a zone, and refused for one that nobody knows', () => {
    expect(localInstant({ ...wish, zones: [] })).toBeUndefined();
    expect(() => localInstant({ ...wish, zones: ['Mars/Olympus'] })).toThrow(
      expect.objectContaining({ code: 'unknown-zone' }) as Error,
    );
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
