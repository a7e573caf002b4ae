export { candidateZones, isKnownZone, PHONE_ZONES_VERSION } from './candidate-zones.ts';
export type { CandidateZones, ZoneEvidence } from './candidate-zones.ts';
export { COMMON_WINDOW_MIN_MS, evaluate, nextAllowed, SEARCH_HORIZON_MS, SendRulesError } from './evaluate.ts';
export type { Reason, SendQuestion, SendVerdict } from './evaluate.ts';
export { localInstant } from './local-instant.ts';
export {
  DEFAULT_RULE_SET,
  DEMO_RULE_SET,
  RULE_SET_SCHEMA,
  ruleSetReference,
  validateRuleSet,
  WEEKDAYS,
} from './rule-set.ts';
export type {
  DispatchClass,
  Exemption,
  LocalWindow,
  RuleSet,
  RuleSetFault,
  RuleSetValidation,
  SendCategory,
  Weekday,
  WindowRule,
} from './rule-set.ts';
