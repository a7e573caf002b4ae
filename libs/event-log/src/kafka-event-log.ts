import type { LogRecord, NewRecord, Position } from '@assent/contracts';
import { AppendQueue, DEFAULT_APPEND_LIMITS, type AppendLimits, type BatchProducer } from './append-queue.ts';
import { AppendError, ReadError } from './event-log.errors.ts';
import type { AppendOptions, EventLog, TopicPartition } from './event-log.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import { DEFAULT_READ_LIMITS, readPartition, type ReadLimits } from './kafka-reader.ts';
import { CONNECTION_TIMEOUT_MS, connectFailure, kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { amendKafkajs } from './kafkajs-internals.ts';
import { partitionCountOf, prepareRecords, type PartitionCounts } from './log-record.ts';
import { silentLogger } from './logger.ts';
import { partitionOfKey } from './murmur2.ts';

export interface KafkaEventLogOptions extends KafkaSettings {
  /** Partition counts of the topics this process may touch, from the declaration `verifyTopics` checked. */
  readonly topics: PartitionCounts;
  readonly append?: Partial<AppendLimits>;
  readonly read?: Partial<ReadLimits>;
}

/** The `EventLog` on Kafka, over kafkajs 2.2.4. */
export class KafkaEventLog implements EventLog {
  private readonly options: KafkaEventLogOptions;
  private readonly offsets: KafkaOffsets;
  private readonly queue: AppendQueue;
  private readonly urgentQueue: AppendQueue;
  private closed = false;

  private constructor(options: KafkaEventLogOptions) {
    const limits = { ...DEFAULT_APPEND_LIMITS, ...options.append };
    const logger = options.logger ?? silentLogger;
    const createProducer = (): Promise<BatchProducer> => connectProducer(options, limits);
    this.options = options;
    this.offsets = new KafkaOffsets(options);
    this.queue = new AppendQueue(createProducer, limits, logger);
    this.urgentQueue = new AppendQueue(createProducer, limits, logger);
  }

  /**
   * Connects both producers and the offset lookup. Throws `KafkaUnreachableError` when no broker answers and
   * `TopicsDifferError` when a topic is missing; whether they are as declared is `verifyTopics`'s question.
   */
  static async connect(options: KafkaEventLogOptions): Promise<KafkaEventLog> {
    const log = new KafkaEventLog(options);
    try {
      await log.offsets.connect(Object.keys(options.topics));
      await Promise.all([log.queue.connect(), log.urgentQueue.connect()]);
      return log;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  async append(records: readonly NewRecord[], options: AppendOptions = {}): Promise<Position[]> {
    const prepared = prepareRecords(records, this.options.topics);
    return (options.urgent === true ? this.urgentQueue : this.queue).append(prepared);
  }

  async *read(tp: TopicPartition, from: number, to: number): AsyncGenerator<readonly LogRecord[]> {
    if (this.closed) throw new ReadError('closed', 'the event log is closed');
    yield* readPartition(this.options, tp, { from, to }, { ...DEFAULT_READ_LIMITS, ...this.options.read });
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    this.refuseWhenClosed();
    return this.offsets.ends(partitions);
  }

  async startOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    this.refuseWhenClosed();
    return this.offsets.starts(partitions);
  }

  partitionCount(topic: string): number {
    return partitionCountOf(this.options.topics, topic);
  }

  partitionFor(topic: string, key: string): number {
    return partitionOfKey(key, this.partitionCount(topic));
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([this.queue.close(), this.urgentQueue.close()]);
    await this.offsets.close();
  }

  private refuseWhenClosed(): void {
    if (this.closed) throw new AppendError('closed', 'the event log is closed');
  }
}

/**
 * No idempotence, no transactions (kafkajs loses acknowledged messages with the one and can't fence zombies with the
 * other), no retries of its own: `AppendQueue` retries, knowing what was proven. Every message names its partition.
 */
async function connectProducer(settings: KafkaSettings, limits: AppendLimits): Promise<BatchProducer> {
  amendKafkajs();
  const times = { connectionTimeoutMs: CONNECTION_TIMEOUT_MS, requestTimeoutMs: limits.sendTimeoutMs };
  const producer = kafkaClient(settings, times).producer({
    createPartitioner: () => partitionOfMessage,
    allowAutoTopicCreation: false,
    maxInFlightRequests: 1,
    retry: { retries: 0 },
  });
  try {
    await producer.connect();
  } catch (error) {
    await producer.disconnect();
    throw connectFailure(settings, [], error);
  }
  return producer;
}

function partitionOfMessage({ message }: { message: { partition?: number } }): number {
  if (message.partition === undefined) throw new TypeError('a message must name its partition');
  return message.partition;
}
