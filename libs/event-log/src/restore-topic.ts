import kafkajs, { type Admin, CompressionTypes, type Kafka, type Message, type Producer } from 'kafkajs';
import type { LogRecord } from '@assent/contracts';
import { CONNECTION_TIMEOUT_MS, kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { amendKafkajs } from './kafkajs-internals.ts';
import type { DeclaredTopic } from './topic-declaration.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const RETRY = { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 };
/** Records of one request: with their batch overhead they stay below the largest batch a topic takes. */
const BATCH_RECORDS_MAX = 500;
const BATCH_BYTES_MAX = 1_000_000;
/** Not among the names that kafkajs exports to ES modules. */
const TOPIC_RESOURCE = kafkajs.ConfigResourceTypes.TOPIC;
const TIMESTAMP_TYPE = 'message.timestamp.type';

/** The records of one partition in order, from offset 0 on, without gaps. */
export type RestoredPartition = () => AsyncIterable<LogRecord>;

/** A topic cannot be restored: it holds records, or got others meanwhile. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly code = 'topic-not-restorable';
}

/**
 * Fills an empty topic with records as they were, their timestamps included: for the time it takes the topic keeps the
 * writer's timestamps instead of the broker's. Nothing else may use the topic meanwhile. Partition by partition, one
 * request at a time, each acknowledged by all replicas; answers how many records were appended. A failure in the middle
 * leaves a part of them: delete the topic, provision it and begin again.
 *
 * @throws RestoreError when the topic is not empty or others write to it
 */
export async function restoreTopic(
  settings: KafkaSettings,
  topic: DeclaredTopic,
  partitions: readonly RestoredPartition[],
): Promise<number> {
  amendKafkajs();
  const kafka = kafkaClient(settings, {
    connectionTimeoutMs: CONNECTION_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    retry: RETRY,
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    await assertEmpty(admin, topic, partitions.length);
    await configure(admin, topic, { ...topic.config, [TIMESTAMP_TYPE]: 'CreateTime' });
    return await restoreAll(kafka, topic.name, partitions).finally(() => configure(admin, topic, topic.config));
  } finally {
    await admin.disconnect();
  }
}

async function assertEmpty(admin: Admin, { name }: DeclaredTopic, partitions: number): Promise<void> {
  const offsets = await admin.fetchTopicOffsets(name);
  if (offsets.length !== partitions)
    throw new RestoreError(`${name} has ${offsets.length} partitions, not ${partitions}`);
  const used = offsets.filter(({ high }) => high !== '0');
  if (used.length === 0) return;
  throw new RestoreError(`${name} is not empty: it has records in ${used.length} of ${partitions} partitions`);
}

async function configure(
  admin: Admin,
  { name }: DeclaredTopic,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const configEntries = Object.entries(config).map(([entry, value]) => ({ name: entry, value }));
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC_RESOURCE, name, configEntries }] });
}

async function restoreAll(kafka: Kafka, topic: string, partitions: readonly RestoredPartition[]): Promise<number> {
  const producer = kafka.producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1, retry: { retries: 0 } });
  await producer.connect();
  try {
    let restored = 0;
    for (const [partition, records] of partitions.entries()) {
      restored += await restorePartition(producer, topic, partition, records);
    }
    return restored;
  } finally {
    await producer.disconnect();
  }
}

async function restorePartition(
  producer: Producer,
  topic: string,
  partition: number,
  records: RestoredPartition,
): Promise<number> {
  let [next, bytes] = [0, 0];
  let batch: Message[] = [];
  const send = async (): Promise<void> => {
    if (batch.length === 0) return;
    const [answer] = await producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages: batch });
    if (answer?.baseOffset !== String(next)) {
      throw new RestoreError(
        `${topic}/${partition} took records at ${answer?.baseOffset ?? 'no offset'}, not at ${next}`,
      );
    }
    next += batch.length;
    [batch, bytes] = [[], 0];
  };
  for await (const record of records()) {
    if (record.offset !== next + batch.length) {
      throw new RestoreError(`${topic}/${partition} has offset ${record.offset} after ${next + batch.length - 1}`);
    }
    batch.push(messageOf(record));
    bytes += record.value?.length ?? 0;
    if (batch.length >= BATCH_RECORDS_MAX || bytes >= BATCH_BYTES_MAX) await send();
  }
  await send();
  return next;
}

function messageOf({ partition, timestampMs, key, headers, value }: LogRecord): Message {
  const byName: Record<string, Buffer[]> = {};
  for (const header of headers) (byName[header.name] ??= []).push(Buffer.from(header.value));
  return {
    partition,
    timestamp: String(timestampMs),
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: byName,
  };
}
