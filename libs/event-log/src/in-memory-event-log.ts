import type { LogRecord, NewRecord, Position } from '@assent/contracts';
import { AppendError, ReadError } from './event-log.errors.ts';
import { partitionKey, type EventLog, type TopicPartition } from './event-log.ts';
import { partitionCountOf, prepareRecords, type PartitionCounts } from './log-record.ts';
import { partitionOfKey } from './murmur2.ts';

/** Small, so that tests see a read in several batches. */
const READ_BATCH_RECORDS_MAX = 500;

export interface InMemoryEventLogOptions {
  readonly topics: PartitionCounts;
  /** Stamps the records; epoch milliseconds. */
  readonly clock: { now(): number };
}

/** An `EventLog` in one process, for tests: passes the contract suite, keeps nothing when it goes. */
export class InMemoryEventLog implements EventLog {
  private readonly partitions = new Map<string, LogRecord[]>();
  private readonly options: InMemoryEventLogOptions;
  private closed = false;

  constructor(options: InMemoryEventLogOptions) {
    this.options = options;
    for (const [topic, count] of Object.entries(options.topics)) {
      for (let partition = 0; partition < count; partition += 1) {
        this.partitions.set(partitionKey({ topic, partition }), []);
      }
    }
  }

  async append(records: readonly NewRecord[]): Promise<Position[]> {
    if (this.closed) throw new AppendError('closed', 'the event log is closed');
    const prepared = prepareRecords(records, this.options.topics);
    await Promise.resolve(); // no caller may rely on an append being synchronous
    const timestampMs = this.options.clock.now();
    return prepared.map(({ topic, partition }, index) => {
      const log = this.records({ topic, partition });
      const offset = log.length;
      const { key, headers, value } = records[index] as NewRecord;
      log.push({
        topic,
        partition,
        offset,
        timestampMs: Math.max(timestampMs, log.at(-1)?.timestampMs ?? 0),
        key: Buffer.from(key),
        headers: headers.map((header) => ({ name: header.name, value: Buffer.from(header.value) })),
        value: Buffer.from(value),
      });
      return { topic, partition, offset };
    });
  }

  async *read(tp: TopicPartition, from: number, to: number): AsyncGenerator<readonly LogRecord[]> {
    if (this.closed) throw new ReadError('closed', 'the event log is closed');
    const log = this.records(tp);
    if (from < to && from > log.length) throw new ReadError('offset-out-of-range', `the log ends at ${log.length}`);
    for (let next = from; next < to;) {
      await Promise.resolve();
      const batch = log.slice(next, Math.min(to, next + READ_BATCH_RECORDS_MAX));
      if (batch.length === 0) throw new ReadError('read-stalled', `the log ends at ${log.length}`);
      next += batch.length;
      yield batch;
    }
  }

  endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.bounds(partitions, (log) => log.length);
  }

  startOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.bounds(partitions, () => 0);
  }

  partitionCount(topic: string): number {
    return partitionCountOf(this.options.topics, topic);
  }

  partitionFor(topic: string, key: string): number {
    return partitionOfKey(key, this.partitionCount(topic));
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  private records(tp: TopicPartition): LogRecord[] {
    const log = this.partitions.get(partitionKey(tp));
    if (log === undefined) throw new AppendError('unknown-partition', `there is no partition ${partitionKey(tp)}`);
    return log;
  }

  private async bounds(
    partitions: readonly TopicPartition[],
    boundOf: (log: readonly LogRecord[]) => number,
  ): Promise<ReadonlyMap<string, number>> {
    await Promise.resolve();
    if (this.closed) throw new AppendError('closed', 'the event log is closed');
    const found = new Map<string, number>();
    for (const tp of partitions) {
      const log = this.partitions.get(partitionKey(tp));
      if (log !== undefined) found.set(partitionKey(tp), boundOf(log));
    }
    return found;
  }
}
