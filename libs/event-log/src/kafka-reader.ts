import type { LogRecord } from '@assent/contracts';
import type { Broker, KafkaMessage } from 'kafkajs';
import type { TopicPartition } from './event-log.ts';
import { partitionKey } from './event-log.ts';
import { ReadError } from './event-log.errors.ts';
import { leadersOf } from './kafka-offsets.ts';
import { CONNECTION_TIMEOUT_MS, connectFailure, kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { amendKafkajs, clusterOf, fetchFrom, type ClusterAccess, type FetchedBatch } from './kafkajs-internals.ts';
import { logRecordOf } from './log-record.ts';
import { errorFields, silentLogger } from './logger.ts';

export interface ReadLimits {
  /** How long a read may go without getting further before it gives up. */
  readonly stallMs: number;
}

/** Longer than a broker's restart, short enough for a person at a terminal. */
export const DEFAULT_READ_LIMITS: ReadLimits = { stallMs: 10_000 };

const FETCH_BYTES_MAX = 4 * 1024 * 1024; // some ten thousand records a round trip, and two of these are in memory
const FETCH_WAIT_MS = 250;
const REQUEST_TIMEOUT_MS = 5_000;
const METADATA_AGE_MAX_MS = 10_000;
const RETRY_PAUSE_MS = 200;

/**
 * Reads one partition by plain fetch requests to its leader, over a connection of its own and without a consumer
 * group: nothing to join, rebalance or clean up, any number of reads at a time. The next fetch is under way while the
 * caller works on the last. Sees what a consumer sees: records of aborted transactions and control records are passed
 * over. Errors of the broker are retried with fresh metadata until the read stalls.
 */
export async function* readPartition(
  settings: KafkaSettings,
  tp: TopicPartition,
  range: { readonly from: number; readonly to: number },
  limits: ReadLimits = DEFAULT_READ_LIMITS,
): AsyncGenerator<readonly LogRecord[]> {
  if (range.from >= range.to) return;
  amendKafkajs();
  const times = { connectionTimeoutMs: CONNECTION_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS };
  const kafka = kafkaClient(settings, times);
  const access = clusterOf(kafka, { metadataMaxAgeMs: METADATA_AGE_MAX_MS });
  const reader = new PartitionReader(access, settings, tp, limits);
  let fetching: Promise<Fetched> | undefined;
  try {
    await connect(access, settings, tp.topic);
    for (let next = range.from; next < range.to;) {
      fetching ??= reader.fetch(next);
      const fetched = await fetching;
      next = fetched.next;
      fetching = next < range.to ? reader.fetch(next) : undefined;
      fetching?.catch(() => undefined); // reported when it is awaited; the caller may leave before
      const records = fetched.messages
        .filter(({ offset }) => Number(offset) < range.to)
        .map((message) => logRecordOf(tp.topic, tp.partition, message));
      if (records.length > 0) yield records;
    }
  } finally {
    reader.leave();
    await Promise.allSettled([fetching]);
    await access.disconnect();
  }
}

async function connect(access: ClusterAccess, settings: KafkaSettings, topic: string): Promise<void> {
  try {
    await access.connect();
    await access.cluster.addTargetTopic(topic);
  } catch (error) {
    throw connectFailure(settings, [topic], error);
  }
}

interface Fetched {
  readonly messages: readonly KafkaMessage[];
  /** First offset that was not looked at yet. */
  readonly next: number;
}

class PartitionReader {
  private left = false;

  constructor(
    private readonly access: ClusterAccess,
    private readonly settings: KafkaSettings,
    private readonly tp: TopicPartition,
    private readonly limits: ReadLimits,
  ) {}

  /** The records from `offset` on, at least one; throws `ReadError` when none came in time. */
  async fetch(offset: number): Promise<Fetched> {
    const stalled = AbortSignal.timeout(this.limits.stallMs);
    let cause: unknown;
    while (!stalled.aborted && !this.left) {
      try {
        const batch = await fetchFrom(await this.leader(), { ...this.tp, offset }, FETCH_LIMITS);
        const last = batch.messagesWithinOffset.at(-1);
        if (last !== undefined) return { messages: batch.messages, next: Number(last.offset) + 1 };
        cause = this.beyondTheEnd(batch, offset);
      } catch (error) {
        this.refuseOutOfRange(error, offset);
        cause = error;
        await this.refresh();
      }
    }
    const where = `${partitionKey(this.tp)} at offset ${offset}`;
    throw new ReadError('read-stalled', `nothing could be read from ${where} for ${this.limits.stallMs} ms`, cause);
  }

  /** Ends a fetch that is under way although nobody waits for it any more. */
  leave(): void {
    this.left = true;
  }

  private async leader(): Promise<Broker> {
    const { cluster } = this.access;
    await cluster.refreshMetadataIfNecessary();
    const [leader] = leadersOf(cluster, [this.tp]);
    if (leader === undefined) throw new ReadError('read-stalled', `${partitionKey(this.tp)} has no leader`);
    return cluster.findBroker({ nodeId: leader.nodeId });
  }

  private beyondTheEnd(batch: FetchedBatch, offset: number): Error | undefined {
    if (Number(batch.highWatermark) > offset) return undefined;
    return new ReadError('read-stalled', `${partitionKey(this.tp)} ends at ${batch.highWatermark}`);
  }

  private refuseOutOfRange(error: unknown, offset: number): void {
    if ((error as { type?: unknown }).type !== 'OFFSET_OUT_OF_RANGE') return;
    throw new ReadError('offset-out-of-range', `${partitionKey(this.tp)} does not hold offset ${offset}`, error);
  }

  private async refresh(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
    try {
      await this.access.cluster.refreshMetadata();
    } catch (error) {
      const logger = this.settings.logger ?? silentLogger;
      logger.debug({ topic: this.tp.topic, ...errorFields(error) }, 'metadata could not be refreshed');
    }
  }
}

const FETCH_LIMITS = { bytesMax: FETCH_BYTES_MAX, waitMs: FETCH_WAIT_MS };
