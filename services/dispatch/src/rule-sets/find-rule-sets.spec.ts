import { DEMO_RULE_SET, evaluate, type RuleSet } from '@assent/send-rules';
import { withSharedRules } from './find-rule-sets.ts';
import type { RuleSetDocument } from './rule-set.projection.ts';

const stored = (rules: unknown, id = 'acme|hours|1'): RuleSetDocument =>
  ({ _id: id, tenant: 'acme', rules: structuredClone(rules) }) as RuleSetDocument;

describe('a stored rule set', () => {
  it('is one object however often it is read, so that the engine reads it once', () => {
    const first = withSharedRules(stored(DEMO_RULE_SET)).rules;
    expect(withSharedRules(stored(DEMO_RULE_SET)).rules).toBe(first);
    expect(first).toEqual(DEMO_RULE_SET);
  });

  it('is another object when what is stored is other, under the same name too', () => {
    const first = withSharedRules(stored(DEMO_RULE_SET)).rules;
    const changed = { ...DEMO_RULE_SET, exempt: [] };
    expect(withSharedRules(stored(changed)).rules).toEqual(changed);
    expect(withSharedRules(stored(DEMO_RULE_SET, 'other|hours|1')).rules).not.toBe(first);
  });

  it('of the shape before decides, and looks like any other', () => {
    const before = {
      id: 'hours',
      version: 1,
      effectiveFrom: '2026-01-01T00:00:00.000Z',
      windows: [{ id: 'noon', weekdays: { tuesday: [['12:00', '14:00']] } }],
      exempt: [],
    };
    const ruleSet: RuleSet = withSharedRules(stored(before, 'acme|old|1')).rules;
    expect(ruleSet).toMatchObject({ base: 'none', rules: [{ id: 'noon', jurisdiction: '*' }] });
    const question = {
      at: Date.parse('2026-11-24T13:00:00Z'),
      recipient: { declaredZone: 'Europe/London' },
      senderId: '1',
      class: 'opt-in-ask',
      category: 'utility',
      attempts: [],
      ruleSet,
      holidays: [],
      blackouts: [],
    } as const;
    expect(evaluate(question)).toMatchObject({ verdict: 'allow', until: Date.parse('2026-11-24T14:00:00Z') });
  });
});
