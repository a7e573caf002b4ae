import { initialConsentState } from '@assent/consent-state';
import { DEMO_RULE_SET, type RuleSet, type WindowsRule } from '@assent/send-rules';
import { decideGate } from './gate.decider.ts';
import type { GateFacts } from './gate.facts.ts';
import { gateInputsOf } from './gate-inputs.ts';

const noonUtc = Date.parse('2026-11-24T12:00:00.000Z');
const requestId = '22222222-2222-4222-8222-222222222222';
const template = { name: 'ask', language: 'en' };

/** An opt-in question by form, inside the hours of the demo. */
function facts(change: Partial<GateFacts> = {}): GateFacts {
  return {
    at: noonUtc,
    wish: {
      dispatchId: '33333333-3333-4333-8333-333333333333',
      class: 'opt-in-ask',
      cause: { kind: 'consent-requested', id: requestId },
      category: 'utility',
      senderId: '100000000000001',
      template,
      parameterCount: 0,
      schedule: { kind: 'now' },
      expiresAt: noonUtc + 604_800_000,
    },
    recipient: {
      subjectId: '11111111-1111-4111-8111-111111111111',
      consent: initialConsentState,
      evidence: { declaredZone: 'Europe/London', phone: '+447700900123' },
      wishes: {},
      attempts: [],
      causes: [],
      request: { requestId, selfStarted: false, requestedAt: noonUtc - 1, expiresAt: noonUtc + 604_800_000 },
    },
    sender: { held: false, displayName: 'Acme' },
    template: { category: 'utility', language: 'en', body: 'May we write?', bodyParameters: 0 },
    ruleSet: DEMO_RULE_SET,
    holidays: [],
    blackouts: [],
    behind: [],
    parked: [],
    ...change,
  };
}

function evenings(): RuleSet {
  const [rule] = DEMO_RULE_SET.rules as readonly WindowsRule[];
  if (rule === undefined) throw new Error('the demo has a rule');
  return { ...DEMO_RULE_SET, version: 2, rules: [{ ...rule, weekdays: { tuesday: [['18:00', '20:00']] } }] };
}

const inputs = (given: GateFacts): ReturnType<typeof gateInputsOf> =>
  gateInputsOf(given, decideGate(given), { 'dispatch.policy/0': 7 }, { phoneMetadata: 'p', tzdb: 't', holidays: 'h' });

describe('the inputs of a decision', () => {
  it('name the versions of all data, where the person may be, and nothing that tells who it is', () => {
    const recorded = inputs(facts());
    expect(recorded).toMatchObject({
      positions: { 'dispatch.policy/0': 7 },
      ruleSet: 'demo@1',
      phoneMetadata: 'p',
      tzdb: 't',
      holidays: 'h',
      zones: ['Europe/London'],
      regions: expect.arrayContaining(['GB']) as unknown,
      verdict: 'allow',
    });
    expect(JSON.stringify(recorded)).not.toContain('7700900123');
  });

  it('say what the version in shadow would have decided, and do not follow it', () => {
    const recorded = inputs(facts({ shadowRuleSet: evenings() }));
    expect(recorded.verdict).toBe('allow');
    expect(recorded.shadow).toEqual({
      ruleSet: 'demo@2',
      verdict: 'hold',
      until: '2026-11-24T18:00:00.000Z',
      code: 'outside-send-window',
      ref: 'demo@2#every-day-8-to-21',
    });
  });

  it('say nothing of it while the facts are not all known', () => {
    const given = facts({ shadowRuleSet: evenings(), behind: ['consent.events/3'] });
    expect(inputs(given)).not.toHaveProperty('shadow');
  });
});
