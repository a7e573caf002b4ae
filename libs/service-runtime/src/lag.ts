import type { EventLog, KafkaBatchStrategy } from '@assent/event-log';
import type { BatchConsumers } from './batch-consumers.ts';
import type { HealthCheck } from './health.ts';

/** How far this process's consumers are behind the log. */
export class Lag {
  readonly #log: Pick<EventLog, 'endOffsets'>;
  readonly #consumers: BatchConsumers;
  readonly #strategy: Pick<KafkaBatchStrategy, 'assigned' | 'consumerStatus'>;

  constructor(
    log: Pick<EventLog, 'endOffsets'>,
    consumers: BatchConsumers,
    strategy: Pick<KafkaBatchStrategy, 'assigned' | 'consumerStatus'>,
  ) {
    this.#log = log;
    this.#consumers = consumers;
    this.#strategy = strategy;
  }

  /** Records behind by `topic/partition`; a partition whose end is not known is missing. */
  async byPartition(): Promise<Map<string, number>> {
    const owned = this.#strategy.assigned();
    const [ends, next] = await Promise.all([this.#log.endOffsets(owned), this.#consumers.next(owned)]);
    return new Map([...ends].map(([key, end]) => [key, Math.max(0, end - (next.get(key) ?? 0))]));
  }

  /**
   * A broker tells the end of some owned partition, or of any one when none is owned. One partition without a leader
   * holds its own recipients and is no reason to take the process from all the others.
   */
  kafkaCheck(): HealthCheck {
    return async () => {
      const owned = this.#strategy.assigned();
      const first = this.#consumers.topics.slice(0, 1).map((topic) => ({ topic, partition: 0 }));
      const asked = owned.length > 0 ? owned : first;
      const ends = await this.#log.endOffsets(asked);
      return ends.size > 0 ? undefined : `no end offset of any of ${String(asked.length)} partitions`;
    };
  }

  /** The consumer has joined its group; owning no partition is fine when there are more processes than partitions. */
  consumerCheck(): HealthCheck {
    return () => {
      const { state } = this.#strategy.consumerStatus();
      return Promise.resolve(state === 'consuming' ? undefined : `the consumer is ${state}`);
    };
  }

  /** No more than `lagMax` records behind over all owned partitions. */
  readModelsCheck(lagMax: number): HealthCheck {
    return async () => {
      let behind = 0;
      for (const events of (await this.byPartition()).values()) behind += events;
      return behind <= lagMax ? undefined : `${String(behind)} records behind, ${String(lagMax)} allowed`;
    };
  }
}
