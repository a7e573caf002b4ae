import { type AnyEvent, dataSchemaOf, deterministicId, type NewRecord } from '@assent/contracts';
import type { EventLog } from '@assent/event-log';
import type { Barrier } from '@assent/projection';
import { Appender, type Clock, CLOCK, DB, EVENT_LOG, Problem, type RequestTrace } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { causeAddressFold, type CauseAddressDocument } from '../causes/cause.projection.ts';
import { everyPartition } from '../recipient-lookup/recipient-lookup.ts';
import { BARRIER } from '../tokens.ts';

/** How long a lift waits to see causes that were written a moment ago. */
const FRESHNESS_TIMEOUT_MS = 1_500;

export class LiftSuppression {
  constructor(
    readonly tenant: string,
    readonly actor: string,
    readonly causeIds: readonly string[],
    readonly reason: string,
    readonly trace: RequestTrace,
  ) {}
}

/**
 * Ends causes by their ids; a lifted id stays dead. A withdrawal is no cause of ours: only the person can undo it, by a
 * new opt-in. Lifting what is lifted already is the same fact again.
 */
@CommandHandler(LiftSuppression)
export class LiftSuppressionHandler implements ICommandHandler<LiftSuppression, NewRecord[]> {
  constructor(
    @Inject(DB) private readonly db: Connection,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(BARRIER) private readonly barrier: Barrier,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ tenant, actor, causeIds, reason, trace }: LiftSuppression): Promise<NewRecord[]> {
    const byAddress = await this.addressesOf(tenant, causeIds);
    const events = [...byAddress].map(([addressKey, ids]): AnyEvent => ({
      id: deterministicId('cause-lifted', tenant, addressKey, ...ids),
      source: '/suppression',
      type: 'suppression.cause-lifted.v1',
      time: new Date(this.clock.now()).toISOString(),
      tenant,
      partitionKey: addressKey,
      dataSchema: dataSchemaOf('suppression.cause-lifted.v1'),
      ...trace,
      data: { addressKey, causeIds: [...ids], reason, actor },
    }));
    return this.appender.encode(events);
  }

  private async addressesOf(tenant: string, causeIds: readonly string[]): Promise<Map<string, readonly string[]>> {
    const partitions = everyPartition(this.log, 'suppression.events');
    const { behind } = await this.barrier.reach(
      partitions.map((partition) => ({ topic: 'suppression.events', partition })),
      { timeoutMs: FRESHNESS_TIMEOUT_MS },
    );
    const known = await this.db
      .collection<CauseAddressDocument>(causeAddressFold.collection)
      .find({ _id: { $in: [...causeIds] } }, { readPreference: 'primary' })
      .toArray();
    const byAddress = new Map<string, readonly string[]>();
    for (const causeId of [...new Set(causeIds)].sort()) {
      const cause = known.find(({ _id, tenant: owner }) => _id === causeId && owner === tenant);
      if (cause === undefined) throw behind.length > 0 ? readModelBehind() : notLiftable();
      byAddress.set(cause.addressKey, [...(byAddress.get(cause.addressKey) ?? []), causeId]);
    }
    return byAddress;
  }
}

/** It may be a cause that we have not read of yet. */
function readModelBehind(): Problem {
  return new Problem({
    status: 503,
    code: 'read-model-behind',
    title: 'The causes are not up to date',
    detail: 'Nothing was lifted; try again in a moment.',
    headers: { 'retry-after': '2' },
  });
}

function notLiftable(): Problem {
  return new Problem({
    status: 422,
    code: 'not-liftable',
    title: 'An id is not a cause that can be lifted',
    detail:
      'Nothing was lifted. Name ids of causes as /v1/suppressions answered them; only the person can undo a withdrawal.',
  });
}
