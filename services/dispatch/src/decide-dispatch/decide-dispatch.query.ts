import type { GateInputs, Reason } from '@assent/contracts';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { DispatchRequest } from '../request-dispatch/dispatch-request.ts';
import { WeighRequest } from '../request-dispatch/weigh-request.ts';

export class DecideDispatch {
  constructor(
    readonly tenant: string,
    readonly request: DispatchRequest,
  ) {}
}

/** The whole verdict of a message that is not sent. */
export interface DecidedDispatch {
  readonly verdict: 'allow' | 'hold' | 'refuse';
  readonly at: string;
  /** The earliest instant at which it would be allowed, when it is held until then. */
  readonly until?: string;
  readonly reasons: readonly Reason[];
  readonly gate: GateInputs;
}

/** Ids that no dispatch has: nothing is taken on by asking. */
const ASKED_ONLY = '00000000-0000-8000-8000-000000000000';

@QueryHandler(DecideDispatch)
export class DecideDispatchHandler implements IQueryHandler<DecideDispatch, DecidedDispatch> {
  constructor(@Inject(WeighRequest) private readonly weigh: WeighRequest) {}

  async execute({ tenant, request }: DecideDispatch): Promise<DecidedDispatch> {
    const { verdict, at, gate } = await this.weigh.execute(tenant, ASKED_ONLY, ASKED_ONLY, request);
    const until = verdict.verdict === 'hold' ? verdict.until : undefined;
    return {
      verdict: verdict.verdict,
      at: new Date(at).toISOString(),
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      reasons: verdict.reasons,
      gate,
    };
  }
}
