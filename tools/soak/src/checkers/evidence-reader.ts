import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, type Consumer, Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { asFields, type CallRecord, logName, type RawRecord } from './evidence.ts';

const POLL_MS = 20;
/** After a broker was killed the reader is back within seconds; longer means that the log itself is not there. */
const READ_TIMEOUT_MS = 60_000;
/** A broker that is frozen for longer is asked again. */
const ANSWER_TIMEOUT_MS = 5_000;
/** How soon a partition that had no leader is found to have one. */
const METADATA_AGE_MAX_MS = 1_000;
/** Practically for ever: a broker may be away for long. */
const RETRY = { retries: 100_000, initialRetryTime: 100, maxRetryTime: 500 };

/**
 * Follows every topic with a consumer of its own, straight from kafkajs, and keeps all records by offset: what is read
 * twice is kept once, and `readToEnd` proves that no offset is missing.
 */
export class EvidenceReader {
  readonly #admin: Admin;
  readonly #newConsumer: () => Consumer;
  #consumer: Consumer | undefined;
  #isClosed = false;
  readonly #topics: readonly string[];
  readonly #logs = new Map<string, RawRecord[]>();
  /** Records that wait for one before them, after a rejoin. */
  readonly #listeners = new Set<(record: RawRecord) => void>();

  private constructor(admin: Admin, newConsumer: () => Consumer, topics: readonly string[]) {
    this.#admin = admin;
    this.#newConsumer = newConsumer;
    this.#topics = topics;
  }

  /** @param name begins the names of its consumer groups; one that no other reader of the brokers has */
  static async open(brokers: readonly string[], topics: readonly string[], name: string): Promise<EvidenceReader> {
    const retry = { ...RETRY, restartOnFailure: () => Promise.resolve(false) };
    const common = {
      clientId: name,
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      requestTimeout: ANSWER_TIMEOUT_MS,
    };
    const consumers = new Kafka({ ...common, retry });
    // Gives up soon, so that `readToEnd` looks at its deadline.
    const admin = new Kafka({ ...common, retry: { ...RETRY, retries: 5 } }).admin();
    let groups = 0;
    const newConsumer = (): Consumer => {
      groups += 1;
      return consumers.consumer({
        groupId: `${name}-${groups}`,
        maxWaitTimeInMs: 100,
        metadataMaxAge: METADATA_AGE_MAX_MS,
        retry,
      });
    };
    const reader = new EvidenceReader(admin, newConsumer, topics);
    await reader.#admin.connect();
    await reader.#follow();
    return reader;
  }

  /**
   * Reads from the beginning. When kafkajs fails it begins anew in another group: in the same one it would wait until the
   * session of the member that failed has passed.
   */
  async #follow(): Promise<void> {
    const consumer = this.#newConsumer();
    this.#consumer = consumer;
    consumer.on(consumer.events.CRASH, () => {
      if (!this.#isClosed) void this.#follow();
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [...this.#topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: (payload) => {
        const { topic, partition, messages } = payload.batch;
        for (const message of messages) {
          this.#keep(topic, partition, message);
          payload.resolveOffset(message.offset);
        }
        return Promise.resolve();
      },
    });
  }

  /** Every record up to now, complete: each log has offsets 0 to its end without a gap. @throws Error when it has not */
  async readToEnd(): Promise<readonly RawRecord[]> {
    const deadline = performance.now() + READ_TIMEOUT_MS;
    const ends = await this.#ends(deadline);
    for (const [log, end] of ends) {
      while ((this.#logs.get(log)?.length ?? 0) < end) {
        if (performance.now() > deadline) {
          throw new Error(`${log} ends at ${end}, and only ${this.#logs.get(log)?.length ?? 0} records could be read`);
        }
        await sleep(POLL_MS);
      }
    }
    return this.records();
  }

  /** What was read so far, each log in its order. */
  records(): readonly RawRecord[] {
    return [...this.#logs.values()].flat();
  }

  /** Called for each record once, in the order of its log, those read already included. Answers how to end it. */
  onRecord(listener: (record: RawRecord) => void): () => void {
    for (const record of this.records()) listener(record);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#consumer?.disconnect();
    await this.#admin.disconnect();
  }

  async #ends(deadline: number): Promise<Map<string, number>> {
    for (;;) {
      try {
        const ends = new Map<string, number>();
        for (const topic of this.#topics) {
          for (const { partition, high } of await this.#admin.fetchTopicOffsets(topic)) {
            ends.set(logName({ topic, partition }), Number(high));
          }
        }
        return ends;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await sleep(POLL_MS);
      }
    }
  }

  /** After a rejoin the reader begins anew: what it has is skipped; the next offset of each log is its count. */
  #keep(topic: string, partition: number, message: KafkaMessage): void {
    const name = logName({ topic, partition });
    const log = this.#logs.get(name) ?? [];
    this.#logs.set(name, log);
    const offset = Number(message.offset);
    if (offset < log.length) return;
    if (offset > log.length) throw new Error(`${name} went on at ${offset}, expected ${log.length}`);
    const record: RawRecord = {
      topic,
      partition,
      offset,
      recordedAtMs: Number(message.timestamp),
      key: message.key?.toString('utf8'),
      headers: headersOf(message),
      data: jsonOf(message.value),
      bytes: { key: message.key, headers: headerBytesOf(message), value: message.value },
    };
    log.push(record);
    for (const listener of this.#listeners) listener(record);
  }
}

/** The simulator's call log; a last line that is being written is left out. */
export function readCallLog(file: string): CallRecord[] {
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CallRecord);
}

function headerBytesOf({ headers = {} }: KafkaMessage): [string, Buffer | null][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one): [string, Buffer | null] => [name, one === undefined ? null : Buffer.from(one)]),
  );
}

function headersOf({ headers = {} }: KafkaMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const first = Array.isArray(value) ? value[0] : value;
      return first === undefined ? [] : [[name, Buffer.from(first).toString('utf8')]];
    }),
  );
}

function jsonOf(value: Buffer | null): unknown {
  try {
    return value === null ? undefined : asFields(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}
