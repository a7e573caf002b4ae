import { setTimeout as pause } from 'node:timers/promises';
import { decodeEvent, type RecordedEvent } from '@assent/contracts';
import {
  type EventLog,
  KafkaEventLog,
  partitionCounts,
  partitionKey,
  type TopicDeclaration,
  type TopicPartition,
} from '@assent/event-log';

const POLL_MS = 25;
/** The audit's own heads say nothing about the story. */
const LEFT_OUT = 'audit.checkpoints';

/** Follows every topic from its beginning, to wait for events and to say where they stand. */
export class LogFollower {
  /** Everything read so far; of one partition in order. */
  readonly events: RecordedEvent[] = [];
  readonly #log: EventLog;
  readonly #partitions: readonly TopicPartition[];
  readonly #next = new Map<string, number>();
  #reading: Promise<void> | undefined;

  private constructor(log: EventLog, partitions: readonly TopicPartition[]) {
    this.#log = log;
    this.#partitions = partitions;
  }

  static async open(brokers: readonly string[], declaration: TopicDeclaration): Promise<LogFollower> {
    const log = await KafkaEventLog.connect({ brokers, clientId: 'assent-demo', topics: partitionCounts(declaration) });
    const followed = declaration.filter(({ name }) => name !== LEFT_OUT);
    const partitions = followed.flatMap(({ name: topic, partitions: count }) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    );
    return new LogFollower(log, partitions);
  }

  get log(): EventLog {
    return this.#log;
  }

  /** Next offset of every followed partition that has records, by `topic/partition`. */
  get ends(): ReadonlyMap<string, number> {
    return this.#next;
  }

  /** Reads what is new; callers at the same time share one reading. */
  look(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * Waits until `find` answers something about the events from number `from` on.
   *
   * @returns what it answered; undefined after `timeoutMs`
   */
  async waitFor<T>(
    from: number,
    find: (events: readonly RecordedEvent[]) => T | undefined,
    timeoutMs: number,
  ): Promise<T | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      await this.look();
      const found = find(this.events.slice(from));
      if (found !== undefined || performance.now() >= deadline) return found;
      await pause(POLL_MS);
    }
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  async #read(): Promise<void> {
    const ends = await this.#log.endOffsets(this.#partitions);
    const grown = this.#partitions.filter((tp) => (ends.get(partitionKey(tp)) ?? 0) > this.#nextOf(tp));
    await Promise.all(
      grown.map(async (tp) => {
        const end = ends.get(partitionKey(tp)) ?? 0;
        for await (const records of this.#log.read(tp, this.#nextOf(tp), end))
          this.events.push(...records.map(decodeEvent));
        this.#next.set(partitionKey(tp), end);
      }),
    );
  }

  #nextOf(tp: TopicPartition): number {
    return this.#next.get(partitionKey(tp)) ?? 0;
  }
}
