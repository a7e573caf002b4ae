import { type Exemption, type LocalWindow, type RuleSet, WEEKDAYS, type WindowsRule } from './rule.ts';
import { SHIPPED_RULES_LATEST } from './shipped-rules.ts';

/** `<id>@<version>`, the name under which a decision records its rule set. */
export function ruleSetReference(ruleSet: Pick<RuleSet, 'id' | 'version'>): string {
  return `${ruleSet.id}@${ruleSet.version}`;
}

const EXEMPT: readonly Exemption[] = [{ class: 'withdrawal-receipt' }, { class: 'opt-in-ask', selfStarted: true }];

/** The rules that Assent ships and nothing else. Used when a tenant has published no rule set. */
export const DEFAULT_RULE_SET: RuleSet = {
  id: 'default',
  version: 1,
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  base: SHIPPED_RULES_LATEST,
  signedOff: [],
  rules: [],
  exempt: EXEMPT,
};

const everyDay = (window: LocalWindow): WindowsRule['weekdays'] =>
  Object.fromEntries(WEEKDAYS.map((weekday) => [weekday, [window]]));

/** Every day 8 to 21 and no caps, so that the demo can run on any day and send as often as its story asks. */
export const DEMO_RULE_SET: RuleSet = {
  id: 'demo',
  version: 1,
  effectiveFrom: '2026-01-01T00:00:00.000Z',
  base: 'none',
  signedOff: [],
  rules: [
    {
      id: 'every-day-8-to-21',
      kind: 'windows',
      jurisdiction: '*',
      channel: 'any-electronic',
      status: 'active',
      weekdays: everyDay(['08:00', '21:00']),
      holidays: 'as-weekday',
      sources: [{ kind: 'own', reference: 'the hours of the US federal rule (47 CFR 64.1200), for the demo' }],
      verifiedOn: '2026-11-24',
      confidence: 'high',
    },
  ],
  exempt: EXEMPT,
};
