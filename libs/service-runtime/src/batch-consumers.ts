import type { Provider } from '@nestjs/common';
import { partitionKey } from '@assent/event-log';
import type { EventLog, RecordBatch, TopicPartition } from '@assent/event-log';
import { Barrier, Projector } from '@assent/projection';
import type { Fold } from '@assent/projection';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Clock } from './clock.ts';
import { CLOCK, DB, EVENT_LOG, LOGGER, METRICS_REGISTRY } from './tokens.ts';

/**
 * Something that follows topics with checkpoints of its own: a `Projector`, or a reaction that appends facts (with
 * `Checkpoints` of the projection library). It is told about every record at least once and in order per partition, and
 * must skip what lies below its own checkpoint; `batch.epoch` is the transport's, its own epoch is what `take` gave it.
 */
export interface BatchConsumer {
  readonly topics: readonly string[];
  /** Prepares collections; runs at boot, before the first batch. */
  init?(): Promise<void>;
  /** Takes partitions over: raises their epochs and answers where to go on, by `topic/partition`. */
  take(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, { next: number; epoch: number }>>;
  /**
   * Checkpoints as stored (primary reads), or as this process holds them where it is ahead: the next offset wanted, by
   * `topic/partition`; 0 or missing when none is.
   * Left out by a consumer that keeps none and only looks on: nobody waits for it.
   */
  next?(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>;
  /** Applies a batch. Return: whatever came of it is durable. Throw: the strategy calls again with the same records. */
  apply(batch: RecordBatch): Promise<void>;
  /** Calls the listener after each move of a checkpoint by this process; spares waiting requests a pause. */
  onAdvanced?(listener: (partition: string, next: number) => void): unknown;
  /**
   * Left out by a consumer whose `apply` returns when everything is durable, its checkpoint too. One that writes later calls the listener
   * when it finds then that a partition has another owner: it is taken anew, if it is still this process's.
   */
  onLost?(listener: (partition: TopicPartition) => void): void;
}

/** Every consumer of a service behind one Kafka consumer: who is interested in a topic gets its batches, in order. */
export class BatchConsumers {
  /** What every consumer reads together, sorted. */
  readonly topics: readonly string[];
  readonly consumers: readonly BatchConsumer[];

  constructor(consumers: readonly BatchConsumer[]) {
    this.consumers = consumers;
    this.topics = [...new Set(consumers.flatMap(({ topics }) => topics))].sort();
  }

  async init(): Promise<void> {
    for (const consumer of this.consumers) await consumer.init?.();
  }

  /** Takes partitions over for every interested consumer; the start is the lowest of their checkpoints. */
  async take(partitions: readonly TopicPartition[]): Promise<Map<string, { next: number; epoch: number }>> {
    const merged = new Map<string, { next: number; epoch: number }>();
    for (const consumer of this.consumers) {
      for (const [key, { next, epoch }] of await consumer.take(interesting(consumer, partitions))) {
        const before = merged.get(key) ?? { next, epoch };
        merged.set(key, { next: Math.min(next, before.next), epoch: Math.max(epoch, before.epoch) });
      }
    }
    return merged;
  }

  /** The lowest checkpoint over every interested consumer that keeps one, by `topic/partition`. */
  async next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const lowest = new Map<string, number>();
    for (const consumer of this.consumers) {
      if (consumer.next === undefined) continue;
      const mine = interesting(consumer, partitions);
      const next = await consumer.next(mine);
      for (const key of mine.map(partitionKey)) {
        lowest.set(key, Math.min(next.get(key) ?? 0, lowest.get(key) ?? Number.MAX_SAFE_INTEGER));
      }
    }
    return lowest;
  }

  /** Gives a batch to each interested consumer in turn. What the first ones have applied they skip when it comes again. */
  async apply(batch: RecordBatch): Promise<void> {
    for (const consumer of this.consumers) if (consumer.topics.includes(batch.topic)) await consumer.apply(batch);
  }

  onAdvanced(listener: (partition: string, next: number) => void): void {
    for (const consumer of this.consumers) consumer.onAdvanced?.(listener);
  }

  onLost(listener: (partition: TopicPartition) => void): void {
    for (const consumer of this.consumers) consumer.onLost?.(listener);
  }
}

const interesting = (consumer: BatchConsumer, partitions: readonly TopicPartition[]): TopicPartition[] =>
  partitions.filter(({ topic }) => consumer.topics.includes(topic));

/** The provider of {@link BatchConsumers}: the tokens of everything in the service that follows topics, in order. */
export function batchConsumers(...tokens: readonly (symbol | (new (...args: never[]) => BatchConsumer))[]): Provider {
  return {
    provide: BatchConsumers,
    inject: [...tokens],
    useFactory: (...consumers: BatchConsumer[]) => new BatchConsumers(consumers),
  };
}

/** The provider of a `Projector` over the service's own database. */
export function projectorProvider(token: symbol, options: { projection: string; folds: readonly Fold[] }): Provider {
  return {
    provide: token,
    inject: [DB, LOGGER, CLOCK],
    useFactory: (db: Connection, logger: Logger, clock: Clock) => new Projector({ db, logger, clock, ...options }),
  };
}

/** The provider of the `Barrier` in front of a projector of this service; it counts the ends it does not believe. */
export function barrierProvider(token: symbol, projectorToken: symbol): Provider {
  return {
    provide: token,
    inject: [EVENT_LOG, projectorToken, CLOCK, LOGGER, METRICS_REGISTRY],
    useFactory: (log: EventLog, projector: Projector, clock: Clock, logger: Logger, registry: Registry) => {
      const staleEnds = new Counter({
        name: 'barrier_stale_end_offsets_total',
        help: 'End offsets below what the log is known to hold: from a deposed leader, or a log that lost records.',
        registers: [registry],
      });
      return new Barrier({
        log,
        next: (partitions) => projector.next(partitions),
        reader: projector,
        clock,
        logger,
        onStaleEnd: () => {
          staleEnds.inc();
        },
      });
    },
  };
}
