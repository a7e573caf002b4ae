import { type LogRecord, TOPICS, type TopicName } from '@assent/contracts';
import type { TopicPartition } from '@assent/event-log';
import {
  type Checkpoint,
  encodeLeaf,
  ENTRY_BYTES_MAX,
  leafHash,
  LogFormatError,
  valueKeptApart,
} from '@assent/merkle-log';
import type { LogKeys } from './log-key.ts';
import { keepsEntries, logName, logPrefix, originOf } from './log-layout.ts';
import type { LogStore } from './log-store.ts';
import { LogWriter } from './log-writer.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** What a log needs of the process. */
export interface LogSurroundings {
  readonly store: LogStore;
  readonly key: LogKeys;
  /** Base of every origin, such as `assent.local`. */
  readonly origin: string;
  readonly clock: { monotonicMs(): number };
}

/** A checkpoint of a log and how many leaves it added. */
export interface LogGrowth {
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly leaves: number;
}

/**
 * The log of one partition of one topic, as its owner writes it. Leaves are the partition's records in order, each
 * once; what lies below the next offset was appended before and is skipped.
 */
export class TopicLog {
  readonly name: string;
  private oldestUnsignedMs: number | undefined;
  private reportedSize: number;

  private constructor(
    private readonly of: { topic: TopicName; partition: number },
    readonly epoch: number,
    private readonly writer: LogWriter,
    private readonly clock: { monotonicMs(): number },
  ) {
    this.name = logName(of);
    this.reportedSize = writer.signed.size;
  }

  /**
   * Becomes the log's owner and continues it where its newest checkpoint says.
   * @throws MerkleLogError `log-damaged`, and what the store rejects with
   */
  static async take(of: TopicPartition & { topic: TopicName }, around: LogSurroundings): Promise<TopicLog> {
    const { store, key, clock } = around;
    const name = logName(of);
    const owned = await store.take(name);
    const writer = await LogWriter.open({
      store: owned,
      key,
      prefix: logPrefix(of),
      origin: originOf(around.origin, name),
      keepsEntries: keepsEntries(of.topic),
      keepsOffsets: true,
    });
    return new TopicLog(of, owned.epoch, writer, clock);
  }

  /** The first offset that no signed leaf has: where following the topic goes on after a restart. */
  get nextSignedOffset(): number {
    return this.writer.signed.nextOffset ?? 0;
  }

  /** The first offset that no leaf has, unsigned leaves included. */
  get nextOffset(): number {
    return this.writer.nextOffset ?? 0;
  }

  get unsigned(): { leaves: number; bytes: number } {
    return this.writer.unsigned;
  }

  /** How long the oldest unsigned leaf has waited, ms; 0 when everything is signed. */
  get unsignedForMs(): number {
    if (this.oldestUnsignedMs === undefined || this.writer.unsigned.leaves === 0) return 0;
    return this.clock.monotonicMs() - this.oldestUnsignedMs;
  }

  /**
   * Appends a record's leaf in memory; a record that was appended before changes nothing.
   *
   * @throws MerkleLogError `offset-gap` when records of a topic that is kept for ever are missing before this one
   * @throws LogFormatError `entry-too-large` for a record whose headers alone exceed an entry
   */
  add(record: LogRecord): void {
    const expected = this.writer.nextOffset ?? 0;
    if (record.offset < expected) return;
    if (record.offset > expected && TOPICS[this.of.topic].keptForEver) {
      throw new MerkleLogError('offset-gap', `${this.name} goes on at ${record.offset}, not at ${expected}`);
    }
    const entry = encodeLeaf(record);
    this.writer.add({ hash: leafHash(entry), offset: record.offset, ...this.keptOf(record, entry) });
    this.oldestUnsignedMs ??= this.clock.monotonicMs();
  }

  private keptOf(record: LogRecord, entry: Uint8Array): { entry?: Uint8Array; valueKeptApart?: Uint8Array } {
    if (!keepsEntries(this.of.topic)) return {};
    if (entry.length > ENTRY_BYTES_MAX) {
      throw new LogFormatError('entry-too-large', `${this.name}@${record.offset} does not fit an entry bundle`);
    }
    // An entry that leaves this much room has its value inside; measuring the head again is for the few others.
    const isInside = record.value === null || entry.length + record.value.length <= ENTRY_BYTES_MAX;
    const apart = isInside ? undefined : valueKeptApart(record);
    return { entry, ...(apart === undefined ? {} : { valueKeptApart: apart }) };
  }

  /**
   * Makes the leaves so far durable and signs them; undefined when there are no new ones.
   * @throws MerkleLogError `stale-owner` when somebody else took the log; its leaves here are of no use then
   */
  async commit(): Promise<LogGrowth | undefined> {
    const startedMs = this.clock.monotonicMs();
    const checkpoint = await this.writer.commit();
    // What is not signed now came after the commit began. Until it ends its leaves wait, also when the disk hangs.
    this.oldestUnsignedMs = this.writer.unsigned.leaves === 0 ? undefined : startedMs;
    if (checkpoint === undefined) return undefined;
    const leaves = checkpoint.size - this.reportedSize;
    this.reportedSize = checkpoint.size;
    return { name: this.name, checkpoint, leaves };
  }

  /** Resolves when no commit runs any more, whatever came of it. */
  settled(): Promise<void> {
    return this.writer.settled();
  }
}
