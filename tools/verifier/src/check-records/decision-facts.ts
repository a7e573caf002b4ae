import type { Place } from '../findings/findings.ts';
import type { LoggedEvent } from '../records/event.ts';

export interface Scope {
  readonly kind: string;
  readonly id?: string;
}

/** A fact and whose it is. Plain data: a run that was interrupted goes on with the facts it had. */
interface Fact {
  readonly tenant: string;
}

/** A fact in consent.events. */
interface ConsentFact extends Fact {
  readonly subjectId: string;
  readonly offset: number;
}

export interface Withdrawal extends ConsentFact {
  readonly kind: 'withdrawal';
  readonly scope: Scope;
  readonly lane: string;
  readonly senderId: string | undefined;
  readonly effectiveAt: string;
}

export interface Grant extends ConsentFact {
  readonly kind: 'grant';
  readonly purposeIds: readonly string[];
  readonly requestedAt: string;
}

export interface Resumption extends ConsentFact {
  readonly kind: 'resumption';
  readonly lane: string;
  readonly scope: Scope;
  readonly senderId: string | undefined;
  readonly occurredAt: string;
}

/** A fact in dispatch.events, at a leaf. */
interface DispatchFact extends Fact {
  readonly index: number;
  readonly offset: number;
}

export interface Acceptance extends DispatchFact {
  readonly kind: 'acceptance';
  readonly dispatchId: string;
  readonly class: string;
  readonly subjectId: string;
  readonly purposeId: string | undefined;
  readonly category: string;
  readonly senderId: string;
}

export interface Attempt extends DispatchFact {
  readonly kind: 'attempt';
  readonly eventId: string;
  readonly dispatchId: string;
  readonly attemptId: string;
  readonly subjectId: string;
  readonly class: string;
  readonly senderId: string;
  /** The gate had seen the log of the person's facts below this offset; undefined when it did not wait for that log. */
  readonly seen: number | undefined;
}

export interface Outcome extends DispatchFact {
  readonly kind: 'outcome';
  readonly attemptId: string;
}

/** What the checks of decisions rest on. */
export type DecisionFact = Withdrawal | Grant | Resumption | Acceptance | Attempt | Outcome;

/** Data of `dispatch.attempt-intended.v1`, as far as it matters here. */
export interface AttemptData {
  readonly dispatchId: string;
  readonly attemptId: string;
  readonly subjectId: string;
  readonly class: string;
  readonly senderId: string;
  readonly gate: { readonly verdict: string; readonly positions: Readonly<Record<string, number>> };
}

/**
 * What the checks need of an event; undefined when nothing. Its data was checked against its schema.
 * @param consentLog the log that holds the facts of the persons whom the event may be about
 */
export function decisionFact(
  { id, type, tenant, offset, data }: LoggedEvent,
  { index = 0 }: Place,
  consentLog: string,
): DecisionFact | undefined {
  switch (type) {
    case 'consent.withdrawn.v1': {
      const { subjectId, scope, lane, senderId, effectiveAt } = data as unknown as Withdrawal;
      return { kind: 'withdrawal', tenant, subjectId, offset, scope, lane, senderId, effectiveAt };
    }
    case 'consent.granted.v1': {
      const { basis, subjectId, purposeIds, requestedAt } = data as unknown as Grant & { basis: string };
      // Only a proven grant can outrun a withdrawal.
      return basis === 'confirmed' ? { kind: 'grant', tenant, subjectId, offset, purposeIds, requestedAt } : undefined;
    }
    case 'consent.resumed.v1': {
      const { subjectId, lane, scope, senderId, occurredAt } = data as unknown as Resumption;
      return { kind: 'resumption', tenant, subjectId, offset, lane, scope, senderId, occurredAt };
    }
    case 'dispatch.accepted.v1': {
      const { dispatchId, class: of, subjectId, purposeId, category, senderId } = data as unknown as Acceptance;
      const place = { tenant, index, offset };
      return { kind: 'acceptance', ...place, dispatchId, class: of, subjectId, purposeId, category, senderId };
    }
    case 'dispatch.attempt-intended.v1': {
      const { dispatchId, attemptId, subjectId, class: of, senderId, gate } = data as unknown as AttemptData;
      const seen = Object.hasOwn(gate.positions, consentLog) ? gate.positions[consentLog] : undefined;
      const ids = { tenant, index, offset, eventId: id, dispatchId, attemptId, subjectId };
      return { kind: 'attempt', ...ids, class: of, senderId, seen };
    }
    case 'dispatch.attempt-sent.v1':
    case 'dispatch.attempt-failed.v1':
    case 'dispatch.attempt-unknown.v1': {
      const { attemptId } = data as unknown as Outcome;
      return { kind: 'outcome', tenant, index, offset, attemptId };
    }
    default:
      return undefined;
  }
}
