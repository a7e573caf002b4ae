import { createRequire } from 'node:module';
import type { Broker, Cluster, Kafka, KafkaMessage } from 'kafkajs';

/**
 * Everything of kafkajs 2.2.4 that is not its public interface is used here and nowhere else, each with its reason.
 * The version is pinned; the specs of this file fail if an upgrade moves what it relies on.
 */
const internal = createRequire(import.meta.url);

interface Protocol {
  readonly request: unknown;
  readonly response: { decode: (raw: Buffer) => Promise<unknown>; parse: (data: never) => Promise<unknown> };
}
interface ProtocolTable {
  protocol(version: { version: number | string }): (request: object) => Protocol;
}
interface BrokerInternals {
  readonly lookupRequest: (apiKey: number, table: ProtocolTable) => (request: object) => Protocol;
  readonly connectionPool: { send(protocol: Protocol): Promise<unknown> };
}
interface RequestQueueInternals {
  readonly pending: readonly unknown[];
}
interface RequestQueueClass {
  readonly prototype: { scheduleCheckPendingRequests: (this: RequestQueueInternals) => void };
}
interface MetadataResponse {
  readonly topicMetadata: { topicErrorCode: number; partitionMetadata: { partitionErrorCode: number }[] }[];
}

const apiKeys = internal('kafkajs/src/protocol/requests/apiKeys.js') as { ListOffsets: number; Fetch: number };
const listOffsets = internal('kafkajs/src/protocol/requests/listOffsets/index.js') as ProtocolTable;
const metadata = internal('kafkajs/src/protocol/requests/metadata/index.js') as ProtocolTable;
const RequestQueue = internal('kafkajs/src/network/requestQueue/index.js') as RequestQueueClass;
const FetchedBatch = internal('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  fetchedOffset: string,
  data: object,
) => FetchedBatch;

const NO_ERROR = 0;
const LEADER_NOT_AVAILABLE = 5;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

let amended = false;

/**
 * Two amendments of defects that reach the whole process; called before the first client is made.
 *
 * - Every connection of kafkajs re-arms a timer of about one millisecond for as long as it lives, also when nothing is
 *   pending (853 wake-ups a second measured on one idle connection; Node 24 warns of the negative delay). It is armed
 *   now only while something is pending.
 * - One partition without a leader makes kafkajs refuse the metadata of all topics it asked for, so that nothing can
 *   be sent, read or looked up anywhere. Now such a partition just has no leader (-1) and the others go on.
 */
export function amendKafkajs(): void {
  if (amended) return;
  amended = true;
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueueInternals): void {
    if (this.pending.length > 0) schedule.call(this);
  };
  const protocol = metadata.protocol.bind(metadata);
  metadata.protocol = (version) => (request) => {
    const { request: encoded, response } = protocol(version)(request);
    const parse = (data: MetadataResponse): Promise<unknown> => response.parse(withoutLeaderless(data) as never);
    return { request: encoded, response: { decode: response.decode, parse } };
  };
}

function withoutLeaderless(data: MetadataResponse): MetadataResponse {
  for (const topic of data.topicMetadata) {
    for (const partition of topic.partitionMetadata) {
      if (partition.partitionErrorCode === LEADER_NOT_AVAILABLE) partition.partitionErrorCode = NO_ERROR;
    }
  }
  return data;
}

export interface ClusterAccess {
  readonly cluster: Cluster;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

/**
 * The cluster object below a client, for requests the public interface cannot make. kafkajs hands it to partition
 * assigners, so a consumer that never runs (and so never joins a group) is the way to get one.
 */
export function clusterOf(kafka: Kafka, options: { metadataMaxAgeMs: number }): ClusterAccess {
  let captured: Cluster | undefined;
  const consumer = kafka.consumer({
    groupId: 'never-joined',
    metadataMaxAge: options.metadataMaxAgeMs,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        captured = cluster;
        return { name: 'never', version: 0, assign: () => Promise.resolve([]), protocol: neverJoins };
      },
    ],
  });
  if (captured === undefined) throw new Error('kafkajs did not hand its cluster to the assigner');
  return { cluster: captured, connect: () => consumer.connect(), disconnect: () => consumer.disconnect() };
}

function neverJoins(): never {
  throw new Error('this consumer must not join a group');
}

interface ListedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Asks for the end (-1) or the beginning (-2) of a partition. */
export type OffsetBound = -1 | -2;

/**
 * ListOffsets (READ_UNCOMMITTED) on one broker. kafkajs's own call throws the whole answer away when one partition
 * has an error; here the partitions that were answered are returned and the others are left out.
 */
export async function listOffsetsOf(
  broker: Broker,
  partitions: ReadonlyMap<string, readonly number[]>,
  bound: OffsetBound,
): Promise<ListedOffset[]> {
  const { lookupRequest, connectionPool } = broker as unknown as BrokerInternals;
  const topics = [...partitions].map(([topic, numbers]) => ({
    topic,
    partitions: numbers.map((partition) => ({ partition, timestamp: bound })),
  }));
  const build = lookupRequest(apiKeys.ListOffsets, listOffsets);
  const { request, response } = build({ isolationLevel: READ_UNCOMMITTED, topics });
  const unparsed = { request, response: { decode: response.decode, parse: (data: unknown) => Promise.resolve(data) } };
  const { responses } = (await connectionPool.send(unparsed as Protocol).catch(async (error: unknown) => {
    if ((error as Error).name === 'KafkaJSConnectionClosedError') await broker.disconnect(); // as kafkajs does itself
    throw error;
  })) as {
    responses: { topic: string; partitions: { partition: number; errorCode: number; offset: string }[] }[];
  };
  return responses.flatMap(({ topic, partitions: answers }) =>
    answers
      .filter(({ errorCode }) => errorCode === NO_ERROR)
      .map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
  );
}

/** What one fetch of one partition brought, seen as a kafkajs consumer sees it. */
export interface FetchedBatch {
  readonly highWatermark: string;
  /** Without control records and records of aborted transactions. */
  readonly messages: readonly KafkaMessage[];
  /** With them, from the fetched offset on: their offsets are taken although they are never delivered. */
  readonly messagesWithinOffset: readonly KafkaMessage[];
}

/** One fetch of one partition (READ_COMMITTED, as the consumers), which kafkajs offers to group members only. */
export async function fetchFrom(
  broker: Broker,
  at: { topic: string; partition: number; offset: number },
  limits: { bytesMax: number; waitMs: number },
): Promise<FetchedBatch> {
  const { topic, partition } = at;
  const fetchOffset = String(at.offset);
  const { responses } = (await broker.fetch({
    isolationLevel: READ_COMMITTED,
    maxWaitTime: limits.waitMs,
    minBytes: 1,
    maxBytes: limits.bytesMax,
    topics: [{ topic, partitions: [{ partition, fetchOffset, maxBytes: limits.bytesMax }] }],
  })) as { responses: { partitions: object[] }[] };
  const [data] = responses[0]?.partitions ?? [];
  if (data === undefined) throw new Error('a fetch was answered without its partition');
  return new FetchedBatch(topic, fetchOffset, data);
}

/**
 * The offsets a consumer's batch covers: kafkajs shows records only, but an offset may be taken by a control record of
 * somebody's transaction, which is not a gap.
 */
export function coveredMessages(batch: { readonly messages: readonly KafkaMessage[] }): readonly KafkaMessage[] {
  return (batch as Partial<FetchedBatch>).messagesWithinOffset ?? batch.messages;
}
