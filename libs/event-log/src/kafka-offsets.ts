import type { Cluster } from 'kafkajs';
import { partitionKey, type TopicPartition } from './event-log.ts';
import { CONNECTION_TIMEOUT_MS, connectFailure, kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { amendKafkajs, clusterOf, listOffsetsOf, type ClusterAccess, type OffsetBound } from './kafkajs-internals.ts';
import { errorFields, silentLogger, type EventLogLogger } from './logger.ts';

/** Half of the 2 s within which a send must begin after its barrier was taken. */
const ANSWER_WITHIN_MS = 1_000;
/** A leader that was deposed while cut off still answers; after a second at most nobody asks it any more. */
const METADATA_AGE_MAX_MS = 1_000;
/** The first round, one after fresh metadata, one more for a leader that moves in between. */
const ROUNDS_MAX = 3;

const LATEST: OffsetBound = -1;
const EARLIEST: OffsetBound = -2;

/**
 * End and start offsets with one request per broker, and partial results: what was not answered in time is missing.
 * Metadata is fetched anew after any error and when it is a second old; everything else is one round trip.
 */
export class KafkaOffsets {
  private readonly access: ClusterAccess;
  private readonly logger: EventLogLogger;
  private readonly settings: KafkaSettings;

  constructor(settings: KafkaSettings) {
    amendKafkajs();
    this.settings = settings;
    this.logger = settings.logger ?? silentLogger;
    const times = { connectionTimeoutMs: CONNECTION_TIMEOUT_MS, requestTimeoutMs: ANSWER_WITHIN_MS };
    const kafka = kafkaClient(settings, times);
    this.access = clusterOf(kafka, { metadataMaxAgeMs: METADATA_AGE_MAX_MS });
  }

  /** Connects and loads the metadata of `topics`. Throws `KafkaUnreachableError`, or `TopicsDifferError` for a missing topic. */
  async connect(topics: readonly string[]): Promise<void> {
    try {
      await this.access.connect();
      await this.access.cluster.addMultipleTargetTopics([...topics]);
    } catch (error) {
      await this.close();
      throw connectFailure(this.settings, topics, error);
    }
  }

  /** Next offset per `topic/partition` (READ_UNCOMMITTED); see `EventLog.endOffsets`. */
  ends(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.ask(partitions, LATEST);
  }

  /** Oldest retained offset per `topic/partition`. */
  starts(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.ask(partitions, EARLIEST);
  }

  async close(): Promise<void> {
    await this.access.disconnect();
  }

  private async ask(partitions: readonly TopicPartition[], bound: OffsetBound): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    let late: NodeJS.Timeout | undefined;
    const inTime = new Promise<void>((resolve) => {
      late = setTimeout(resolve, ANSWER_WITHIN_MS);
    });
    try {
      await Promise.race([this.collect(partitions, bound, found), inTime]);
    } finally {
      clearTimeout(late);
    }
    return new Map(found); // what a late answer adds afterwards must not appear in the caller's hands
  }

  private async collect(
    partitions: readonly TopicPartition[],
    bound: OffsetBound,
    found: Map<string, number>,
  ): Promise<void> {
    const { cluster } = this.access;
    let missing = [...new Map(partitions.map((item) => [partitionKey(item), item])).values()];
    for (let round = 1; missing.length > 0 && round <= ROUNDS_MAX; round += 1) {
      try {
        await (round === 1 ? cluster.refreshMetadataIfNecessary() : cluster.refreshMetadata());
        await Promise.all(leadersOf(cluster, missing).map((group) => this.askBroker(group, bound, found)));
      } catch (error) {
        this.logger.debug(errorFields(error), 'offsets could not be asked for');
      }
      missing = missing.filter((item) => !found.has(partitionKey(item)));
    }
  }

  private async askBroker(group: LeaderGroup, bound: OffsetBound, found: Map<string, number>): Promise<void> {
    try {
      const broker = await this.access.cluster.findBroker({ nodeId: group.nodeId });
      for (const listed of await listOffsetsOf(broker, group.partitions, bound)) {
        if (listed.offset >= 0) found.set(partitionKey(listed), listed.offset);
      }
    } catch (error) {
      this.logger.debug({ nodeId: group.nodeId, ...errorFields(error) }, 'a broker did not answer for its offsets');
    }
  }
}

interface LeaderGroup {
  readonly nodeId: string;
  readonly partitions: ReadonlyMap<string, readonly number[]>;
}

/** The partitions by the broker that leads them; those without a leader, or unknown, are left out. */
export function leadersOf(cluster: Cluster, partitions: readonly TopicPartition[]): LeaderGroup[] {
  const groups = new Map<number, Map<string, number[]>>();
  for (const { topic, partition } of partitions) {
    const known = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
    if (known === undefined || known.leader < 0) continue;
    const topics = groups.get(known.leader) ?? new Map<string, number[]>();
    groups.set(known.leader, topics);
    topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  }
  return [...groups].map(([nodeId, topics]) => ({ nodeId: String(nodeId), partitions: topics }));
}
