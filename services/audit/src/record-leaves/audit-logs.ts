import type { TopicName } from '@assent/contracts';
import { partitionKey, type RecordBatch, type TopicPartition } from '@assent/event-log';
import type { BatchConsumer } from '@assent/service-runtime';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { LOGGED_TOPICS, logPrefix } from '../merkle-logs/log-layout.ts';
import { MerkleLogError } from '../merkle-logs/merkle-logs.errors.ts';
import { type LogGrowth, type LogSurroundings, TopicLog } from '../merkle-logs/topic-log.ts';

/** Leaves of one log that wait in memory before its batch waits for the disk: eight of the strategy's usual batches. */
const UNSIGNED_LEAVES_MAX = 4_096;
/** The same in bytes of entries and values. */
const UNSIGNED_BYTES_MAX = 16_777_216;
/** Logs that are committed at the same time: each syncs a few files, and the thread pool has four threads. */
const COMMITS_AT_ONCE = 4;

/** Leaves of a log that another process took before they were signed: they wait for that one's signature. */
interface HandedOver {
  /** Monotonic ms. */
  readonly sinceMs: number;
  /** The offset after the last of them. */
  readonly nextOffset: number;
}

/** How many leaves a topic's logs gained, for the metrics. */
export type OnLeaves = (topic: string, leaves: number) => void;

/**
 * Turns every record of every logged topic into a leaf.
 *
 * `apply` returns when the leaves are in memory, not when they are durable: a commit, at the latest half a second later,
 * makes many batches durable together. Nothing is lost by that, because a partition that is taken again goes on after
 * its last signed leaf (`next` and `take` know no other), so the topic is read again from there.
 */
export class AuditLogs implements BatchConsumer {
  readonly topics: readonly TopicName[] = LOGGED_TOPICS;
  private readonly logs = new Map<string, TopicLog>();
  private readonly handedOver = new Map<string, HandedOver>();
  private lost: (log: TopicPartition) => void = () => undefined;

  constructor(
    private readonly around: LogSurroundings,
    private readonly onLeaves: OnLeaves,
  ) {}

  async take(partitions: readonly TopicPartition[]): Promise<Map<string, { next: number; epoch: number }>> {
    const taken = new Map<string, { next: number; epoch: number }>();
    for (const partition of partitions) {
      const key = partitionKey(partition);
      const before = this.logs.get(key);
      this.logs.delete(key);
      await before?.settled();
      const log = await TopicLog.take({ ...partition, topic: loggedTopic(partition.topic) }, this.around);
      this.logs.set(key, log);
      this.handedOver.delete(key);
      taken.set(key, { next: log.nextSignedOffset, epoch: log.epoch });
    }
    return taken;
  }

  /** Calls the listener when a commit finds that another process took a log. */
  onLost(listener: (log: TopicPartition) => void): void {
    this.lost = listener;
  }

  /** The first offset without a signed leaf, from the folder, whoever owns the log. */
  async next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const entries = partitions.map(async (partition) => {
      const files = new LogFiles(this.around.store, logPrefix(partition));
      return [partitionKey(partition), await files.nextOffset()] as const;
    });
    return new Map(await Promise.all(entries));
  }

  /**
   * Appends a batch's records in memory, and waits for the disk when too many wait already.
   * @throws MerkleLogError `stale-owner` when the log was taken by somebody else meanwhile
   */
  async apply(batch: RecordBatch): Promise<void> {
    const log = this.logs.get(partitionKey(batch));
    // The batch's epoch is the highest of all consumers': above the log's when the folder is younger than MongoDB.
    if (log === undefined || batch.epoch < log.epoch || !batch.isCurrent()) {
      throw new MerkleLogError('stale-owner', `${partitionKey(batch)} is not owned under epoch ${batch.epoch}`);
    }
    for (const record of batch.records) {
      log.add(record);
      const { leaves, bytes } = log.unsigned;
      if (leaves < UNSIGNED_LEAVES_MAX && bytes < UNSIGNED_BYTES_MAX) continue;
      await this.commit(batch.topic, log);
      await batch.heartbeat();
    }
  }

  /** How long the oldest leaf that nobody has signed has waited, of those that this process was given, ms. */
  get unsignedForMs(): number {
    const nowMs = this.around.clock.monotonicMs();
    const elsewhere = [...this.handedOver.values()].map(({ sinceMs }) => nowMs - sinceMs);
    return Math.max(0, ...[...this.logs.values()].map((log) => log.unsignedForMs), ...elsewhere);
  }

  /**
   * Commits every log that grew. Answers what was signed, and what failed beside it: one log's failure does not keep
   * the others from being signed. A log that somebody else took is let go.
   */
  async commitGrown(): Promise<{ grown: LogGrowth[]; failed: { name: string; error: unknown }[] }> {
    const waiting = [...this.logs].filter(([, log]) => log.unsigned.leaves > 0);
    const grown: LogGrowth[] = [];
    const failed: { name: string; error: unknown }[] = [];
    const workers = Array.from({ length: COMMITS_AT_ONCE }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const [key, log] = next;
        try {
          const growth = await this.commit(partitionOf(key).topic, log);
          if (growth !== undefined) grown.push(growth);
        } catch (error) {
          failed.push({ name: key, error });
          if (isStale(error) && this.logs.get(key) === log) this.letGo(key, log);
        }
      }
    });
    await Promise.all(workers);
    await this.lookAtHandedOver();
    return { grown, failed };
  }

  private letGo(key: string, log: TopicLog): void {
    this.logs.delete(key);
    const sinceMs = this.around.clock.monotonicMs() - log.unsignedForMs;
    this.handedOver.set(key, { sinceMs, nextOffset: log.nextOffset });
    this.lost(partitionOf(key));
  }

  /** Whoever took a log may have died since: its leaves count as waiting until its checkpoint covers them. */
  private async lookAtHandedOver(): Promise<void> {
    for (const [key, { nextOffset }] of this.handedOver) {
      const files = new LogFiles(this.around.store, logPrefix(partitionOf(key)));
      const signed = await files.nextOffset().catch(() => 0);
      if (signed >= nextOffset) this.handedOver.delete(key);
    }
  }

  private async commit(topic: string, log: TopicLog): Promise<LogGrowth | undefined> {
    const growth = await log.commit();
    if (growth !== undefined) this.onLeaves(topic, growth.leaves);
    return growth;
  }
}

function partitionOf(key: string): TopicPartition {
  const at = key.lastIndexOf('/');
  return { topic: key.slice(0, at), partition: Number(key.slice(at + 1)) };
}

function isStale(error: unknown): boolean {
  return error instanceof MerkleLogError && error.code === 'stale-owner';
}

function loggedTopic(topic: string): TopicName {
  const logged = LOGGED_TOPICS.find((name) => name === topic);
  if (logged === undefined) throw new Error(`${topic} is not a logged topic`);
  return logged;
}
