export {
  activeWithdrawals,
  evolveConsent,
  initialConsentState,
  type ConsentFact,
  type ConsentState,
  type GrantBasis,
  type GrantRegister,
  type ResumptionRegister,
  type WithdrawalRegister,
} from './consent.state.ts';
export { isGranted, type ConsentAnswer, type ConsentQuestion, type ConsentReason } from './is-granted.ts';
export { covers, scopeKey, type ContactAspects } from './scope.ts';
export { stateAsOf } from './state-as-of.ts';
export {
  InvalidInstantError,
  MILLISECOND_TICK_MS,
  SKEW_ALLOWANCE_MS,
  WHATSAPP_TICK_MS,
  withdrawalEffectiveAt,
} from './withdrawal-effective-at.ts';
