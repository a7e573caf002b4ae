import { type Admin, Kafka, logLevel, Partitioners } from 'kafkajs';
import { until } from '../platform/soak-platform.ts';

const MOVED_TIMEOUT_MS = 30_000;

/** One partition of a topic. */
export interface LogPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where the copies of a partition are; for a partition that is meant to lose its leader. */
export class Copies {
  readonly #admin: Admin;

  private constructor(admin: Admin) {
    this.#admin = admin;
  }

  /** @param brokers host:port, separated by commas */
  static async open(brokers: string): Promise<Copies> {
    const retry = { retries: 5, initialRetryTime: 100, maxRetryTime: 500 };
    const admin = new Kafka({
      clientId: 'soak-copies',
      brokers: brokers.split(','),
      logLevel: logLevel.NOTHING,
      retry,
    }).admin();
    await admin.connect();
    return new Copies(admin);
  }

  /** The nodes that have a copy, the preferred leader first, and the one that leads (-1: nobody). */
  async of({ topic, partition }: LogPartition): Promise<{ replicas: readonly number[]; leader: number }> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
    if (found === undefined) throw new Error(`${topic} has no partition ${partition}`);
    return { replicas: found.replicas, leader: found.leader };
  }

  /** Copies the partition to these nodes and to no others; resolves when it is so. @throws Error when it does not happen */
  async move(log: LogPartition, replicas: readonly number[]): Promise<void> {
    const { topic, partition } = log;
    const ask = { topics: [{ topic, partitionAssignment: [{ partition, replicas: [...replicas] }] }] };
    let isAsked = false; // a second question would begin the copying anew
    const isMoved = async (): Promise<true | undefined> => {
      isAsked ||= await this.#admin.alterPartitionReassignments(ask).then(
        () => true,
        () => false,
      );
      const now = await this.of(log).catch(() => undefined);
      return now?.replicas.join() === replicas.join() && replicas.includes(now.leader) ? true : undefined;
    };
    if ((await until(isMoved, MOVED_TIMEOUT_MS)) === undefined)
      throw new Error(`${topic}/${partition} could not be moved to ${replicas.join(', ')}`);
  }

  /** Resolves when nobody leads the partition. @throws Error when somebody goes on leading it */
  async untilLeaderless(log: LogPartition): Promise<void> {
    const isLost = async (): Promise<true | undefined> =>
      (await this.of(log).catch(() => undefined))?.leader === -1 ? true : undefined;
    if ((await until(isLost, MOVED_TIMEOUT_MS)) === undefined) throw new Error('the partition still has a leader');
  }

  async close(): Promise<void> {
    await this.#admin.disconnect();
  }
}

/** Where every Kafka client puts the records of a key in a topic of so many partitions. */
export function partitionOfKey(key: string, partitions: number): number {
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 0 }));
  const partitioner = Partitioners.DefaultPartitioner() as unknown as (o: object) => number;
  return partitioner({ topic: '', partitionMetadata, message: { key, value: null } });
}
