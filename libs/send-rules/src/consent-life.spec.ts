import { dueSoon, type HeldConsent, lapsesAt } from './consent-life.ts';
import { DEFAULT_RULE_SET } from './rule-sets.ts';
import { at, DAY_MS, life } from './send-question.fixture.ts';

const now = at('2026-11-24T12:00:00Z');
const held = (
  id: string,
  phone: string,
  grantedAt: string,
  more: Partial<HeldConsent['consent']> = {},
): HeldConsent => ({
  id,
  recipient: { phone },
  class: 'message',
  category: 'marketing',
  consent: { basis: 'express', grantedAt: at(grantedAt), ...more },
});

describe('the life of a consent', () => {
  it('is counted in calendar months', () => {
    const consent = { basis: 'express', grantedAt: at('2026-08-31T10:20:30.400Z') } as const;
    expect(lapsesAt(life({ monthsMax: 6 }), consent)).toBe(at('2027-02-28T10:20:30.400Z'));
    expect(lapsesAt(life({ monthsMax: 24 }), consent)).toBe(at('2028-08-31T10:20:30.400Z'));
  });

  it('begins anew with what the rule counts from, and with nothing else', () => {
    const consent = { basis: 'express', grantedAt: 0, lastUsedAt: DAY_MS, lastActAt: 2 * DAY_MS } as const;
    const days = (['grant', 'last-use', 'last-act'] as const).map(
      (countsFrom) => (lapsesAt(life({ countsFrom, monthsMax: 1 }), consent) ?? 0) / DAY_MS,
    );
    expect(days).toEqual([31, 32, 33]);
  });

  it('has no end by a rule about another basis', () => {
    expect(lapsesAt(life(), { basis: 'implied-purchase', grantedAt: 0 })).toBeUndefined();
  });
});

describe('the list of consents that are due soon', () => {
  const consents = [
    held('french, lapsed', '+33612345678', '2023-11-01T00:00:00Z'),
    held('french, in a week', '+33612345678', '2023-12-01T00:00:00Z'),
    held('french, with a click since', '+33612345678', '2023-12-01T00:00:00Z', { lastActAt: now }),
    held('american, for ever', '+12125550123', '2010-01-01T00:00:00Z'),
    held('italian, in two days', '+393512345678', '2024-11-26T00:00:00Z'),
    held('german, unused for four years', '+491511234567', '2018-01-01T00:00:00Z', {
      lastUsedAt: at('2022-11-30T00:00:00Z'),
    }),
  ];

  it('has those that lapse within the time, first what lapses first', () => {
    const due = dueSoon(consents, { at: now, withinMs: 14 * DAY_MS, ruleSet: DEFAULT_RULE_SET });
    expect(due.map(({ id, reason }) => `${id}: ${reason.code}`)).toEqual([
      'french, lapsed: consent-lapsed',
      'italian, in two days: consent-live',
      'german, unused for four years: consent-live',
      'french, in a week: consent-live',
    ]);
    expect(due[0]?.reason.ref).toBe('default@1#fr-consent-life');
  });

  it('is empty when nothing lapses', () => {
    expect(dueSoon([], { at: now, withinMs: DAY_MS, ruleSet: DEFAULT_RULE_SET })).toEqual([]);
  });
});
