import {
  type AnyEvent,
  deterministicId,
  EventEncodeError,
  type GateInputs,
  messageIdOf,
  type Reason,
} from '@assent/contracts';
import { partitionKey, type TopicPartition } from '@assent/event-log';
import type { Barrier, Checkpoints } from '@assent/projection';
import type { Appender, Clock, ClockCheck, NewId } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { errorClassOf } from '../call-whatsapp/error-classes.ts';
import type { BegunCall, CallOutcome, WhatsappClient } from '../call-whatsapp/whatsapp-client.ts';
import { cancellationByCaller } from '../cancel-dispatch/cancel-dispatch.command.ts';
import type { Claim, Claims } from '../claims/claims.ts';
import { dispatchEvent, type DispatchEventType, type DispatchFact } from '../dispatch-ledger/dispatch-events.ts';
import { type DispatchDocument, dispatchFold, wakeAtOf } from '../dispatch-ledger/dispatch.projection.ts';
import { attemptsThatCameToNothing, isFinal, mayBeAtProvider } from '../dispatch-ledger/dispatch.state.ts';
import { decideGate, type GateVerdict, heldRetryAt, RETRY_BEHIND_MS } from '../gate/gate.decider.ts';
import { gateInputsOf, type GateVersions } from '../gate/gate-inputs.ts';
import { BARRIER_TIMEOUT_MS, type GateReader, type GateReading } from '../gate/gate-reader.ts';
import type { SenderRates } from '../sender-rate/sender-rate.ts';
import { findSender } from '../senders/sender.projection.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { OpenedDispatch, OpenDispatch } from './open-dispatch.ts';

/** From before the end offsets are asked for to the first byte of the call. Source: docs/adr/0003. */
export const GATE_VALID_MS = 2_000;
/** What `dispatch.attempt-sent.v1` can say, a day: a process that was frozen for longer says a day. */
const CHECK_TO_CALL_MAX_MS = 86_400_000;
/** Attempts that the provider provably did not take; then a person has to look. */
const ATTEMPTS_MAX = 5;
/** Pause before attempt n is 2^n times this: WhatsApp asks for growing pauses (131056, 130429). */
const RETRY_BASE_MS = 4_000;
/**
 * Longest pause, as doublings of the base, after attempts whose decision was too old before the call could begin. A
 * provider that is slow to take connections must not fill the log with intents: up to 128 s. Where we were slow ourselves
 * the message is due now, and what one process can begin bounds the log: up to 8 s.
 */
const ABANDONED_DOUBLINGS_MAX = { 'connected-late': 5, 'too-late': 1 } as const;
/** One message to a person at a time, so that the gate of the second one sees the first; the second waits this long. */
const SAME_PERSON_WAIT_MS = 100;
/** When the consent service does not answer, its keys are asked for again this late. */
const KEY_RETRY_MS = 5_000;
/** The outcome of a call is appended until the log takes it: first pause and longest pause between two tries. */
const OUTCOME_RETRY_MIN_MS = 100;
const OUTCOME_RETRY_MAX_MS = 5_000;
/** While this process's clock is off nothing is due for it; it is looked at again this late, by the same clock. */
const CLOCK_RETRY_MS = 5_000;

export interface SendDispatchDeps {
  readonly db: Connection;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  readonly clockCheck: Pick<ClockCheck, 'offByMs'>;
  readonly newId: NewId;
  readonly appender: Appender;
  readonly claims: Claims;
  readonly gate: GateReader;
  readonly barrier: Pick<Barrier, 'reach'>;
  readonly rates: SenderRates;
  readonly whatsapp: Pick<WhatsappClient, 'send'>;
  readonly open: OpenDispatch;
  readonly versions: GateVersions;
  readonly metrics: DispatchMetrics;
  /** Epoch with which a partition is owned now, by whatever process. */
  readonly epochs: Pick<Checkpoints, 'epochOf'>;
  /** On in every build that runs; a test can switch it off to show that its checker finds the violations. */
  readonly gateValidMs?: number;
}

type SendableDispatch = DispatchDocument & { subjectId: string; addressKey: string; senderId: string };

interface Attempt {
  readonly dispatch: SendableDispatch;
  readonly attemptId: string;
  readonly fence: number;
}

/**
 * Carries out one due dispatch: fenced claim → barrier → decide → intent in the log → compare-and-set claimed to calling
 * → call → outcome (I2, I4). Every step that fails leaves a state from which the next owner goes on without a second
 * call. Answers when to look again (epoch ms); undefined when an event will tell or there is nothing left to do.
 */
export class SendDispatch {
  readonly #deps: SendDispatchDeps;
  /** People at the gate or in a call now. */
  readonly #busy = new Set<string>();
  #stopping = false;

  constructor(deps: SendDispatchDeps) {
    this.#deps = deps;
  }

  /** From now on an outcome that the log does not take is left to the next owner, which will call it unknown. */
  stop(): void {
    this.#stopping = true;
  }

  /** @param epochOf epoch with which this process owns `dispatch.events/<n>`; undefined when it does not own it */
  async execute(dispatchId: string, epochOf: (partition: string) => number | undefined): Promise<number | undefined> {
    const dispatch = await this.#find(dispatchId);
    const partition = dispatch?._partition;
    if (dispatch === undefined || partition === undefined || !isSendable(dispatch)) return undefined;
    const fence = epochOf(partition);
    if (fence === undefined || this.#isEarly(dispatch)) return undefined;
    if (await this.#isClockOff()) return this.#deps.clock.now() + CLOCK_RETRY_MS;
    const { subjectId } = dispatch;
    if (this.#busy.has(subjectId)) return this.#deps.clock.now() + SAME_PERSON_WAIT_MS;
    this.#busy.add(subjectId);
    try {
      const attemptId = this.#deps.newId();
      const claim = { _id: dispatchId, fence, attemptId, partition };
      const before = await this.#deps.claims.claim(claim, attemptsThatCameToNothing(dispatch));
      if (before === undefined) {
        await this.#finishCancellation(dispatch);
        return undefined;
      }
      return await this.#gate({ dispatch, attemptId, fence }, before);
    } finally {
      this.#busy.delete(subjectId);
    }
  }

  /**
   * Ends calls whose outcome nobody will write any more: nobody knows, and nobody calls again (I4). Those are calls of
   * earlier owners, once they have had time to end them, and calls of this one that ended in an error. Waits for our
   * read model of the partition first, so that an outcome in the log is seen; if it lags, the next round tries again.
   *
   * @param isRunning whether this process is at the dispatch now
   */
  async settleCalls(
    { topic, partition, epoch }: TopicPartition & { epoch: number },
    isRunning: (dispatchId: string) => boolean,
    earlierOwnersHaveEnded: boolean,
  ): Promise<void> {
    const left = (await this.#deps.claims.calling(partitionKey({ topic, partition }))).filter(
      ({ _id, fence }) => !isRunning(_id) && (fence === epoch || (fence < epoch && earlierOwnersHaveEnded)),
    );
    if (left.length === 0) return;
    const { behind } = await this.#deps.barrier.reach([{ topic, partition }], { timeoutMs: BARRIER_TIMEOUT_MS });
    if (behind.length > 0) return;
    for (const { _id, fence, attemptId } of left) {
      const dispatch = await this.#find(_id);
      const attempt = dispatch?.attempts.find((a) => a.attemptId === attemptId);
      // Its intent is held back behind a poison event; once that is mended there is an outcome to write.
      if (dispatch === undefined || attempt === undefined) continue;
      if (dispatch.subjectId !== undefined && attempt.outcome === 'intended') {
        await this.#unknown(dispatch, dispatch.subjectId, attemptId, 'The process ended during the call.');
      }
      await this.#deps.claims.endCall(_id, fence, attemptId);
    }
  }

  /** Not before its time, whatever woke us: what we were told may be older than the plan. */
  #isEarly(dispatch: DispatchDocument): boolean {
    const wakeAt = wakeAtOf(dispatch);
    return wakeAt !== undefined && Date.parse(wakeAt) > this.#deps.clock.now();
  }

  /** A fast clock would send before the time and outside the hours, and refuse as expired what is not (I3). */
  async #isClockOff(): Promise<boolean> {
    return (await this.#deps.clockCheck.offByMs()) !== 0;
  }

  /** The caller's cancellation stands since its compare-and-set; the fact is missing when that process ended there. */
  async #finishCancellation({ _id, tenant, subjectId }: SendableDispatch): Promise<void> {
    const claim = await this.#deps.claims.find(_id);
    if (claim?.state !== 'cancelled' || claim.cancelledBy !== 'caller') return;
    await this.#deps.appender.append([
      cancellationByCaller({ tenant, dispatchId: _id, subjectId, at: this.#deps.clock.now() }),
    ]);
  }

  async #gate(attempt: Attempt, before: Claim | 'fresh'): Promise<number | undefined> {
    const { dispatch, attemptId, fence } = attempt;
    const { claims, clock, gate, open } = this.#deps;
    const opened = await open.execute(dispatch);
    if (opened.kind === 'unavailable') return this.#release(attempt, clock.now() + KEY_RETRY_MS);
    if (opened.kind === 'gone')
      return this.#end(attempt, { code: 'address-gone', text: 'The address can not be read any more.' });
    if (await this.#isClockOff()) return this.#release(attempt, clock.now() + CLOCK_RETRY_MS);
    const sinceMs = clock.monotonicMs();
    const reading = await gate.read(opened.wish, opened.recipient, clock.now());
    const current = await this.#find(dispatch._id);
    if (current === undefined || isFinal(current.status)) {
      await claims.close(dispatch._id, fence, attemptId);
      return undefined;
    }
    const verdict = decideGate(reading.facts);
    const now: Attempt = { ...attempt, dispatch: { ...dispatch, ...current } };
    if (mayBeAtProvider(current)) {
      const isBehind = reading.facts.behind.length > 0;
      return isBehind ? this.#release(now, clock.now() + RETRY_BEHIND_MS) : this.#settleOwnTakeOver(now, before);
    }
    if (this.#isEarly(current)) return this.#release(now, undefined);
    this.#deps.metrics.decided(verdict);
    switch (verdict.verdict) {
      case 'refuse':
        return this.#refuse(now, verdict, this.#inputs(reading, verdict));
      case 'hold':
        return this.#hold(now, verdict, this.#inputs(reading, verdict));
      case 'allow':
        return this.#intend(now, opened, this.#inputs(reading, verdict), sinceMs);
    }
  }

  /**
   * The log has an attempt without an outcome. While there was a claim that was not in a call (`open`, `claimed`), no
   * attempt can be in one: it came to nothing. Without that proof nobody knows.
   */
  async #settleOwnTakeOver(attempt: Attempt, before: Claim | 'fresh'): Promise<number | undefined> {
    const { dispatch, attemptId, fence } = attempt;
    const { claims, clock } = this.#deps;
    const left = dispatch.attempts.filter(({ outcome }) => outcome === 'intended');
    if (dispatch.status !== 'attempting') {
      await claims.close(dispatch._id, fence, attemptId);
      return undefined;
    }
    if (before !== 'fresh' && (before.state === 'open' || before.state === 'claimed')) {
      for (const { attemptId: ended } of left)
        await this.#abandon({ ...attempt, attemptId: ended }, 'taken-over', 'Its owner ended before the call.');
      return this.#release(attempt, clock.now());
    }
    for (const { attemptId: ended } of left)
      await this.#unknown(dispatch, dispatch.subjectId, ended, 'No record tells whether this attempt called.');
    await claims.close(dispatch._id, fence, attemptId);
    return undefined;
  }

  async #intend(
    attempt: Attempt,
    opened: OpenedDispatch,
    gate: GateInputs,
    sinceMs: number,
  ): Promise<number | undefined> {
    const { dispatch, attemptId, fence } = attempt;
    const { claims, clock, rates } = this.#deps;
    const beginBeforeMs = sinceMs + (this.#deps.gateValidMs ?? GATE_VALID_MS);
    const waitMs = await rates.take(dispatch.senderId, await this.#rateOf(dispatch), clock.now());
    if (waitMs > 0) return this.#release(attempt, clock.now() + waitMs);
    const { cause } = opened.wish;
    await this.#append(dispatch, 'dispatch.attempt-intended.v1', [attemptId], {
      dispatchId: dispatch._id,
      attemptId,
      subjectId: dispatch.subjectId,
      addressKey: dispatch.addressKey,
      class: dispatch.class,
      cause,
      ...(dispatch.purposeId === undefined ? {} : { purposeId: dispatch.purposeId }),
      category: opened.wish.category,
      senderId: dispatch.senderId,
      fence,
      decidedAt: gate.decidedAt,
      gate,
    });
    if (!(await this.#stillOwns(attempt)) || !(await claims.startCalling(dispatch._id, fence, attemptId))) {
      await this.#abandon(attempt, 'claim-lost', 'Another process took over before the call.');
      return undefined;
    }
    const message = { ...opened.message, callbackData: callbackDataOf(attempt) };
    const outcome = await this.#deps.whatsapp.send(message, beginBeforeMs);
    if (outcome.kind !== 'not-begun') this.#countIfExpired(attempt, outcome, beginBeforeMs);
    return this.#record(attempt, outcome, sinceMs);
  }

  /** Residual (a) of docs/adr/0003: a process that is frozen right before the first byte can only tell afterwards. */
  #countIfExpired({ dispatch, attemptId }: Attempt, { begunAtMs }: BegunCall, beginBeforeMs: number): void {
    if (begunAtMs <= beginBeforeMs) return;
    this.#deps.metrics.calledAfterExpiry();
    const lateMs = Math.ceil(begunAtMs - beginBeforeMs);
    this.#deps.logger.warn(
      { attemptId, dispatchId: dispatch._id, lateMs },
      'a call may have begun after its decision had expired',
    );
  }

  /**
   * Two messages to one person are never decided on side by side, so that a cap that has room for one lets one pass: in
   * this process the second waits, and an owner that was replaced is found out here. Its intent is in the log before it
   * asks, so either its successor's barrier covers that intent and counts it, or the answer shows the successor.
   */
  async #stillOwns({ dispatch, fence }: Attempt): Promise<boolean> {
    const partition = Number(dispatch._partition?.split('/').at(-1));
    const epoch = await this.#deps.epochs.epochOf({ topic: 'dispatch.events', partition });
    return epoch !== undefined && epoch <= fence;
  }

  async #record(attempt: Attempt, outcome: CallOutcome, sinceMs: number): Promise<number | undefined> {
    const { dispatch, attemptId, fence } = attempt;
    const ids = { dispatchId: dispatch._id, attemptId, subjectId: dispatch.subjectId };
    switch (outcome.kind) {
      case 'not-begun':
        if (outcome.why === 'unreachable')
          return this.#failed(attempt, undefined, { errorClass: 'unreachable', retryable: true });
        await this.#abandon(attempt, 'gate-expired', 'The call could not begin while the decision was valid.');
        return this.#release(attempt, this.#deps.clock.now() + pauseAfterAbandoned(dispatch, outcome.why));
      case 'sent':
        this.#deps.metrics.sent(dispatch);
        await this.#appendOutcome([
          this.#event(dispatch, 'dispatch.attempt-sent.v1', [attemptId], {
            ...ids,
            messageId: messageIdOf(outcome.wamid),
            ...(outcome.messageStatus === undefined ? {} : { messageStatus: outcome.messageStatus }),
            checkToCallMs: Math.min(Math.max(0, Math.round(outcome.begunAtMs - sinceMs)), CHECK_TO_CALL_MAX_MS),
            ...(dispatch.purposeId === undefined ? {} : { purposeId: dispatch.purposeId }),
          }),
        ]);
        await this.#deps.claims.endCall(dispatch._id, fence, attemptId);
        return undefined;
      case 'refused':
        return this.#failed(attempt, outcome, errorClassOf(outcome.errorCode ?? 0));
      case 'unknown':
        await this.#unknown(
          dispatch,
          dispatch.subjectId,
          attemptId,
          `No answer proves or rules out that it was taken (${outcome.why}).`,
        );
        await this.#deps.claims.endCall(dispatch._id, fence, attemptId);
        return undefined;
    }
  }

  /** The provider provably did not take it: again after a growing pause, a bounded number of times. */
  async #failed(
    attempt: Attempt,
    outcome: { httpStatus: number; errorCode?: number } | undefined,
    errorClass: { errorClass: string; retryable: boolean },
  ): Promise<number | undefined> {
    const { dispatch, attemptId, fence } = attempt;
    const tries = dispatch.attempts.filter(({ outcome: told }) => told === 'failed').length + 1;
    const retryable = errorClass.retryable && tries < ATTEMPTS_MAX;
    const dueAt = this.#deps.clock.now() + RETRY_BASE_MS * 2 ** tries;
    const ids = { dispatchId: dispatch._id, subjectId: dispatch.subjectId };
    const failed = this.#event(dispatch, 'dispatch.attempt-failed.v1', [attemptId], {
      ...ids,
      attemptId,
      ...(outcome === undefined ? {} : { httpStatus: outcome.httpStatus }),
      ...(outcome?.errorCode === undefined ? {} : { errorCode: outcome.errorCode }),
      errorClass: errorClass.errorClass,
      retryable,
    });
    const text = `The provider did not take it (${errorClass.errorClass}); it is tried again later.`;
    const planned = this.#event(dispatch, 'dispatch.planned.v1', [attemptId, 'retry'], {
      ...ids,
      dueAt: new Date(dueAt).toISOString(),
      reasons: [{ code: 'retry-after-failure', text }],
    });
    await this.#appendOutcome(retryable ? [failed, planned] : [failed]);
    if (retryable) await this.#deps.claims.reopen(dispatch._id, fence, attemptId);
    else await this.#deps.claims.endCall(dispatch._id, fence, attemptId);
    return undefined;
  }

  async #refuse(attempt: Attempt, { reasons }: GateVerdict, gate: GateInputs): Promise<undefined> {
    const { dispatch, attemptId, fence } = attempt;
    await this.#append(dispatch, 'dispatch.refused.v1', [dispatch._id], {
      dispatchId: dispatch._id,
      class: dispatch.class,
      subjectId: dispatch.subjectId,
      addressKey: dispatch.addressKey,
      ...(dispatch.purposeId === undefined ? {} : { purposeId: dispatch.purposeId }),
      ...(dispatch.requestId === undefined ? {} : { requestId: dispatch.requestId }),
      reasons: [...reasons],
      gate,
    });
    await this.#deps.claims.close(dispatch._id, fence, attemptId);
    return undefined;
  }

  /**
   * What only waits for our own read models is written down once. What passes at a known time is planned for it. What a
   * person has to mend is looked at again after a while, because the mend may be anywhere: a zone, a replay, a sender.
   */
  async #hold(
    attempt: Attempt,
    { reasons, until }: GateVerdict & { verdict: 'hold' },
    gate: GateInputs,
  ): Promise<number | undefined> {
    const { dispatch } = attempt;
    const ids = { dispatchId: dispatch._id, subjectId: dispatch.subjectId, reasons: [...reasons] };
    const parts = [dispatch._id, gate.decidedAt];
    const isPassing = reasons.some(({ code }) => code === 'read-model-behind');
    if (isPassing && dispatch.status === 'held' && codes(dispatch.reasons) === codes(reasons))
      return this.#release(attempt, until);
    if (until !== undefined && !isPassing) {
      const dueAt = new Date(until).toISOString();
      await this.#append(dispatch, 'dispatch.planned.v1', parts, { ...ids, dueAt, gate });
    } else {
      const retryAt = new Date(until ?? heldRetryAt(this.#deps.clock.now(), expiryOf(dispatch))).toISOString();
      await this.#append(dispatch, 'dispatch.held.v1', parts, { ...ids, retryAt, gate });
    }
    return this.#release(attempt, isPassing ? until : undefined);
  }

  async #end(attempt: Attempt, reason: Reason): Promise<undefined> {
    const { dispatch, attemptId, fence } = attempt;
    await this.#append(dispatch, 'dispatch.refused.v1', [dispatch._id], {
      dispatchId: dispatch._id,
      class: dispatch.class,
      subjectId: dispatch.subjectId,
      reasons: [reason],
    });
    await this.#deps.claims.close(dispatch._id, fence, attemptId);
    return undefined;
  }

  async #abandon({ dispatch, attemptId }: Attempt, code: string, text: string): Promise<void> {
    const ids = { dispatchId: dispatch._id, attemptId, subjectId: dispatch.subjectId };
    const data = { ...ids, reason: { code, text } };
    await this.#appendOutcome([this.#event(dispatch, 'dispatch.attempt-abandoned.v1', [attemptId], data)]);
  }

  async #unknown(dispatch: DispatchDocument, subjectId: string, attemptId: string, text: string): Promise<void> {
    const data = { dispatchId: dispatch._id, attemptId, subjectId, reason: { code: 'outcome-unknown', text } };
    await this.#appendOutcome([
      this.#event({ ...dispatch, subjectId }, 'dispatch.attempt-unknown.v1', [attemptId], data),
    ]);
  }

  async #release({ dispatch, attemptId, fence }: Attempt, again: number | undefined): Promise<number | undefined> {
    await this.#deps.claims.reopen(dispatch._id, fence, attemptId);
    return again;
  }

  /** Appends what became of an attempt, until the log takes it or the process stops. */
  async #appendOutcome(events: readonly AnyEvent[]): Promise<void> {
    for (let pauseMs = OUTCOME_RETRY_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, OUTCOME_RETRY_MAX_MS)) {
      try {
        await this.#deps.appender.append(events);
        return;
      } catch (error) {
        if (this.#stopping || error instanceof EventEncodeError) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  async #append<T extends DispatchEventType>(
    dispatch: DispatchDocument & { subjectId: string },
    type: T,
    idParts: readonly string[],
    data: DispatchFact<T>['data'],
  ): Promise<void> {
    await this.#deps.appender.append([this.#event(dispatch, type, idParts, data)]);
  }

  #event<T extends DispatchEventType>(
    { tenant, subjectId: key }: DispatchDocument & { subjectId: string },
    type: T,
    idParts: readonly string[],
    data: DispatchFact<T>['data'],
  ): AnyEvent {
    return dispatchEvent({ type, tenant, key, at: this.#deps.clock.now(), data, idParts });
  }

  #inputs({ facts, reached }: GateReading, verdict: GateVerdict): GateInputs {
    return gateInputsOf(facts, verdict, reached, this.#deps.versions);
  }

  async #find(dispatchId: string): Promise<DispatchDocument | undefined> {
    const found = await this.#deps.db
      .collection<DispatchDocument>(dispatchFold.collection)
      .findOne({ _id: dispatchId }, { readPreference: 'primary' });
    return found ?? undefined;
  }

  async #rateOf({ tenant, senderId }: { tenant: string; senderId: string }): Promise<number> {
    return (await findSender(this.#deps.db, tenant, senderId))?.ratePerSecond ?? 1;
  }
}

/** Comes back in every status, so that a status needs no look-up: attempt, dispatch and subject, all pseudonyms. */
function callbackDataOf({ attemptId, dispatch }: Attempt): string {
  return `${attemptId}.${dispatch._id}.${dispatch.subjectId}`;
}

function pauseAfterAbandoned({ attempts }: DispatchDocument, why: keyof typeof ABANDONED_DOUBLINGS_MAX): number {
  const abandoned = attempts.filter(({ outcome }) => outcome === 'abandoned').length;
  return RETRY_BASE_MS * 2 ** Math.min(abandoned, ABANDONED_DOUBLINGS_MAX[why]);
}

/** Epoch milliseconds. Every accepted dispatch has one. */
function expiryOf({ expiresAt }: DispatchDocument): number {
  return expiresAt === undefined ? Infinity : Date.parse(expiresAt);
}

function isSendable(dispatch: DispatchDocument): dispatch is SendableDispatch {
  const open = dispatch.status === 'planned' || dispatch.status === 'held' || dispatch.status === 'attempting';
  return (
    open && dispatch.subjectId !== undefined && dispatch.addressKey !== undefined && dispatch.senderId !== undefined
  );
}

function codes(reasons: readonly Reason[]): string {
  return reasons.map(({ code }) => code).join(',');
}

/** Ids of facts that a dispatch causes by itself, for the tests that look for them. */
export const receiptDispatchId = (tenant: string, withdrawalId: string): string =>
  deterministicId('receipt', tenant, withdrawalId);
export const askDispatchId = (tenant: string, requestId: string): string => deterministicId('ask', tenant, requestId);
