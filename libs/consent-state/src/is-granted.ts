import {
  activeWithdrawals,
  endingResumption,
  grantInstantMs,
  withdrawalInstantMs,
  type ConsentState,
  type GrantBasis,
  type GrantRegister,
  type ResumptionRegister,
  type WithdrawalRegister,
} from './consent.state.ts';
import { covers } from './scope.ts';

/** The contact that is asked about; every aspect is needed, so that no withdrawal is overlooked. */
export interface ConsentQuestion {
  readonly purposeId: string;
  readonly category: string;
  readonly channel: 'whatsapp';
  readonly senderId: string;
}

/** Closed list of reasons, stable for callers. */
export type ConsentReason = 'granted' | 'never-granted' | 'withdrawn';

/** The answer and the registers it relies on. */
export interface ConsentAnswer {
  readonly granted: boolean;
  readonly reason: ConsentReason;
  /** The grant that counts; with `withdrawn`, the newest one that did not suffice. */
  readonly grant?: GrantRegister;
  /** The last covering withdrawal; with `granted`, the one that the proven grant came after. */
  readonly withdrawal?: WithdrawalRegister;
  /** The last resumption by which the platform took back a stop of its own that would have covered this contact. */
  readonly resumption?: ResumptionRegister;
}

/**
 * May this contact be made, as far as consent goes?
 *
 * Granted = a proven grant for the purpose whose request is later than every withdrawal that covers the contact, or any
 * grant for it when none ever did. On a tie the withdrawal wins. A stated or imported grant never lifts a withdrawal.
 * A stop of the platform that the platform resumed counts as never said.
 * Sources: GDPR art. 7(1) and (3); 47 CFR 64.1200(a)(10); WhatsApp `user_preferences`.
 */
export function isGranted(state: ConsentState, question: ConsentQuestion): ConsentAnswer {
  const grants = state.grants.filter((grant) => grant.purposeId === question.purposeId);
  const withdrawal = newestBy(
    activeWithdrawals(state).filter((register) => covers(register.scope, question)),
    withdrawalInstantMs,
  );
  const resumption = lastResumption(state, question);
  const reliedOn = {
    ...(withdrawal === undefined ? {} : { withdrawal }),
    ...(resumption === undefined ? {} : { resumption }),
  };
  const proven = ofBasis(grants, 'confirmed');
  if (withdrawal === undefined) {
    const grant = proven ?? ofBasis(grants, 'stated') ?? ofBasis(grants, 'imported');
    if (grant === undefined) return { granted: false, reason: 'never-granted', ...reliedOn };
    return { granted: true, reason: 'granted', grant, ...reliedOn };
  }
  if (proven !== undefined && grantInstantMs(proven) > withdrawalInstantMs(withdrawal)) {
    return { granted: true, reason: 'granted', grant: proven, ...reliedOn };
  }
  const insufficient = newestBy(grants, grantInstantMs);
  return {
    granted: false,
    reason: 'withdrawn',
    ...(insufficient === undefined ? {} : { grant: insufficient }),
    ...reliedOn,
  };
}

function lastResumption(state: ConsentState, question: ConsentQuestion): ResumptionRegister | undefined {
  const ending = state.withdrawals
    .filter((withdrawal) => covers(withdrawal.scope, question))
    .map((withdrawal) => endingResumption(state, withdrawal))
    .filter((resumption) => resumption !== undefined);
  return newestBy(ending, (resumption) => Date.parse(resumption.occurredAt));
}

function ofBasis(grants: readonly GrantRegister[], basis: GrantBasis): GrantRegister | undefined {
  return grants.find((grant) => grant.basis === basis);
}

/** The first of the latest; the lists are sorted, so the choice does not depend on the order of arrival. */
function newestBy<R>(registers: readonly R[], instantOf: (register: R) => number): R | undefined {
  let newest: R | undefined;
  for (const register of registers) {
    if (newest === undefined || instantOf(register) > instantOf(newest)) newest = register;
  }
  return newest;
}
