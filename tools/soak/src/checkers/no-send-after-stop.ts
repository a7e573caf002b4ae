import { type Attempt, attemptIdOf, attemptsOf } from './attempts.ts';
import {
  type ConsentFacts,
  consentFactsOf,
  covers,
  isUndone,
  type Placed,
  type Scope,
  type Withdrawal,
} from './consent-facts.ts';
import type { AcknowledgedWrite, CallRecord, RawRecord } from './evidence.ts';

/** docs/adr/0003: from before the end offsets are asked for to the first byte of the call. */
export const GATE_VALID_MS = 2_000;
/** docs/adr/0003 and the public promise: one receipt, soon or not at all. */
const RECEIPT_WITHIN_MS = 300_000;

/** A STOP that was acknowledged to whoever told it. */
export interface AcknowledgedStop extends AcknowledgedWrite {
  readonly subjectId: string;
  readonly scope: Scope;
}

/** A process that may call was frozen; monotonic milliseconds. */
export interface FrozenSpan {
  readonly part: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface StopEvidence {
  readonly records: readonly RawRecord[];
  readonly calls: readonly CallRecord[];
  readonly stops: readonly AcknowledgedStop[];
  readonly pauses: readonly FrozenSpan[];
  /** Everything is checked; what happened before this (epoch ms) was counted by an earlier run. Absent: all counts. */
  readonly countFromMs?: number;
}

export interface StopFindings {
  readonly violations: readonly { readonly invariant: string; readonly what: string }[];
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * I2 on raw evidence: 1. no message's call begins later than GATE_VALID_MS after an acknowledged STOP that covers it;
 * 2. no message was decided after the acknowledgement; 3. no message's position vector covers an earlier STOP, and each
 * vector names the logs its person lives in; 4. receipts: caused by a withdrawal that owes one and that the decision
 * had waited for, one each, within five minutes; 5. opt-in questions: of a request that the decision had waited for, and
 * after a STOP only when the person's own later message started them; 6. every call has its intent in the log, and one
 * call each; 7. nothing else is sent: no class without a rule here. A late call that a recorded pause between check and
 * call explains is counted, not a violation (the residual of docs/adr/0003).
 */
export function checkNoSendAfterStop(evidence: StopEvidence): StopFindings {
  const checker = new StopChecker(evidence);
  return checker.check();
}

class StopChecker {
  readonly #evidence: StopEvidence;
  readonly #facts: ConsentFacts;
  readonly #attempts: ReadonlyMap<string, Attempt>;
  readonly #violations: { invariant: string; what: string }[] = [];
  readonly #stopsOf: ReadonlyMap<string, readonly AcknowledgedStop[]>;
  readonly #withdrawalsOf: ReadonlyMap<string, readonly Withdrawal[]>;
  readonly #counts = {
    messageCalls: 0,
    receiptCalls: 0,
    askCalls: 0,
    callsAfterStop: 0,
    callsAcrossPause: 0,
    callsLateAcrossPause: 0,
  };
  readonly #highest = { maxCallAfterStopMs: 0, maxCheckToCallMs: 0 };

  constructor(evidence: StopEvidence) {
    this.#evidence = evidence;
    this.#facts = consentFactsOf(evidence.records);
    this.#attempts = attemptsOf(evidence.records);
    this.#stopsOf = grouped(evidence.stops);
    this.#withdrawalsOf = grouped(this.#facts.withdrawals);
  }

  check(): StopFindings {
    this.#checkCalls();
    for (const attempt of this.#attempts.values()) {
      this.#checkDecision(attempt);
      this.#checkVectorIsWhole(attempt);
    }
    this.#checkReceipts();
    const stops = this.#evidence.stops.filter(({ acknowledgedAtMs }) => this.#isCounted(acknowledgedAtMs)).length;
    const counts = { stops, ...this.#counts };
    return { violations: this.#violations, counts: { ...counts, ...this.#highest } };
  }

  #isCounted(atMs: number): boolean {
    return atMs >= (this.#evidence.countFromMs ?? -Infinity);
  }

  #found(what: string, invariant = 'I2'): void {
    this.#violations.push({ invariant, what });
  }

  #checkCalls(): void {
    const seen = new Set<string>();
    for (const call of this.#evidence.calls) {
      const attemptId = attemptIdOf(call) ?? '';
      const attempt = this.#attempts.get(attemptId);
      if (attempt === undefined) {
        this.#found(`call ${call.seq} has no intent in the log`, 'I4');
        continue;
      }
      if (seen.has(attemptId)) this.#found(`attempt ${attemptId} was called twice`, 'I4');
      seen.add(attemptId);
      this.#checkCall(call, attempt);
    }
  }

  #checkCall(call: CallRecord, attempt: Attempt): void {
    const decidedAtMs = attempt.decidedAtMs - (call.receivedAtMs - call.receivedAtMonotonicMs);
    const gap = { fromMs: decidedAtMs, toMs: call.receivedAtMonotonicMs };
    const frozenMs = longestOverlap(gap, this.#evidence.pauses);
    const isMessage = attempt.class === 'message';
    const afterStopMs = isMessage ? this.#longestAfterStop(attempt, gap.toMs) : 0;
    const isFrozenBetween = frozenMs > 0 && gap.toMs - gap.fromMs - frozenMs <= GATE_VALID_MS;
    const isLate = afterStopMs > GATE_VALID_MS;
    if (isLate && !isFrozenBetween)
      this.#found(`call ${call.seq} of ${attempt.attemptId} began ${ms(afterStopMs)} after an acknowledged STOP`);
    if (!this.#isCounted(call.receivedAtMs)) return;
    if (isMessage) this.#counts.messageCalls += 1;
    if (attempt.class === 'withdrawal-receipt') this.#counts.receiptCalls += 1;
    if (attempt.class === 'opt-in-ask') this.#counts.askCalls += 1;
    if (afterStopMs > 0) this.#counts.callsAfterStop += 1;
    if (frozenMs > 0) this.#counts.callsAcrossPause += 1;
    if (isLate && isFrozenBetween) this.#counts.callsLateAcrossPause += 1;
    if (!isLate) this.#highest.maxCallAfterStopMs = Math.max(this.#highest.maxCallAfterStopMs, afterStopMs);
    if (frozenMs === 0)
      this.#highest.maxCheckToCallMs = Math.max(this.#highest.maxCheckToCallMs, gap.toMs - gap.fromMs);
  }

  /** Milliseconds from the acknowledgement of the earliest STOP that covers the message to an instant; 0 when none. */
  #longestAfterStop(attempt: Attempt, atMonotonicMs: number): number {
    const after = this.#coveringStops(attempt).map((stop) => atMonotonicMs - stop.acknowledgedAtMonotonicMs);
    return Math.max(0, ...after);
  }

  /** Acknowledged STOPs that forbid this message, as of the attempt's own place in time. */
  #coveringStops(attempt: Attempt): readonly AcknowledgedStop[] {
    return (this.#stopsOf.get(attempt.subjectId) ?? []).filter(
      (stop) =>
        covers(stop.scope, attempt) &&
        !isUndone(
          this.#facts,
          // Loose where the acknowledgement alone can't tell: the rule about vectors knows the withdrawal itself.
          { ...stop, effectiveAtMs: stop.begunAtMs, lane: 'platform' },
          attempt,
          ({ recordedAtMs }) => recordedAtMs <= attempt.recordedAtMs,
        ),
    );
  }

  #checkDecision(attempt: Attempt): void {
    switch (attempt.class) {
      case 'message':
        this.#checkMessageDecision(attempt);
        break;
      case 'opt-in-ask':
        this.#checkAskDecision(attempt);
        break;
      case 'withdrawal-receipt':
        break; // judged by its call
      default:
        this.#found(`attempt ${attempt.attemptId} is of the class "${attempt.class}", for which there is no rule`);
    }
  }

  #checkMessageDecision(attempt: Attempt): void {
    const late = this.#coveringStops(attempt).filter((stop) => stop.acknowledgedAtMs < attempt.decidedAtMs);
    if (late.length > 0) {
      const byMs = Math.max(...late.map((stop) => attempt.decidedAtMs - stop.acknowledgedAtMs));
      this.#found(`attempt ${attempt.attemptId} was allowed ${ms(byMs)} after an acknowledged STOP`);
    }
    for (const withdrawal of this.#covered(attempt)) {
      if (isUndone(this.#facts, withdrawal, attempt, isCoveredBy(attempt))) continue;
      this.#found(`attempt ${attempt.attemptId} had waited for the STOP at ${withdrawal.log}@${withdrawal.offset}`);
    }
  }

  /** Withdrawals that cover the message and lie below the attempt's vector. */
  #covered(attempt: Attempt): readonly Withdrawal[] {
    const all = this.#withdrawalsOf.get(attempt.subjectId) ?? [];
    return all.filter((withdrawal) => isCoveredBy(attempt)(withdrawal) && covers(withdrawal.scope, attempt));
  }

  /** The person's consent and dispatch logs must be in the vector, or the decision did not wait for them. */
  #checkVectorIsWhole(attempt: Attempt): void {
    for (const log of [this.#facts.logOf.get(attempt.subjectId), attempt.log]) {
      if (log !== undefined && attempt.positions[log] === undefined)
        this.#found(`attempt ${attempt.attemptId} did not wait for ${log}`);
    }
  }

  #checkAskDecision(attempt: Attempt): void {
    const request = this.#facts.requests.get(attempt.cause.id);
    if (request === undefined || !isCoveredBy(attempt)(request)) {
      this.#found(`the question of ${attempt.attemptId} was asked for by nobody`);
      return;
    }
    const forbids = this.#covered(attempt).filter(
      ({ effectiveAtMs }) => !request.selfStarted || effectiveAtMs >= request.requestedAtMs,
    );
    if (forbids.length > 0) this.#found(`the question of ${attempt.attemptId} was asked in spite of an earlier STOP`);
  }

  #checkReceipts(): void {
    const called = new Map<string, number>();
    for (const call of this.#evidence.calls) {
      const attempt = this.#attempts.get(attemptIdOf(call) ?? '');
      if (attempt?.class !== 'withdrawal-receipt') continue;
      const withdrawal = (this.#withdrawalsOf.get(attempt.subjectId) ?? []).find(
        ({ withdrawalId }) => withdrawalId === attempt.cause.id,
      );
      if (withdrawal?.receiptDue !== true || !isCoveredBy(attempt)(withdrawal)) {
        this.#found(`the receipt of ${attempt.attemptId} is owed to nobody`);
        continue;
      }
      const lateMs = call.receivedAtMs - withdrawal.recordedAtMs;
      if (lateMs > RECEIPT_WITHIN_MS)
        this.#found(`the receipt of ${attempt.attemptId} came ${ms(lateMs)} after the STOP`);
      if (call.outcome === 'accepted')
        called.set(withdrawal.withdrawalId, (called.get(withdrawal.withdrawalId) ?? 0) + 1);
    }
    for (const [withdrawalId, count] of called)
      if (count > 1) this.#found(`withdrawal ${withdrawalId} got ${count} receipts`);
  }
}

function isCoveredBy(attempt: Attempt): (placed: Placed) => boolean {
  return ({ log, offset }) => (attempt.positions[log] ?? 0) > offset;
}

/** How much of a span one part was frozen in, at most. */
function longestOverlap(span: { fromMs: number; toMs: number }, pauses: readonly FrozenSpan[]): number {
  const perPart = new Map<string, number>();
  for (const { part, fromMs, toMs } of pauses) {
    const overlap = Math.min(span.toMs, toMs) - Math.max(span.fromMs, fromMs);
    if (overlap > 0) perPart.set(part, (perPart.get(part) ?? 0) + overlap);
  }
  return Math.max(0, ...perPart.values());
}

function grouped<T extends { readonly subjectId: string }>(items: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.subjectId);
    if (group === undefined) groups.set(item.subjectId, [item]);
    else group.push(item);
  }
  return groups;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
