import type { LogRecord, NewRecord, Position } from '@assent/contracts';

/** One partition of one topic; `partition` counts from 0. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The key of a partition in every map of this library: `consent.events/3`. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

export interface AppendOptions {
  /** Sends through the producer kept free for withdrawals. Its order relative to other appends is not defined. */
  readonly urgent?: boolean;
}

/**
 * The log of record, as the services see it: append, bounded read, ends. Two implementations pass one contract suite
 * (`describeEventLogContract`): `KafkaEventLog` and, for tests, `InMemoryEventLog`.
 */
export interface EventLog {
  /**
   * Appends records and answers one position per record, in the order given. Resolves only after the broker
   * acknowledged every record with acks=all and named its offset; what has resolved survives the loss of any process
   * and, in production, of a broker. Records of one call with the same partition keep their order.
   *
   * Rejects with `AppendError`. Nothing of the call was sent for `record-too-large`, `append-too-large`,
   * `append-queue-full`, `unknown-partition` and `closed`. For `append-failed` the records at `failed` are
   * **ambiguous**: the broker may hold them, once or more often, although no acknowledgement came. The same is true of
   * every record of a process that dies in here. Repeating the append is the remedy and harmless, because event ids
   * are deterministic and every reader treats a repeat as the same fact; an acknowledgement to the outside may follow
   * a resolved append only.
   */
  append(records: readonly NewRecord[], options?: AppendOptions): Promise<Position[]>;

  /**
   * Reads the records of one partition with offsets in [from, to), in order, in batches of bounded size; no consumer
   * group is involved and nothing remains behind, whether the loop ends or is left early. `to` is usually an end
   * offset. Throws `ReadError`: `offset-out-of-range` when `from` lies before the oldest retained record or beyond the
   * end, `read-stalled` when `to` was not reached (the log is shorter, or the broker does not answer).
   */
  read(partition: TopicPartition, from: number, to: number): AsyncIterable<readonly LogRecord[]>;

  /**
   * End offset (the offset the next record will get, READ_UNCOMMITTED) per `topic/partition`, asked after the call
   * began: every append acknowledged before the call lies below. A partition that did not answer in time is missing
   * from the map; the call itself does not reject for it.
   */
  endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>;

  /** Offset of the oldest retained record per `topic/partition`; the same rules as `endOffsets`. */
  startOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>>;

  /** Number of partitions of a declared topic, fixed for life. Throws `AppendError` `unknown-partition` otherwise. */
  partitionCount(topic: string): number;

  /** The partition of a key: murmur2 over its UTF-8 bytes, as every Kafka client computes it. */
  partitionFor(topic: string, key: string): number;

  /** Waits for running appends, then closes every connection. Later calls reject with `closed`. */
  close(): Promise<void>;
}
