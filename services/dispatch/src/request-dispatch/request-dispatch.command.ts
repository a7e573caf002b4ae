import { type AnyEvent, deterministicId, type NewRecord, type Reason } from '@assent/contracts';
import { Appender, type Clock, CLOCK, Problem, type RequestTrace } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import { heldRetryAt } from '../gate/gate.decider.ts';
import { PERSON_ERASED, SealedFields } from '../sealed-fields/sealed-fields.ts';
import type { DispatchRequest } from './dispatch-request.ts';
import { WeighRequest, type WeighedRequest } from './weigh-request.ts';

export class RequestDispatch {
  constructor(
    readonly tenant: string,
    readonly actor: string,
    readonly dispatchId: string,
    readonly request: DispatchRequest,
    readonly trace: RequestTrace,
  ) {}
}

const NOBODY: Reason = { code: 'no-consent', text: 'Nobody with this address has ever opted in.' };

export interface RequestedDispatch {
  readonly records: NewRecord[];
  readonly answer: Readonly<Record<string, unknown>>;
}

/**
 * Takes a message on, or refuses it with its reasons; both are facts. What may leave is planned for its earliest allowed
 * instant; what can't be known yet is held. Nothing leaves here: the gate decides again when it is due.
 */
@CommandHandler(RequestDispatch)
export class RequestDispatchHandler implements ICommandHandler<RequestDispatch, RequestedDispatch> {
  constructor(
    @Inject(WeighRequest) private readonly weigh: WeighRequest,
    @Inject(SealedFields) private readonly sealed: SealedFields,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute(command: RequestDispatch): Promise<RequestedDispatch> {
    const { tenant, dispatchId, request } = command;
    const requestId = deterministicId('http-request', tenant, dispatchId);
    const weighed = await this.weigh.execute(tenant, dispatchId, requestId, request);
    const { subjectId, addressKey, verdict } = weighed;
    if (verdict.verdict === 'refuse') return this.refused(command, weighed, verdict.reasons);
    if (subjectId === undefined || addressKey === undefined) {
      if (verdict.reasons.some(({ code }) => code === 'read-model-behind')) throw notKnownYet();
      return this.refused(command, weighed, [NOBODY, ...verdict.reasons]);
    }
    const sealed = await this.sealed.sealParameters({ tenant, subjectId }, request.parameters);
    if (sealed.kind === 'unavailable') throw keysUnavailable();
    if (sealed.kind === 'gone') return this.refused(command, weighed, [PERSON_ERASED]);
    const accepted = this.event(command, subjectId, 'dispatch.accepted.v1', {
      dispatchId,
      class: 'message',
      cause: weighed.wish.cause,
      subjectId,
      addressKey,
      purposeId: request.purposeId,
      category: weighed.wish.category,
      senderId: request.senderId,
      template: request.template,
      ...sealed.field,
      schedule: request.schedule,
      expiresAt: new Date(weighed.wish.expiresAt).toISOString(),
      requestedBy: command.actor,
    });
    const next = this.planned(command, subjectId, weighed);
    const answer = { dispatchId, ...next.answer };
    return { records: this.appender.encode([accepted, next.event]), answer };
  }

  /** Planned for the earliest allowed instant, or held when only a person or the next look can tell. */
  private planned(
    command: RequestDispatch,
    subjectId: string,
    { verdict, at, gate, wish }: WeighedRequest,
  ): { event: AnyEvent; answer: object } {
    const { dispatchId } = command;
    const reasons = [...verdict.reasons];
    const until = verdict.verdict === 'hold' ? verdict.until : at;
    const behind = verdict.reasons.some(({ code }) => code === 'read-model-behind');
    if (until === undefined || behind) {
      const retryAt = new Date(until ?? heldRetryAt(this.clock.now(), wish.expiresAt)).toISOString();
      const data = { dispatchId, subjectId, reasons, retryAt, gate };
      return { event: this.event(command, subjectId, 'dispatch.held.v1', data), answer: { status: 'held', reasons } };
    }
    const dueAt = new Date(until).toISOString();
    const event = this.event(command, subjectId, 'dispatch.planned.v1', {
      dispatchId,
      subjectId,
      dueAt,
      reasons,
      ...(verdict.verdict === 'hold' ? { gate } : {}),
    });
    return { event, answer: { status: 'planned', dueAt, reasons } };
  }

  private refused(
    command: RequestDispatch,
    { gate, subjectId, addressKey }: WeighedRequest,
    because: readonly Reason[],
  ): RequestedDispatch {
    const { dispatchId, request } = command;
    const reasons = [...because];
    const event = this.event(command, subjectId ?? addressKey ?? dispatchId, 'dispatch.refused.v1', {
      dispatchId,
      class: 'message',
      ...(subjectId === undefined ? {} : { subjectId }),
      ...(addressKey === undefined ? {} : { addressKey }),
      purposeId: request.purposeId,
      reasons,
      gate: { ...gate, verdict: 'refuse' },
    });
    return { records: this.appender.encode([event]), answer: { dispatchId, status: 'refused', reasons } };
  }

  private event<T extends Parameters<typeof dispatchEvent>[0]['type']>(
    { tenant, dispatchId, trace }: RequestDispatch,
    key: string,
    type: T,
    data: Parameters<typeof dispatchEvent<T>>[0]['data'],
  ): AnyEvent {
    return dispatchEvent({ type, tenant, key, at: this.clock.now(), data, idParts: [dispatchId], ...trace });
  }
}

/** Nobody is known by this address as far as we have read the log, which is not to its end. */
function notKnownYet(): Problem {
  return new Problem({
    status: 503,
    code: 'read-model-behind',
    title: 'It is not known yet who this is',
    detail: 'The read models are catching up with the log. Nothing was recorded; try again.',
    headers: { 'retry-after': '2' },
  });
}

function keysUnavailable(): Problem {
  return new Problem({
    status: 503,
    code: 'keys-unavailable',
    title: 'The parameters can not be sealed now',
    detail: 'The consent service does not answer. Nothing was recorded; try again.',
    headers: { 'retry-after': '5' },
  });
}
