import { createRequire } from 'node:module';
import kafkajs, { type Broker, type Cluster, type Kafka, type KafkaMessage } from 'kafkajs';

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
  readonly requestTimeout: number;
  readonly broker: string;
  rejectAll(error: Error): void;
}
interface RequestQueueClass {
  readonly prototype: {
    scheduleCheckPendingRequests: (this: RequestQueueInternals) => void;
    waitForPendingRequests: (this: RequestQueueInternals) => Promise<void>;
  };
}
interface MetadataResponse {
  readonly topicMetadata: { topicErrorCode: number; partitionMetadata: { partitionErrorCode: number }[] }[];
}

interface BrokerClass {
  readonly prototype: { connect: (this: { readonly brokerAddress: string }) => Promise<void> };
}
interface RunnerInternals {
  readonly running: boolean;
  readonly fetchManager: { stop(): Promise<void> };
}
interface RunnerClass {
  readonly prototype: { fetch: (this: RunnerInternals, nodeId: number) => Promise<unknown> };
}
interface ConsumerGroupInternals {
  readonly groupId: string;
  readonly cluster: { findGroupCoordinator(group: { groupId: string }): Promise<object> };
  readonly offsetManager: { coordinator: object } | null;
  coordinator: object | null;
  /** Wall clock of the last heartbeat, epoch ms. */
  lastRequest: number;
}
interface ConsumerGroupClass {
  readonly prototype: {
    joinAndSync: (this: ConsumerGroupInternals) => Promise<void>;
    heartbeat: (this: ConsumerGroupInternals, options: { interval: number }) => Promise<void>;
  };
}
interface ClusterClass {
  readonly prototype: { findGroupCoordinatorMetadata: (group: object) => Promise<object> };
}
interface OffsetManagerInternals {
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
  committedOffsets(): Record<string, Record<number, string>>;
}
interface OffsetManagerClass {
  readonly prototype: { resolveOffsets: (this: OffsetManagerInternals) => Promise<void> };
}

const apiKeys = internal('kafkajs/src/protocol/requests/apiKeys.js') as { ListOffsets: number; Fetch: number };
const listOffsets = internal('kafkajs/src/protocol/requests/listOffsets/index.js') as ProtocolTable;
const metadata = internal('kafkajs/src/protocol/requests/metadata/index.js') as ProtocolTable;
const RequestQueue = internal('kafkajs/src/network/requestQueue/index.js') as RequestQueueClass;
const BrokerOfKafkajs = internal('kafkajs/src/broker/index.js') as BrokerClass;
const ConsumerGroup = internal('kafkajs/src/consumer/consumerGroup.js') as ConsumerGroupClass;
const ClusterOfKafkajs = internal('kafkajs/src/cluster/index.js') as ClusterClass;
const OffsetManager = internal('kafkajs/src/consumer/offsetManager/index.js') as OffsetManagerClass;
const Runner = internal('kafkajs/src/consumer/runner.js') as RunnerClass;
const FetchedBatch = internal('kafkajs/src/consumer/batch.js') as new (
  topic: string,
  fetchedOffset: string,
  data: object,
) => FetchedBatch;

/** Not among the names that kafkajs exports to ES modules. */
const { KafkaJSConnectionError, KafkaJSProtocolError } = kafkajs;

const NO_ERROR = 0;
const REBALANCE_IN_PROGRESS = { type: 'REBALANCE_IN_PROGRESS', code: 27, retriable: false };
const NO_COORDINATOR = { type: 'GROUP_COORDINATOR_NOT_AVAILABLE', code: 15, retriable: true };
const LEADER_NOT_AVAILABLE = 5;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

let amended = false;

/**
 * Amendments of defects that reach the whole process; called before the first client is made.
 *
 * - Every connection of kafkajs re-arms a timer of about one millisecond for as long as it lives, also when nothing is
 *   pending (853 wake-ups a second measured on one idle connection; Node 24 warns of the negative delay). It is armed
 *   now only while something is pending.
 * - A request that leaves in the moment in which its connection is closed has no time limit any more. When the socket
 *   ends, the connection waits for the answer for ever, and counts as connected all the while; so does everybody who
 *   shares that wait, such as a consumer for the metadata, which then never joins again. The loops of one client that
 *   look for a broker that is away close each other's connections, so it happens. Now such answers are given up.
 * - One partition without a leader makes kafkajs refuse the metadata of all topics it asked for, so that nothing can
 *   be sent, read or looked up anywhere. Now such a partition just has no leader (-1) and the others go on.
 * - A broker that accepts a connection and then says nothing is asked again and again; now it counts as one that refuses
 *   connections, so the next one is asked.
 * - A member of a group does not survive the loss of its coordinator; see `amendMembership`.
 * - A consumer that is stopped in the moment in which it notices that a broker came or went makes new fetchers after it
 *   has told the old ones to end. They ask for ever, without a pause, so that the process does nothing else any more: no
 *   timer, no signal. Now they end.
 * - A member that joins looks up committed offsets, and the ends of the partitions that have none, and fetches nothing
 *   at all while one of these has no leader. Ours begin at their own checkpoints, and ask for neither now.
 */
export function amendKafkajs(): void {
  if (amended) return;
  amended = true;
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests;
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueueInternals): void {
    if (this.pending.length > 0) schedule.call(this);
  };
  amendClosing();
  const protocol = metadata.protocol.bind(metadata);
  metadata.protocol = (version) => (request) => {
    const { request: encoded, response } = protocol(version)(request);
    const parse = (data: MetadataResponse): Promise<unknown> => response.parse(withoutLeaderless(data) as never);
    return { request: encoded, response: { decode: response.decode, parse } };
  };
  const { connect } = BrokerOfKafkajs.prototype;
  BrokerOfKafkajs.prototype.connect = async function (this: { readonly brokerAddress: string }): Promise<void> {
    try {
      await connect.call(this);
    } catch (error) {
      const broker = this.brokerAddress;
      if ((error as Error).name !== 'KafkaJSRequestTimeoutError') throw error;
      throw new KafkaJSConnectionError('The broker says nothing', { broker, code: 'ETIMEDOUT' });
    }
  };
  const { fetch } = Runner.prototype;
  Runner.prototype.fetch = function (this: RunnerInternals, nodeId: number): Promise<unknown> {
    if (!this.running) void this.fetchManager.stop(); // to wait here would be to wait for ourselves
    return fetch.call(this, nodeId);
  };
  amendMembership();
  const { resolveOffsets } = OffsetManager.prototype;
  const begun = new WeakSet<OffsetManagerInternals>();
  OffsetManager.prototype.resolveOffsets = function (this: OffsetManagerInternals): Promise<void> {
    if (begun.has(this)) return resolveOffsets.call(this); // an offset was out of range: the log has to be asked
    begun.add(this);
    const offsets = this.committedOffsets();
    for (const [topic, partitions] of Object.entries(this.memberAssignment)) {
      offsets[topic] = { ...Object.fromEntries(partitions.map((partition) => [partition, '0'])), ...offsets[topic] };
    }
    return Promise.resolve();
  };
}

function amendClosing(): void {
  const { waitForPendingRequests } = RequestQueue.prototype;
  RequestQueue.prototype.waitForPendingRequests = async function (this: RequestQueueInternals): Promise<void> {
    const late = setTimeout(() => {
      this.rejectAll(new KafkaJSConnectionError('Closed before an answer came', { broker: this.broker }));
    }, this.requestTimeout);
    await waitForPendingRequests.call(this);
    clearTimeout(late);
  };
}

/** What a heartbeat fails with when the coordinator is gone, rather than of another opinion. */
const UNANSWERED = new Set(['KafkaJSConnectionError', 'KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError']);

/** What a heartbeat fails with when the member has to join anew. */
export const MEMBERSHIP_LOST: ReadonlySet<string> = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'NOT_COORDINATOR_FOR_GROUP',
  'UNKNOWN_MEMBER_ID',
]);

/**
 * kafkajs looks for the coordinator of its group when it joins and never again: while that broker does not answer, a
 * member fetches between one lost heartbeat and the next, is expelled by the coordinator that took over, and does not
 * notice. It looks again now whenever a heartbeat was not answered. And a member that has to join anew is told so at
 * every heartbeat until it has: a handler may hear of it first, beside the fetching that does the joining; and a join
 * that was cut short would otherwise leave the member with the assignment it has just given up. And while no broker
 * can be asked who coordinates, it asks again; kafkajs ends the consumer for good then.
 *
 * kafkajs also counts the time to the next heartbeat by the wall clock: one that was fast and is put right, by an hour,
 * made a member silent for that hour, expelled and unaware of it. A timer tells now when a heartbeat is due.
 */
function amendMembership(): void {
  const { findGroupCoordinatorMetadata } = ClusterOfKafkajs.prototype;
  ClusterOfKafkajs.prototype.findGroupCoordinatorMetadata = async function (group): Promise<object> {
    try {
      return await findGroupCoordinatorMetadata.call(this, group);
    } catch (error) {
      if ((error as Error).name !== 'KafkaJSGroupCoordinatorNotFound') throw error;
      throw new KafkaJSProtocolError(Object.assign(new Error('No broker told the coordinator'), NO_COORDINATOR));
    }
  };
  const quiet = new WeakSet<ConsumerGroupInternals>();
  const beQuiet = (group: ConsumerGroupInternals, forMs: number): void => {
    quiet.add(group);
    setTimeout(() => quiet.delete(group), forMs).unref();
  };
  /** One look of a group at a time, however many of its batches wait for it. */
  const looking = new WeakMap<ConsumerGroupInternals, Promise<object>>();
  const lookAgain = (group: ConsumerGroupInternals): Promise<object> => {
    const look = looking.get(group) ?? group.cluster.findGroupCoordinator(group).finally(() => looking.delete(group));
    looking.set(group, look);
    return look;
  };
  const { joinAndSync, heartbeat } = ConsumerGroup.prototype;
  const lost = new WeakMap<ConsumerGroupInternals, Error>();
  ConsumerGroup.prototype.joinAndSync = async function (this: ConsumerGroupInternals): Promise<void> {
    lost.set(this, new KafkaJSProtocolError(Object.assign(new Error('join anew'), REBALANCE_IN_PROGRESS)));
    await joinAndSync.call(this);
    lost.delete(this);
  };
  ConsumerGroup.prototype.heartbeat = async function (this: ConsumerGroupInternals, options): Promise<void> {
    const told = lost.get(this);
    if (told !== undefined) throw told;
    const isDue = !quiet.has(this);
    if (isDue) this.lastRequest = 0;
    try {
      await heartbeat.call(this, options);
      if (isDue) beQuiet(this, options.interval);
    } catch (error) {
      if (MEMBERSHIP_LOST.has((error as { type?: string }).type ?? '')) lost.set(this, error as Error);
      if (!UNANSWERED.has((error as Error).name)) throw error;
      this.coordinator = await lookAgain(this);
      if (this.offsetManager !== null) this.offsetManager.coordinator = this.coordinator;
      throw error;
    }
  };
}

/** What kafkajs makes of a coordinator that does not answer. */
export function unansweredHeartbeat(): Error {
  return new KafkaJSConnectionError('A heartbeat was not answered within a session');
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
