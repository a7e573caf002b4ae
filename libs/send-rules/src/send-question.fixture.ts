import { DEFAULT_RULE_SET } from './rule-sets.ts';
import {
  type CapRule,
  type ConsentLifeRule,
  type ContentRule,
  type LocalWindow,
  type Rule,
  type RuleFrame,
  type RuleSet,
  WEEKDAYS,
  type WindowsRule,
} from './rule.ts';
import type { Attempt, MessageContent, SendQuestion } from './send-question.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const NEW_YORKER = { declaredZone: 'America/New_York', declaredRegion: 'US-NY' };

/** Epoch ms of an RFC 3339 instant. */
export const at = (instant: string): number => Date.parse(instant);

/** A message that says everything it has to say. */
export const fittingContent: MessageContent = {
  templateCategory: 'marketing',
  purposeCategory: 'marketing',
  language: 'en',
  body: 'Acme Tea: new leaves are in. https://acme.example/tea',
  footer: 'Reply STOP to end',
  buttons: [],
  senderName: 'Acme Tea',
};

/** Marketing to a New Yorker, Tuesday at 10 in the morning, from a consent of the week before. */
export function sendQuestion(changes: Partial<SendQuestion> = {}): SendQuestion {
  const asked = changes.at ?? at('2026-11-24T15:00:00Z');
  return {
    at: asked,
    recipient: NEW_YORKER,
    senderId: '100000000000001',
    purposeId: 'offers',
    class: 'message',
    category: 'marketing',
    attempts: [],
    consent: { basis: 'express', grantedAt: asked - 7 * DAY_MS },
    content: fittingContent,
    ruleSet: DEFAULT_RULE_SET,
    holidays: [],
    blackouts: [],
    ...changes,
  };
}

/** A set of the given rules and no others. */
export const only = (...rules: readonly Rule[]): RuleSet => ({ ...DEFAULT_RULE_SET, id: 'own', base: 'none', rules });
/** The shipped rules and the given ones. */
export const shippedAnd = (...rules: readonly Rule[]): RuleSet => ({ ...DEFAULT_RULE_SET, id: 'own', rules });

const frame = (id: string): RuleFrame => ({
  id,
  jurisdiction: '*',
  channel: 'any-electronic',
  status: 'active',
  sources: [{ kind: 'own', reference: 'a test' }],
  verifiedOn: '2026-11-24',
  confidence: 'high',
});

export const hours = (weekdays: WindowsRule['weekdays'], changes: Partial<WindowsRule> = {}): WindowsRule => ({
  ...frame('hours'),
  kind: 'windows',
  weekdays,
  holidays: 'as-weekday',
  ...changes,
});

export const everyDay = (windows: readonly LocalWindow[], changes: Partial<WindowsRule> = {}): WindowsRule =>
  hours(Object.fromEntries(WEEKDAYS.map((weekday) => [weekday, windows])), changes);

export const cap = (changes: Partial<CapRule> = {}): CapRule => ({
  ...frame('cap'),
  kind: 'cap',
  attemptsMax: 1,
  windowHours: 24,
  per: [],
  ...changes,
});

export const life = (changes: Partial<ConsentLifeRule> = {}): ConsentLifeRule => ({
  ...frame('life'),
  kind: 'consent-life',
  basis: 'express',
  countsFrom: 'grant',
  monthsMax: 24,
  ...changes,
});

export const contentRule = (changes: Partial<ContentRule> = {}): ContentRule => ({
  ...frame('content'),
  kind: 'content',
  requires: 'sender-named',
  ...changes,
});

export const attempt = (instant: number, changes: Partial<Attempt> = {}): Attempt => ({
  attemptId: `attempt-${instant}`,
  at: instant,
  class: 'message',
  category: 'marketing',
  purposeId: 'offers',
  senderId: '100000000000001',
  outcome: 'sent',
  ...changes,
});

/** As it was published before rules had places: hours alone, for everybody. */
export const earlierRuleSet = {
  id: 'old',
  version: 3,
  effectiveFrom: '2026-02-01T00:00:00Z',
  windows: [{ id: 'evenings', categories: ['marketing'], weekdays: { tuesday: [['18:00', '20:00']] }, source: 'ours' }],
  exempt: [{ class: 'withdrawal-receipt' }],
};
