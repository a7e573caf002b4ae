import type { AnyEvent, AssentEvent, Position, Scope } from '@assent/contracts';
import { instantMs } from './instants.ts';
import { keepNewest, type Register } from './registers.ts';
import { scopeKey } from './scope.ts';

/** A fact to fold: an event and, once it is in the log, its place there. */
export type ConsentFact = AnyEvent & { readonly position?: Position };

/**
 * How well a grant is shown: `confirmed` is proven (the person answered a confirmation on the same channel), `stated`
 * was said by whoever captured it, `imported` came from another system with evidence.
 */
export type GrantBasis = 'confirmed' | 'stated' | 'imported';

/** The newest grant of one basis for one purpose; `requestedAt` is its ordering instant. */
export interface GrantRegister extends Register {
  readonly purposeId: string;
  readonly basis: GrantBasis;
  readonly requestedAt: string;
  readonly grantedAt: string;
  readonly grantId: string;
  readonly requestId?: string;
  readonly noticeId: string;
  readonly noticeVersion: number;
}

/** The newest withdrawal of one lane and scope (for the platform's lane: and sender); ordered by `effectiveAt`. */
export interface WithdrawalRegister extends Register {
  readonly lane: string;
  readonly scope: Scope;
  readonly senderId?: string;
  readonly occurredAt: string;
  readonly effectiveAt: string;
  readonly withdrawalId: string;
}

/** The newest resumption of the platform's lane for one scope and sender; ordered by `occurredAt`. */
export interface ResumptionRegister extends Register {
  readonly scope: Scope;
  readonly senderId?: string;
  readonly occurredAt: string;
  readonly eventId: string;
}

/**
 * What the consent stream says about one subject of one controller: the newest fact per register, nothing else. Plain
 * JSON. It is a function of the set of facts: order, repetition and the way facts are batched do not matter, so
 * nothing is ever deleted from it. The lists are sorted, so equal states are equal byte for byte.
 */
export interface ConsentState {
  readonly grants: readonly GrantRegister[];
  readonly withdrawals: readonly WithdrawalRegister[];
  readonly resumptions: readonly ResumptionRegister[];
}

export const initialConsentState: ConsentState = { grants: [], withdrawals: [], resumptions: [] };

/**
 * Folds one fact of a subject's consent stream. Events of other types change nothing. Pure; never throws on an event
 * that passed its schema, and on one that did not it errs towards "not granted".
 */
export function evolveConsent(state: ConsentState, fact: ConsentFact): ConsentState {
  switch (fact.type) {
    case 'consent.granted.v1':
      return keepGrant(state, fact, fact.position);
    case 'consent.withdrawn.v1':
      return keepWithdrawal(state, fact, fact.position);
    case 'consent.resumed.v1':
      return keepResumption(state, fact, fact.position);
    default:
      return state;
  }
}

function keepGrant(state: ConsentState, event: AssentEvent<'consent.granted.v1'>, position?: Position): ConsentState {
  const { basis, requestedAt, grantedAt, grantId, requestId, noticeId, noticeVersion } = event.data;
  if (!isKnownBasis(basis)) return state;
  let grants = state.grants;
  for (const purposeId of event.data.purposeIds) {
    const register: GrantRegister = {
      purposeId,
      basis,
      requestedAt,
      grantedAt,
      grantId,
      ...(requestId === undefined ? {} : { requestId }),
      noticeId,
      noticeVersion,
      ...(position === undefined ? {} : { position }),
    };
    grants = keepNewest(grants, register, grantKey, grantInstantMs);
  }
  return grants === state.grants ? state : { ...state, grants };
}

function keepWithdrawal(
  state: ConsentState,
  event: AssentEvent<'consent.withdrawn.v1'>,
  position?: Position,
): ConsentState {
  const { lane, scope, senderId, occurredAt, effectiveAt, withdrawalId } = event.data;
  const register: WithdrawalRegister = {
    lane,
    scope,
    ...(lane === 'platform' && senderId !== undefined ? { senderId } : {}),
    occurredAt,
    effectiveAt,
    withdrawalId,
    ...(position === undefined ? {} : { position }),
  };
  const withdrawals = keepNewest(state.withdrawals, register, withdrawalKey, withdrawalInstantMs);
  return withdrawals === state.withdrawals ? state : { ...state, withdrawals };
}

function keepResumption(
  state: ConsentState,
  event: AssentEvent<'consent.resumed.v1'>,
  position?: Position,
): ConsentState {
  const { lane, scope, senderId, occurredAt } = event.data;
  if (!isPlatformLane(lane)) return state;
  const register: ResumptionRegister = {
    scope,
    ...(senderId === undefined ? {} : { senderId }),
    occurredAt,
    eventId: event.id,
    ...(position === undefined ? {} : { position }),
  };
  const resumptions = keepNewest(state.resumptions, register, platformLaneKey, resumptionInstantMs);
  return resumptions === state.resumptions ? state : { ...state, resumptions };
}

/**
 * The withdrawals that hold, unless a proven grant is later: all but those of the platform's lane that the platform
 * itself ended. A resumption ends what the same lane, scope and sender withdrew before it; on a tie the withdrawal
 * stays. It never ends what the person said to us.
 */
export function activeWithdrawals(state: ConsentState): readonly WithdrawalRegister[] {
  return state.withdrawals.filter((withdrawal) => endingResumption(state, withdrawal) === undefined);
}

/** The resumption that ended this withdrawal, if one did. */
export function endingResumption(state: ConsentState, withdrawal: WithdrawalRegister): ResumptionRegister | undefined {
  if (!isPlatformLane(withdrawal.lane)) return undefined;
  const key = platformLaneKey(withdrawal);
  const resumption = state.resumptions.find((register) => platformLaneKey(register) === key);
  if (resumption === undefined) return undefined;
  return resumptionInstantMs(resumption) > withdrawalInstantMs(withdrawal) ? resumption : undefined;
}

/** Epoch milliseconds that order a grant; an unreadable time is before everything. */
export function grantInstantMs(grant: GrantRegister): number {
  return instantMs(grant.requestedAt, Number.NEGATIVE_INFINITY);
}

/** Epoch milliseconds that order a withdrawal; an unreadable time is after everything. */
export function withdrawalInstantMs(withdrawal: WithdrawalRegister): number {
  return instantMs(withdrawal.effectiveAt, Number.POSITIVE_INFINITY);
}

function resumptionInstantMs(resumption: ResumptionRegister): number {
  return instantMs(resumption.occurredAt, Number.NEGATIVE_INFINITY);
}

function grantKey(grant: GrantRegister): string {
  return `${grant.basis}|${grant.purposeId}`;
}

function withdrawalKey(withdrawal: WithdrawalRegister): string {
  return `${withdrawal.lane}|${platformLaneKey(withdrawal)}`;
}

/** WhatsApp reports stop and resume per business number, so a resumption of one number says nothing of another. */
function platformLaneKey(register: { scope: Scope; senderId?: string }): string {
  return `${register.senderId ?? ''}|${scopeKey(register.scope)}`;
}

function isPlatformLane(lane: string): boolean {
  return lane === 'platform';
}

function isKnownBasis(basis: string): boolean {
  return basis === 'confirmed' || basis === 'stated' || basis === 'imported';
}
