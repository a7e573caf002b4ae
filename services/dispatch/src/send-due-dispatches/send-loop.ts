import { decodeEvent, UnknownEventTypeError, InvalidEventError, type RecordedEvent } from '@assent/contracts';
import { partitionKey, type RecordBatch, type TopicPartition } from '@assent/event-log';
import { type Checkpoint, Checkpoints, StaleOwnerError } from '@assent/projection';
import type { BatchConsumer, Clock } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import { type DispatchDocument, dispatchFold, minuteOf, wakeAtOf } from '../dispatch-ledger/dispatch.projection.ts';
import { DueQueue } from './due-queue.ts';
import type { SendDispatch } from './send-dispatch.ts';

/** Name of the checkpoints whose epochs are the fences of sending. */
export const SEND_LOOP_READER = 'dispatch.send-loop.v1';
/** The store is asked this often for what became due; events of this process wake the loop at once. */
const POLL_INTERVAL_MS = 1_000;
/** How far ahead the store is asked, so that a due instant is met to the millisecond. */
const LOOK_AHEAD_MS = 60_000;
/** Documents of one poll; the rest comes with the next. */
const POLL_LIMIT = 1_000;
/** Dispatches at the gate at the same time: enough to hide round trips, few enough for the store's connections. */
const SENDING_MAX = 32;
/** After an error of the store or the log a dispatch is looked at again this late. */
const RETRY_AFTER_ERROR_MS = 2_000;
/** An earlier owner that is only slow may still write the outcome of its call; after this nobody will. */
export const EARLIER_OWNER_GRACE_MS = 30_000;

/**
 * Looks at each dispatch of the partitions this process owns when it is due. Owns no truth: the queue is refilled from
 * the read model, the fence is the epoch of the partition, and whether a call may begin is for `SendDispatch` alone.
 */
export class SendLoop implements BatchConsumer {
  readonly topics = ['dispatch.events'];
  readonly #db: Connection;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #send: SendDispatch;
  readonly #checkpoints: Checkpoints;
  readonly #queue = new DueQueue();
  readonly #running = new Map<string, Promise<void>>();
  readonly #owned = new Map<string, Checkpoint>();
  #ownedSinceMs = 0;
  /** Epoch milliseconds of the last take. */
  #takenAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = true;
  #polledAtMs = 0;
  /** Monotonic milliseconds from which attempts without an outcome are looked for again. */
  #recoverAtMs = 0;

  constructor(deps: { db: Connection; clock: Clock; logger: Logger; send: SendDispatch }) {
    this.#db = deps.db;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#send = deps.send;
    this.#checkpoints = new Checkpoints({ db: deps.db, reader: SEND_LOOP_READER });
  }

  /**
   * Sometimes all of an assignment, sometimes one partition of it again; what was lost shows at the next poll. Asks for
   * no place in the log: what was planned before is in the read model.
   */
  async take(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, { next: number; epoch: number }>> {
    if (partitions.length === 0) return new Map();
    const taken = await this.#checkpoints.take(partitions);
    for (const checkpoint of taken) this.#owned.set(partitionKey(checkpoint), checkpoint);
    this.#ownedSinceMs = this.#clock.monotonicMs();
    this.#takenAt = this.#clock.now();
    this.#polledAtMs = 0;
    this.#recoverAtMs = 0;
    this.#wake(0);
    return new Map();
  }

  /**
   * Notes what the events plan. What does not fit into the queue is found by a later poll, and so is what was recorded
   * before this process took the partition: a replay after a broken-off rebuild would fill the queue with the past.
   */
  apply(batch: RecordBatch): Promise<void> {
    const partition = partitionKey(batch);
    if (!this.#owned.has(partition)) return Promise.reject(new StaleOwnerError(SEND_LOOP_READER, partition));
    for (const record of batch.records) {
      if (record.timestampMs < this.#takenAt) continue;
      const event = readable(record);
      if (event !== undefined) this.#note(event);
    }
    return Promise.resolve();
  }

  start(): void {
    this.#stopped = false;
    this.#wake(0);
  }

  /** Begins nothing new and waits for what is at the gate or in a call, so that each has its outcome in the log. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#send.stop();
    await Promise.all(this.#running.values());
  }

  #note(event: RecordedEvent): void {
    const dueAt = dueAtOf(event);
    if (dueAt === undefined) return;
    const { dispatchId, at } = dueAt;
    if (at > this.#clock.now() + LOOK_AHEAD_MS) return;
    this.#queue.plan(dispatchId, at);
    this.#wake(at - this.#clock.now());
  }

  /** Runs the loop in `inMs`, or earlier when an earlier run is planned. */
  #wake(inMs: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    // When all places are taken there is nothing to begin, however much is due: who ends wakes us.
    const next = this.#running.size < SENDING_MAX ? this.#queue.nextAt() : undefined;
    const queued = next === undefined ? POLL_INTERVAL_MS : next - this.#clock.now();
    const waitMs = Math.max(0, Math.min(inMs, queued, POLL_INTERVAL_MS));
    this.#timer = setTimeout(() => {
      void this.#tick();
    }, waitMs);
  }

  async #tick(): Promise<void> {
    try {
      const now = this.#clock.monotonicMs();
      if (this.#polledAtMs === 0 || now - this.#polledAtMs >= POLL_INTERVAL_MS) {
        this.#polledAtMs = now;
        await this.#poll();
      }
      this.#begin();
    } catch (error) {
      this.#logger.warn({ err: error }, 'the due dispatches can not be read');
    } finally {
      this.#wake(POLL_INTERVAL_MS);
    }
  }

  #begin(): void {
    if (this.#stopped) return;
    const free = SENDING_MAX - this.#running.size;
    for (const dispatchId of this.#queue.takeDue(this.#clock.now(), free)) {
      if (this.#running.has(dispatchId)) continue;
      const running = this.#sendOne(dispatchId).finally(() => {
        this.#running.delete(dispatchId);
        this.#wake(0);
      });
      this.#running.set(dispatchId, running);
    }
  }

  async #sendOne(dispatchId: string): Promise<void> {
    try {
      const again = await this.#send.execute(dispatchId, (partition) => this.#owned.get(partition)?.epoch);
      if (again !== undefined) this.#queue.plan(dispatchId, again);
    } catch (error) {
      this.#logger.warn({ dispatchId, err: error }, 'a dispatch waits for the store or the log');
      this.#queue.plan(dispatchId, this.#clock.now() + RETRY_AFTER_ERROR_MS);
    }
  }

  /** Whatever of our partitions is due within the look-ahead, overdue included, and what an earlier owner left behind. */
  async #poll(): Promise<void> {
    await this.#dropLost();
    const partitions = [...this.#owned.keys()];
    if (partitions.length === 0) return;
    const until = minuteOf(new Date(this.#clock.now() + LOOK_AHEAD_MS).toISOString());
    const due = await this.#db
      .collection<DispatchDocument>(dispatchFold.collection)
      .find({ _partition: { $in: partitions }, wakeMinute: { $lte: until } }, { readPreference: 'primary' })
      .sort({ wakeMinute: 1 })
      .limit(POLL_LIMIT)
      .toArray();
    for (const dispatch of due) {
      const at = wakeAtOf(dispatch);
      const known = this.#running.has(dispatch._id) || this.#queue.has(dispatch._id);
      if (at !== undefined && !known) this.#queue.plan(dispatch._id, Date.parse(at));
    }
    await this.#recover(partitions);
  }

  /** Forgets partitions that another process has taken. Until then it could only lose against that one's fence. */
  async #dropLost(): Promise<void> {
    for (const stored of await this.#checkpoints.all()) {
      const owned = this.#owned.get(partitionKey(stored));
      if (owned !== undefined && stored.epoch > owned.epoch) this.#owned.delete(partitionKey(stored));
    }
  }

  /** Attempts in the log without an outcome: at once those whose call never began, after a grace those that called. */
  async #recover(partitions: readonly string[]): Promise<void> {
    const now = this.#clock.monotonicMs();
    if (now < this.#recoverAtMs) return;
    this.#recoverAtMs = now + EARLIER_OWNER_GRACE_MS;
    const attempting = await this.#db
      .collection<DispatchDocument>(dispatchFold.collection)
      .find({ _partition: { $in: [...partitions] }, status: 'attempting' }, { readPreference: 'primary' })
      .limit(POLL_LIMIT)
      .toArray();
    for (const { _id } of attempting) {
      if (!this.#running.has(_id)) this.#queue.plan(_id, this.#clock.now());
    }
    const earlierOwnersHaveEnded = now - this.#ownedSinceMs >= EARLIER_OWNER_GRACE_MS;
    for (const owned of this.#owned.values()) {
      await this.#send.settleCalls(owned, (dispatchId) => this.#running.has(dispatchId), earlierOwnersHaveEnded);
    }
  }
}

function readable(record: Parameters<typeof decodeEvent>[0]): RecordedEvent | undefined {
  try {
    return decodeEvent(record);
  } catch (error) {
    // The projector parks the key of an invalid event, and a parked recipient is held by the gate.
    if (error instanceof UnknownEventTypeError || error instanceof InvalidEventError) return undefined;
    throw error;
  }
}

function dueAtOf(event: RecordedEvent): { dispatchId: string; at: number } | undefined {
  if (event.type === 'dispatch.planned.v1') {
    return { dispatchId: event.data.dispatchId, at: Date.parse(event.data.dueAt) };
  }
  if (event.type === 'dispatch.held.v1' && event.data.retryAt !== undefined) {
    return { dispatchId: event.data.dispatchId, at: Date.parse(event.data.retryAt) };
  }
  return undefined;
}
