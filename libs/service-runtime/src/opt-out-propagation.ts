import type { EventType, LogRecord } from '@assent/contracts';
import { partitionKey } from '@assent/event-log';
import type { RecordBatch, TopicPartition } from '@assent/event-log';
import type { Projector } from '@assent/projection';
import type { Provider } from '@nestjs/common';
import { Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { BatchConsumer } from './batch-consumers.ts';
import type { Clock } from './clock.ts';
import { CLOCK, METRICS_REGISTRY } from './tokens.ts';

/** Upper bounds, seconds: from a consumer that is in step to one whose partition was taken over by another process. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];
const WITHDRAWN: EventType = 'consent.withdrawn.v1';
const utf8 = new TextDecoder();

/**
 * Reports how long withdrawals take to reach a read model: from the instant the log took the record until the batch that
 * holds it is applied and its checkpoint durable. Stands behind the projector among the consumers.
 *
 * Counts withdrawals recorded since this process began to consume, each once: not what a start catches up with or a
 * rebuild replays, but what came while a partition had no owner, with the time it had to wait for this one. The begin is
 * read from the broker's clock (LogAppendTime), the end from this process's; a negative difference counts as 0.
 */
export class OptOutPropagation implements BatchConsumer {
  readonly topics = ['consent.events'];
  readonly #readModels: Pick<Projector, 'next'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #seconds: Histogram;
  /** Next offset to look at, by `topic/partition`. */
  readonly #next = new Map<string, number>();
  #consumingSinceMs: number | undefined;

  constructor(deps: { registry: Registry; clock: Pick<Clock, 'now'>; readModels: Pick<Projector, 'next'> }) {
    this.#readModels = deps.readModels;
    this.#clock = deps.clock;
    this.#seconds = new Histogram({
      name: 'optout_propagation_seconds',
      help: 'From the instant the log took a withdrawal until the read model of this service has applied it.',
      buckets: BUCKETS_S,
      registers: [deps.registry],
    });
  }

  /** Begins where the read model stands: what an earlier owner has applied was counted by that one. */
  async take(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, { next: number; epoch: number }>> {
    this.#consumingSinceMs ??= this.#clock.now();
    for (const [partition, next] of await this.#readModels.next(partitions)) this.#next.set(partition, next);
    return new Map();
  }

  apply({ topic, partition, records }: RecordBatch): Promise<void> {
    const key = partitionKey({ topic, partition });
    const next = this.#next.get(key) ?? 0;
    const nowMs = this.#clock.now();
    for (const record of records) {
      if (record.offset >= next && this.#isLive(record) && typeOf(record) === WITHDRAWN)
        this.#seconds.observe(Math.max(0, nowMs - record.timestampMs) / 1_000);
    }
    this.#next.set(key, Math.max(next, (records.at(-1)?.offset ?? -1) + 1));
    return Promise.resolve();
  }

  #isLive({ timestampMs }: LogRecord): boolean {
    return timestampMs >= (this.#consumingSinceMs ?? Infinity);
  }
}

/** The type of an event without reading the rest of it: CloudEvents in binary mode. */
function typeOf({ headers }: LogRecord): string | undefined {
  const type = headers.find(({ name }) => name === 'ce_type');
  return type === undefined ? undefined : utf8.decode(type.value);
}

/** The provider of {@link OptOutPropagation} for the read models of a projector; name it right behind that projector. */
export function optOutPropagation(projectorToken: symbol): Provider {
  return {
    provide: OptOutPropagation,
    inject: [projectorToken, METRICS_REGISTRY, CLOCK],
    useFactory: (readModels: Projector, registry: Registry, clock: Clock) =>
      new OptOutPropagation({ readModels, registry, clock }),
  };
}
