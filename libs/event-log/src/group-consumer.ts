import type { Consumer, ConsumerConfig, EachBatchPayload, KafkaMessage } from 'kafkajs';
import { coPartitionAssigner } from './co-partition-assigner.ts';
import { RetryableHandlerError } from './event-log.errors.ts';
import { memberClientId, removeDepartedMembers } from './departed-members.ts';
import { partitionKey, type TopicPartition } from './event-log.ts';
import { CONNECTION_TIMEOUT_MS, kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { amendKafkajs, coveredMessages } from './kafkajs-internals.ts';

/** One partition's records of one fetch, before anything was checked. */
export interface GroupBatch extends TopicPartition {
  readonly highWatermark: number;
  readonly messages: readonly KafkaMessage[];
  /** `messages` and what lies between them without being shown (control records, aborted transactions). */
  readonly covered: readonly KafkaMessage[];
  /** Throws kafkajs's own error when the group is rebalancing or the coordinator cannot be reached. */
  heartbeat(): Promise<void>;
  /** The next fetch of this partition begins at `next`. */
  resolve(next: number): void;
  /** A seek came after the fetch, so these records are not the ones wanted. */
  isStale(): boolean;
}

/** What a group member tells about itself. None of these may throw. */
export interface GroupEvents {
  /** Called by kafkajs without waiting, before the first fetch of the new generation. */
  joined(assignment: readonly TopicPartition[]): void;
  /** The coordinator confirmed the membership. */
  confirmed(): void;
  rebalancing(): void;
  /** The fetch held nothing to show up to `last`: control records or aborted transactions only. */
  passedOver(partition: TopicPartition, first: number, last: number): void;
  crashed(error: Error, restarts: boolean): void;
  /** Resolves when the next fetch may begin. */
  batch(batch: GroupBatch): Promise<void>;
}

/** A member of a consumer group, as far as the intake needs one. */
export interface GroupConsumer {
  /** Connects and joins; resolves when the first generation has been joined. */
  start(events: GroupEvents): Promise<void>;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  seek(partition: TopicPartition, offset: number): void;
  /** Commits for lag tools; nothing here ever starts from a committed offset. */
  commit(offsets: readonly (TopicPartition & { next: number })[]): Promise<void>;
  /** Waits for the running batches, leaves the group. */
  stop(): Promise<void>;
  disconnect(): Promise<void>;
}

/**
 * A member that has not been heard of for this long loses its partitions to the others, so people of a process that is
 * gone wait this long for their messages. The least that a broker with its own defaults takes
 * (`group.min.session.timeout.ms`), and twelve heartbeats: no batch and no pause of a living process comes near. One that
 * loses its session all the same loses a rebalance and repeats a batch; the epochs of the checkpoints keep it harmless.
 */
export const SESSION_TIMEOUT_MS = 6_000;
/** A rebalance shows this fast, also to the waiting members; measured: joined after 0.36 s, left after 0.18 s. */
export const HEARTBEAT_INTERVAL_MS = 500;
/** How long the others wait for a member that is still at work before they go on without it. */
const REBALANCE_TIMEOUT_MS = 15_000;
/** How long an empty fetch waits, and with it how long a resumed partition waits for its first fetch. */
const FETCH_WAIT_MS = 100;
/** One batch at most, unless a single record is larger. */
const FETCH_BYTES_PER_PARTITION_MAX = 1024 * 1024;
const FETCH_BYTES_MAX = 10 * 1024 * 1024;
/** Also how soon a partition that had no leader is noticed to have one. */
const METADATA_AGE_MAX_MS = 5_000;
/** Also how soon a member looks for another coordinator when its own does not answer: half of the session. */
const REQUEST_TIMEOUT_MS = 3_000;
/**
 * Practically for ever: what kafkajs gives up on ends the consumer, and a broker may be away for long. The cluster
 * level takes its retries from the client, the consumer from its own configuration; both must say so.
 */
const RETRY = { retries: 100_000, initialRetryTime: 100, maxRetryTime: 500 };

interface GroupConsumerOptions {
  readonly kafka: KafkaSettings;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Batches of different partitions handled at a time. */
  readonly concurrencyMax: number;
}

/** A kafkajs consumer with a client of its own, without auto-commit and without auto-resolve. */
export function kafkaGroupConsumer(options: GroupConsumerOptions): GroupConsumer {
  amendKafkajs();
  const times = { connectionTimeoutMs: CONNECTION_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS, retry: RETRY };
  const consumer = kafkaClient({ ...options.kafka, clientId: memberClientId(options.kafka) }, times).consumer(
    consumerConfig(options.groupId),
  );
  return {
    start: async (events) => {
      listen(consumer, events);
      await removeDepartedMembers(options.kafka, options.groupId);
      await consumer.connect();
      await consumer.subscribe({ topics: [...options.topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: options.concurrencyMax,
        eachBatch: (payload) => deliver(payload, events),
      });
    },
    pause: (partitions) => {
      consumer.pause(byTopic(partitions));
    },
    resume: (partitions) => {
      consumer.resume(byTopic(partitions));
    },
    seek: ({ topic, partition }, offset) => {
      consumer.seek({ topic, partition, offset: String(offset) });
    },
    commit: (offsets) =>
      consumer.commitOffsets(offsets.map(({ topic, partition, next }) => ({ topic, partition, offset: String(next) }))),
    stop: () => consumer.stop(),
    disconnect: () => consumer.disconnect(),
  };
}

function consumerConfig(groupId: string): ConsumerConfig {
  return {
    groupId,
    partitionAssigners: [coPartitionAssigner],
    sessionTimeout: SESSION_TIMEOUT_MS,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_INTERVAL_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: FETCH_BYTES_PER_PARTITION_MAX,
    maxBytes: FETCH_BYTES_MAX,
    metadataMaxAge: METADATA_AGE_MAX_MS,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    retry: RETRY,
  };
}

function listen(consumer: Consumer, events: GroupEvents): void {
  const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH, START_BATCH_PROCESS } = consumer.events;
  consumer.on(GROUP_JOIN, ({ payload }) => {
    const assigned = Object.entries(payload.memberAssignment);
    events.joined(assigned.flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition }))));
  });
  consumer.on(HEARTBEAT, () => {
    events.confirmed();
  });
  consumer.on(REBALANCING, () => {
    events.rebalancing();
  });
  consumer.on(CRASH, ({ payload }) => {
    events.crashed(payload.error, payload.restart);
  });
  consumer.on(START_BATCH_PROCESS, ({ payload }) => {
    const first = payload.firstOffset as string | null; // null when the fetch brought nothing of what was asked for
    if (payload.batchSize > 0 || first === null) return; // has records: `eachBatch` is called
    events.passedOver(payload, Number(first), Number(payload.lastOffset));
  });
}

async function deliver(payload: EachBatchPayload, events: GroupEvents): Promise<void> {
  const { batch } = payload;
  try {
    await events.batch({
      topic: batch.topic,
      partition: batch.partition,
      highWatermark: Number(batch.highWatermark),
      messages: batch.messages,
      covered: coveredMessages(batch),
      heartbeat: () => payload.heartbeat(),
      resolve: (next) => {
        payload.resolveOffset(String(next - 1));
      },
      isStale: () => payload.isStale() || !payload.isRunning(),
    });
  } catch (error) {
    throw isKafkajsError(error) ? error : new RetryableHandlerError(partitionKey(batch), error);
  }
}

/** kafkajs acts on its own errors (it rejoins the group); wrapped, they would be taken for a handler's. */
export function isKafkajsError(error: unknown): error is Error & { type?: string } {
  return error instanceof Error && error.name.startsWith('KafkaJS');
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return [...topics].map(([topic, numbers]) => ({ topic, partitions: numbers }));
}
