import type { EventData } from '@assent/contracts';
import {
  Appender,
  type Clock,
  CLOCK,
  IdempotencyRecords,
  type RequestTrace,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Inject, Injectable } from '@nestjs/common';
import { policyEvent, type PolicyEventType } from './policy-events.ts';

/** The request that a fact of dispatch.policy is written for. */
export interface PolicyRequest {
  readonly tenant: string;
  readonly route: string;
  /** The caller's `Idempotency-Key`. */
  readonly key: string | undefined;
  readonly body: unknown;
  readonly trace: RequestTrace;
}

/** What was decided: the fact, and what the caller is told. */
export interface PolicyDecision<T extends PolicyEventType> {
  readonly type: T;
  /** Record key: the id of what it is about. */
  readonly key: string;
  readonly data: EventData[T];
  readonly answer: Readonly<Record<string, unknown>>;
  /** 201 when absent. */
  readonly status?: number;
}

/** Writes facts of dispatch.policy for the controllers that take them. */
@Injectable()
export class PolicyWrites {
  constructor(
    @Inject(IdempotencyRecords) private readonly records: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Decides one fact and appends it, once per key, as `IdempotencyRecords.run` says: the answer comes after the fact is
   * durable.
   *
   * @param decide gets the time of the fact, epoch ms; what it throws leaves no record
   */
  write<T extends PolicyEventType>(
    { trace, ...request }: PolicyRequest,
    decide: (at: number) => PolicyDecision<T> | Promise<PolicyDecision<T>>,
  ): Promise<WriteAnswer> {
    return this.records.run(request, async () => {
      const at = this.clock.now();
      const { type, key, data, answer, status = 201 } = await decide(at);
      const event = policyEvent({ type, tenant: request.tenant, key, at, data, trace });
      return { records: this.appender.encode([event]), status, answer };
    });
  }
}
