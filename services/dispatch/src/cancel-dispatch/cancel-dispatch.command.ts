import type { AnyEvent, NewRecord } from '@assent/contracts';
import { Appender, type Clock, CLOCK, Problem, type RequestTrace } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler, QueryBus } from '@nestjs/cqrs';
import { Claims } from '../claims/claims.ts';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import type { DispatchDocument } from '../dispatch-ledger/dispatch.projection.ts';
import { isFinal, mayBeAtProvider } from '../dispatch-ledger/dispatch.state.ts';
import { noSuchDispatch } from '../search-dispatches/search-dispatches.controller.ts';
import { FindDispatch } from '../search-dispatches/search-dispatches.query.ts';

export class CancelDispatch {
  constructor(
    readonly tenant: string,
    readonly dispatchId: string,
    readonly trace: RequestTrace,
  ) {}
}

/** Cancels by compare-and-set on the claim, so that a call and a cancellation can't both win; then writes the fact. */
@CommandHandler(CancelDispatch)
export class CancelDispatchHandler implements ICommandHandler<CancelDispatch, NewRecord[]> {
  constructor(
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(Claims) private readonly claims: Claims,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ tenant, dispatchId, trace }: CancelDispatch): Promise<NewRecord[]> {
    const dispatch: DispatchDocument | undefined = await this.queries.execute(new FindDispatch(tenant, dispatchId));
    if (dispatch === undefined) throw noSuchDispatch();
    const { subjectId, _partition: partition, status } = dispatch;
    const isOver = mayBeAtProvider(dispatch) || (isFinal(status) && status !== 'cancelled');
    if (isOver || subjectId === undefined || partition === undefined) throw tooLate();
    if (!(await this.claims.cancel(dispatchId, partition, 'caller'))) throw tooLate();
    const event = cancellationByCaller({ tenant, dispatchId, subjectId, at: this.clock.now() });
    return this.appender.encode([{ ...event, ...trace }]);
  }
}

/** The fact of a cancellation by the team that asked; written again it is the same fact. */
export function cancellationByCaller(of: {
  readonly tenant: string;
  readonly dispatchId: string;
  readonly subjectId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}): AnyEvent {
  const { tenant, dispatchId, subjectId, at } = of;
  const reason = { code: 'cancelled-by-caller', text: 'It was cancelled by the team that asked for it.' };
  return dispatchEvent({
    type: 'dispatch.cancelled.v1',
    tenant,
    key: subjectId,
    at,
    data: { dispatchId, subjectId, reason, cause: { kind: 'caller' } },
    idParts: [dispatchId, 'caller'],
  });
}

function tooLate(): Problem {
  return new Problem({
    status: 409,
    code: 'already-sending',
    title: 'It can not be cancelled any more',
    detail: 'It is being sent right now, was sent, or has ended otherwise. Look at its status.',
  });
}
