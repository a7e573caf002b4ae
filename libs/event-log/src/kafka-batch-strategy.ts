import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { BaseRpcContext, Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { isObservable, lastValueFrom, throwError, type Observable } from 'rxjs';
import {
  BatchIntake,
  type IntakeOptions,
  type IntakeStatus,
  type OwnedPartition,
  type RecordBatch,
} from './batch-intake.ts';
import type { TopicPartition } from './event-log.ts';
import { kafkaGroupConsumer, type GroupConsumer } from './group-consumer.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import type { EventLogLogger } from './logger.ts';

export interface KafkaBatchStrategyOptions {
  readonly kafka: KafkaSettings;
  readonly groupId: string;
  readonly topics: readonly string[];
  /**
   * Called at each assignment before the first record of it: increments the epoch of each partition's checkpoint and
   * answers, per `topic/partition`, where to begin. Retried until it answers for every partition it was asked for.
   */
  take(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, { next: number; epoch: number }>>;
  /** Partitions were taken; none of their records was handed out yet. */
  onAssigned?(partitions: readonly OwnedPartition[]): void;
  /** Nothing is owned any more, until `onAssigned` is called again. */
  onRevoked?(): void;
  /** kafkajs gave up for good: end the process, so that the orchestrator starts it anew. */
  onFatal(error: Error): void;
  readonly logger: EventLogLogger;
  readonly clock: { monotonicMs(): number };
  /** Batches of different partitions handled at a time; those of one partition never overlap. */
  readonly concurrencyMax?: number;
}

/** While one partition waits for the database, others go on; more would only queue there. */
const CONCURRENCY_MAX = 4;

/**
 * Nest transport that hands whole batches of one partition to handlers, one `@EventPattern(topic)` per topic with one
 * `RecordBatch` as payload. What a handler throws is retried for ever (see `BatchIntake`); a record that cannot be
 * handled must be parked by the handler, never thrown. Use it with `RethrowRpcErrors` as a filter, else Nest replaces
 * what handlers throw and logs it.
 */
export class KafkaBatchStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('kafka-batches');
  /** Nest must not swallow a handler's error: a batch that failed is not a batch that was handled. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly options: KafkaBatchStrategyOptions;
  private readonly consumer: GroupConsumer;
  private readonly offsets: KafkaOffsets;
  private readonly intake: BatchIntake;

  constructor(options: KafkaBatchStrategyOptions) {
    super();
    this.options = options;
    this.offsets = new KafkaOffsets(options.kafka);
    const concurrencyMax = options.concurrencyMax ?? CONCURRENCY_MAX;
    this.consumer = kafkaGroupConsumer({ ...options, concurrencyMax });
    this.intake = new BatchIntake(this.intakeOptions(options, concurrencyMax));
  }

  /** Called by Nest. Fails when a topic has no handler or several, or no broker answers. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      for (const topic of this.options.topics) this.handlerOf(topic);
      await this.offsets.connect(this.options.topics);
      await this.intake.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** The partitions this member owns and whose checkpoints it has taken, with their epochs. */
  assigned(): readonly OwnedPartition[] {
    return this.intake.assigned();
  }

  /** For health and metrics: the state of the member and of each partition, with its lag. */
  consumerStatus(): IntakeStatus {
    return this.intake.status();
  }

  /** A partition that a consumer has lost behind its return is taken anew, if it is still this member's. */
  foundStale(partition: TopicPartition): void {
    this.intake.foundStale(partition);
  }

  /** Finishes the running batches, hands out no further one and leaves the group, so that others take over at once. */
  stopConsuming(): Promise<void> {
    return this.intake.stop();
  }

  /** Called by Nest at shutdown: `stopConsuming`, then closes the connections. */
  async close(): Promise<void> {
    await this.intake.stop();
    await Promise.all([this.consumer.disconnect(), this.offsets.close()]);
  }

  override on(): never {
    throw new Error('this transport has no events of its own');
  }

  // Nest's signature: the caller names the type.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  override unwrap<T>(): T {
    return this.intake as T;
  }

  private intakeOptions(options: KafkaBatchStrategyOptions, concurrencyMax: number): IntakeOptions {
    return {
      consumer: this.consumer,
      bounds: (partitions) => this.bounds(partitions),
      take: (partitions) => options.take(partitions),
      handle: (batch) => this.dispatch(batch),
      onAssigned: (partitions) => options.onAssigned?.(partitions),
      onRevoked: () => options.onRevoked?.(),
      onFatal: (error) => {
        options.onFatal(error);
      },
      logger: options.logger,
      clock: options.clock,
      concurrencyMax,
    };
  }

  private async bounds(
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<string, { start: number; end: number }>> {
    const [starts, ends] = await Promise.all([this.offsets.starts(partitions), this.offsets.ends(partitions)]);
    const bounds = new Map<string, { start: number; end: number }>();
    for (const [key, start] of starts) {
      const end = ends.get(key);
      if (end !== undefined) bounds.set(key, { start, end });
    }
    return bounds;
  }

  private async dispatch(batch: RecordBatch): Promise<void> {
    const context = new BaseRpcContext([batch.topic, batch.partition]);
    const result: unknown = await this.handlerOf(batch.topic)(batch, context);
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
  }

  private handlerOf(topic: string): (batch: RecordBatch, context: BaseRpcContext) => Promise<unknown> {
    const handler = this.getHandlerByPattern(topic);
    if (handler?.isEventHandler !== true) throw new Error(`no @EventPattern('${topic}') handles the topic ${topic}`);
    if (handler.next !== undefined) throw new Error(`several handlers for the topic ${topic}; one batch has one owner`);
    return handler;
  }
}

/**
 * Passes on what a handler threw, as it was. Nest's own filter replaces it by "Internal server error", which hides a
 * stale owner from the transport, and logs the original, which may quote what it handled.
 */
@Catch()
export class RethrowRpcErrors implements RpcExceptionFilter {
  catch(exception: unknown): Observable<never> {
    return throwError(() => exception);
  }
}
