export { COMMON_WINDOW_MIN_MS } from './allowed-time.ts';
export { dueSoon } from './consent-life.ts';
export type { DueConsent, HeldConsent } from './consent-life.ts';
export { readableRuleSet } from './earlier-rule-set.ts';
export { evaluate, nextAllowed, SEARCH_HORIZON_MS } from './evaluate.ts';
export { localInstant } from './local-instant.ts';
export { locateRecipient } from './locate-recipient.ts';
export type { Location, LocationBasis } from './locate-recipient.ts';
export { MESSAGES_EN } from './messages/en.ts';
export type { ReasonCode } from './messages/en.ts';
export type {
  CapRule,
  ConsentLifeRule,
  ContentRule,
  DispatchClass,
  Exemption,
  Jurisdiction,
  JurisdictionFile,
  LocalWindow,
  Rule,
  RuleFrame,
  RuleSet,
  RuleSource,
  SendCategory,
  Weekday,
  WindowsRule,
} from './rule.ts';
export { WEEKDAYS } from './rule.ts';
export { isPlace } from './rules-in-force.ts';
export { DEFAULT_RULE_SET, DEMO_RULE_SET, ruleSetReference } from './rule-sets.ts';
export type {
  Attempt,
  Blackout,
  ConsentEvidence,
  HolidayEntry,
  MessageContent,
  RecipientEvidence,
  RecipientWishes,
  SendQuestion,
  SendReason,
  SendRulesVersions,
  SendVerdict,
} from './send-question.ts';
export { SendRulesError } from './send-rules-error.ts';
export { SHIPPED_RULES, SHIPPED_RULES_LATEST } from './shipped-rules.ts';
export { assertTimeZoneData, isKnownZone, TimeZoneDataError } from './time-zones.ts';
export { RULE_SET_SCHEMA, validateJurisdictionFile, validateRuleSet } from './validate-rules.ts';
export type { JurisdictionFileValidation, RuleSetFault, RuleSetValidation } from './validate-rules.ts';
export { SEND_RULES_VERSIONS } from './versions.ts';
