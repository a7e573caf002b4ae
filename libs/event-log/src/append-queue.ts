import type { Position } from '@assent/contracts';
import { CompressionTypes, type Message, type Producer, type RecordMetadata } from 'kafkajs';
import { AppendError } from './event-log.errors.ts';
import { partitionKey } from './event-log.ts';
import { errorFields, type EventLogLogger } from './logger.ts';

export interface AppendLimits {
  /** Attempts per partition before its records are reported as failed. */
  readonly attemptsMax: number;
  /** First pause before a partition is tried again; doubled each time up to `backoffMaxMs`. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** A connection that does not stand by then is given up for one that begins with another broker. */
  readonly connectTimeoutMs: number;
  /** One `sendBatch` that has not answered by then counts as lost. */
  readonly sendTimeoutMs: number;
  /** A caller waits this long at most, however many attempts are left. */
  readonly deadlineMs: number;
  /** What may wait for the broker, over all callers. */
  readonly queueRecordsMax: number;
  readonly queueBytesMax: number;
  /** What one flight carries. */
  readonly flightRecordsMax: number;
  /** What one flight carries to one partition; a larger record travels alone. */
  readonly partitionBytesMax: number;
}

export const DEFAULT_APPEND_LIMITS: AppendLimits = {
  attemptsMax: 8, // with the pauses below: rides out the 3 s a restarted broker needs
  backoffMs: 50,
  backoffMaxMs: 800,
  connectTimeoutMs: 1_500, // milliseconds, unless the broker that was asked accepts and then says nothing
  sendTimeoutMs: 3_000, // a healthy acks=all takes milliseconds; longer means a broker is gone
  deadlineMs: 10_000, // an HTTP caller has given up by then
  queueRecordsMax: 20_000, // about two seconds of the fastest rate measured with one producer
  queueBytesMax: 64 * 1024 * 1024,
  flightRecordsMax: 1_000, // kafkajs groups messages in quadratic time; 1,000 keep that under a millisecond
  partitionBytesMax: 900_000, // below the megabyte a consumer fetches from one partition at once
};

/** A record that is ready to leave: its partition is decided and its size known. */
export interface PreparedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly message: Message;
  readonly bytes: number;
}

/** The part of a kafkajs producer that is used; `retries` must be 0, this queue is what retries. */
export type BatchProducer = Pick<Producer, 'sendBatch' | 'disconnect'>;

interface Call {
  readonly positions: (Position | undefined)[];
  /** Records whose outcome is not known yet. */
  open: number;
  /** One record failed, so the call will be rejected; what it still has waiting is not sent any more. */
  broken: boolean;
  cause: unknown;
  /** The promise was settled, perhaps by the deadline while records were under way. */
  settled: boolean;
  settle(): void;
}

interface Item {
  readonly call: Call;
  readonly index: number;
  readonly record: PreparedRecord;
}

/** One partition's records, in the order of the calls. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly waiting: Item[];
  /** What was sent and not acknowledged: sent again as it was, and alone, before anything else of this partition. */
  unconfirmed: Item[];
  attempts: number;
  pausedUntilTimer: boolean;
}

interface Load {
  readonly lane: Lane;
  readonly items: readonly Item[];
}

class SendTimeoutError extends Error {
  override readonly name = 'SendTimeoutError';
  readonly code = 'send-timeout';
}

/**
 * Batches the appends of all callers into one `sendBatch` in flight, and settles each caller on its own partitions.
 *
 * A partition succeeded only if the reply names its base offset: kafkajs can resolve without having appended when a
 * leader moved to a broker that had already answered. After any other outcome the producer is discarded (its
 * connections and metadata with it, so a late reply reaches nobody) and each partition of that flight is sent again on
 * its own, so that one sick partition fails its own callers only.
 */
export class AppendQueue {
  private readonly lanes = new Map<string, Lane>();
  private readonly calls = new Set<Promise<unknown>>();
  private producer: Promise<BatchProducer> | undefined;
  private flying = false;
  private closed = false;
  private queuedRecords = 0;
  private queuedBytes = 0;

  constructor(
    private readonly createProducer: () => Promise<BatchProducer>,
    private readonly limits: AppendLimits,
    private readonly logger: EventLogLogger,
  ) {}

  /** Connects now, so that an unreachable broker shows at start and the first append does not pay for it. */
  async connect(): Promise<void> {
    await this.currentProducer();
  }

  /** Resolves with one position per record, in order; rejects with `AppendError`. See `EventLog.append`. */
  append(records: readonly PreparedRecord[]): Promise<Position[]> {
    const refusal = this.refusal(records);
    if (refusal !== undefined) return Promise.reject(refusal);
    if (records.length === 0) return Promise.resolve([]);
    const answer = this.enqueue(records);
    this.calls.add(answer);
    const forget = (): boolean => this.calls.delete(answer);
    answer.then(forget, forget);
    void this.fly();
    return answer;
  }

  /** Waits until every caller is settled, then disconnects. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled([...this.calls]);
    await this.discardProducer();
  }

  private refusal(records: readonly PreparedRecord[]): AppendError | undefined {
    const everyIndex = records.map((_, index) => index);
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    const { queueRecordsMax, queueBytesMax } = this.limits;
    if (this.closed) return new AppendError('closed', 'the event log is closed', everyIndex);
    if (records.length > queueRecordsMax || bytes > queueBytesMax) {
      return new AppendError('append-too-large', `one append holds at most ${queueRecordsMax} records`, everyIndex);
    }
    if (this.queuedRecords + records.length > queueRecordsMax || this.queuedBytes + bytes > queueBytesMax) {
      return new AppendError('append-queue-full', 'too many records are waiting for the broker', everyIndex);
    }
    return undefined;
  }

  private enqueue(records: readonly PreparedRecord[]): Promise<Position[]> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        call.settle();
      }, this.limits.deadlineMs);
      const call: Call = {
        positions: records.map(() => undefined),
        open: records.length,
        broken: false,
        cause: undefined,
        settled: false,
        settle: () => {
          if (call.settled) return;
          call.settled = true;
          clearTimeout(deadline);
          const failed = records.map((_, index) => index).filter((index) => call.positions[index] === undefined);
          if (failed.length === 0) resolve(call.positions as Position[]);
          else reject(new AppendError('append-failed', 'the broker did not acknowledge', failed, call.cause));
        },
      };
      records.forEach((record, index) => {
        this.lane(record).waiting.push({ call, index, record });
        this.queuedRecords += 1;
        this.queuedBytes += record.bytes;
      });
    });
  }

  private lane(record: PreparedRecord): Lane {
    const key = partitionKey(record);
    const known = this.lanes.get(key);
    if (known !== undefined) return known;
    const { topic, partition } = record;
    const lane: Lane = { topic, partition, waiting: [], unconfirmed: [], attempts: 0, pausedUntilTimer: false };
    this.lanes.set(key, lane);
    return lane;
  }

  private async fly(): Promise<void> {
    if (this.flying) return;
    this.flying = true;
    await Promise.resolve(); // callers of the same turn share the first flight
    try {
      for (let flight = this.nextFlight(); flight.length > 0; flight = this.nextFlight()) await this.send(flight);
    } finally {
      this.flying = false;
    }
  }

  private nextFlight(): Load[] {
    const ready = [...this.lanes.values()].filter((lane) => !lane.pausedUntilTimer);
    for (const lane of ready) {
      if (lane.unconfirmed.length === 0) continue;
      lane.unconfirmed = this.stillWanted(lane.unconfirmed);
      if (lane.unconfirmed.length > 0) return [{ lane, items: lane.unconfirmed }];
      lane.attempts = 0;
    }
    const flight: Load[] = [];
    let room = this.limits.flightRecordsMax;
    for (const lane of ready) {
      const items = this.take(lane, room);
      room -= items.length;
      if (items.length > 0) flight.push({ lane, items });
    }
    return flight;
  }

  private take(lane: Lane, recordsMax: number): Item[] {
    let wanted: Item[] = [];
    while (wanted.length === 0 && lane.waiting.length > 0 && recordsMax > 0) {
      let bytes = 0;
      let count = 0;
      for (const item of lane.waiting) {
        bytes += item.record.bytes;
        if (count === recordsMax || (count > 0 && bytes > this.limits.partitionBytesMax)) break;
        count += 1;
      }
      wanted = this.stillWanted(lane.waiting.splice(0, count));
    }
    return wanted;
  }

  private stillWanted(items: readonly Item[]): Item[] {
    const unwanted = items.filter(({ call }) => call.settled || call.broken);
    for (const item of unwanted) this.finish(item);
    return unwanted.length === 0 ? [...items] : items.filter((item) => !unwanted.includes(item));
  }

  private async send(flight: readonly Load[]): Promise<void> {
    let producer: BatchProducer;
    try {
      producer = await inTime(this.currentProducer(), this.limits.connectTimeoutMs);
    } catch (error) {
      void this.discardProducer();
      this.logger.warn({ ...errorFields(error) }, 'no connection to append through');
      for (const load of flight) this.sendAgain(load, error, true);
      return;
    }
    let replies: ReadonlyMap<string, number>;
    try {
      replies = baseOffsets(await inTime(producer.sendBatch(batchOf(flight)), this.limits.sendTimeoutMs));
    } catch (error) {
      void this.discardProducer();
      this.logger.warn({ partitions: flight.length, ...errorFields(error) }, 'an append was not acknowledged');
      for (const load of flight) this.sendAgain(load, error, flight.length === 1);
      return;
    }
    this.settle(flight, replies);
  }

  private settle(flight: readonly Load[], replies: ReadonlyMap<string, number>): void {
    const missing = flight.filter(({ lane }) => !replies.has(partitionKey(lane)));
    if (missing.length > 0) {
      void this.discardProducer();
      this.logger.warn({ partitions: missing.length }, 'the broker answered without a base offset');
    }
    for (const load of missing) this.sendAgain(load, undefined, true);
    for (const { lane, items } of flight) {
      const base = replies.get(partitionKey(lane));
      if (base === undefined) continue;
      lane.unconfirmed = [];
      lane.attempts = 0;
      items.forEach((item, index) => {
        const { topic, partition } = lane;
        item.call.positions[item.index] = { topic, partition, offset: base + index };
        this.finish(item);
      });
    }
  }

  /** Not acknowledged: tried again alone, at once when it had company (which may be to blame), else after a pause. */
  private sendAgain({ lane, items }: Load, error: unknown, pause: boolean): void {
    lane.attempts += 1;
    for (const item of items) item.call.cause = error;
    if (lane.attempts >= this.limits.attemptsMax) {
      lane.unconfirmed = [];
      lane.attempts = 0;
      for (const item of items) {
        item.call.broken = true;
        this.finish(item);
      }
      return;
    }
    lane.unconfirmed = [...items];
    if (!pause) return;
    lane.pausedUntilTimer = true;
    const { backoffMs, backoffMaxMs } = this.limits;
    const resume = (): void => {
      lane.pausedUntilTimer = false;
      void this.fly();
    };
    setTimeout(resume, Math.min(backoffMs * 2 ** (lane.attempts - 1), backoffMaxMs));
  }

  /** The outcome of one record is known: acknowledged when its position was set before, failed otherwise. */
  private finish(item: Item): void {
    this.queuedRecords -= 1;
    this.queuedBytes -= item.record.bytes;
    item.call.open -= 1;
    if (item.call.open === 0) item.call.settle();
  }

  private currentProducer(): Promise<BatchProducer> {
    this.producer ??= this.createProducer();
    return this.producer;
  }

  private async discardProducer(): Promise<void> {
    const { producer } = this;
    this.producer = undefined;
    try {
      await (await producer)?.disconnect();
    } catch (error) {
      this.logger.debug(errorFields(error), 'a discarded producer did not disconnect');
    }
  }
}

function inTime<T>(reply: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new SendTimeoutError('the broker did not answer in time'));
    }, timeoutMs);
    reply.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

function batchOf(flight: readonly Load[]): Parameters<BatchProducer['sendBatch']>[0] {
  const topics = new Map<string, Message[]>();
  for (const { lane, items } of flight) {
    const messages = topics.get(lane.topic) ?? [];
    topics.set(lane.topic, messages);
    for (const { record } of items) messages.push({ ...record.message, partition: lane.partition });
  }
  return {
    acks: -1,
    compression: CompressionTypes.GZIP,
    topicMessages: [...topics].map(([topic, messages]) => ({ topic, messages })),
  };
}

/** Base offset per `topic/partition`, of those replies only that prove an append. */
function baseOffsets(replies: readonly RecordMetadata[]): ReadonlyMap<string, number> {
  const proven = new Map<string, number>();
  for (const { topicName, partition, errorCode, baseOffset } of replies) {
    const offset = baseOffset === undefined ? Number.NaN : Number(baseOffset);
    if (errorCode === 0 && Number.isSafeInteger(offset) && offset >= 0) {
      proven.set(partitionKey({ topic: topicName, partition }), offset);
    }
  }
  return proven;
}
