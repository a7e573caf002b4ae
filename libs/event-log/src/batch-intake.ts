import type { LogRecord } from '@assent/contracts';
import type { KafkaMessage } from 'kafkajs';
import { admit, type Admission } from './batch-admission.ts';
import { RetryableHandlerError } from './event-log.errors.ts';
import { partitionKey, type TopicPartition } from './event-log.ts';
import {
  HEARTBEAT_INTERVAL_MS,
  isKafkajsError,
  SESSION_TIMEOUT_MS,
  type GroupBatch,
  type GroupConsumer,
} from './group-consumer.ts';
import { MEMBERSHIP_LOST, unansweredHeartbeat } from './kafkajs-internals.ts';
import { logRecordOf } from './log-record.ts';
import { errorFields, type EventLogLogger } from './logger.ts';

/** What a handler gets: consecutive records of one partition, never a gap, never one twice in a row. */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly LogRecord[];
  /** The fencing number under which the partition was taken; a larger one exists as soon as another member takes it. */
  readonly epoch: number;
  /**
   * Keeps the membership alive in work that takes long (it is also done in the background) and throws when it is lost;
   * let that error pass.
   */
  heartbeat(): Promise<void>;
  /** False once a rebalance began or the coordinator was not heard of for a session. True proves nothing: fence. */
  isCurrent(): boolean;
}

/** A partition this member owns. */
export interface OwnedPartition extends TopicPartition {
  readonly epoch: number;
  /** The offset handled next. */
  readonly next: number;
}

export type PartitionState =
  /** Assigned; its checkpoint is being taken or its bounds are being looked up. */
  | 'taking'
  | 'consuming'
  /** Its handler has been at one batch for long; the other partitions go on. */
  | 'working'
  /** Its handler fails; tried again after a pause, the other partitions go on. */
  | 'retrying'
  /** Something is wrong with the log or the checkpoint that a person must look at; see `reason`. */
  | 'stopped';

export interface PartitionStatus extends OwnedPartition {
  readonly state: PartitionState;
  /** Records not handled yet, as of the last fetch; absent before the first. */
  readonly lag?: number;
  /** Attempts that have failed since the last success. */
  readonly failures: number;
  /** Why it is not consuming: an error's code or name, `unexplained-gap`, `checkpoint-beyond-log`. */
  readonly reason?: string;
}

export interface IntakeStatus {
  readonly state: 'idle' | 'joining' | 'consuming' | 'stopped' | 'failed';
  readonly partitions: readonly PartitionStatus[];
}

export interface IntakeOptions {
  readonly consumer: GroupConsumer;
  /** Oldest and next offset per `topic/partition`; what cannot be told now is missing. */
  bounds(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, { start: number; end: number }>>;
  take(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, { next: number; epoch: number }>>;
  handle(batch: RecordBatch): Promise<void>;
  onAssigned?(partitions: readonly OwnedPartition[]): void;
  onRevoked?(): void;
  onFatal(error: Error): void;
  readonly logger: EventLogLogger;
  readonly clock: { monotonicMs(): number };
  /** Batches worked at side by side, each of another partition. What takes very long is not counted. */
  readonly concurrencyMax: number;
}

/**
 * A batch may keep the next one of its partition, and one that finds no place, waiting for so long, and kafkajs with
 * them: it fetches nothing more from a broker until all it fetched was taken. Batches take milliseconds; one that takes
 * longer goes on beside the others.
 */
const TOGETHER_MAX_MS = 1_000;
/** Attempts at a batch while the next one of its partition waits for it. */
const TRIES_IN_PLACE_MAX = 4;
const BACKOFF_MS = 100;
const BACKOFF_MAX_MS = 5_000;
const BOUNDS_RETRY_MS = 500;
const RETAKE_PAUSE_MS = 2 * HEARTBEAT_INTERVAL_MS;
/** Lag tools look every few seconds. */
const COMMIT_INTERVAL_MS = 5_000;
/** What leaving the group may take when the broker does not answer; the session ends by itself then. */
const LEAVE_WITHIN_MS = 3_000;

interface Owned extends TopicPartition {
  readonly key: string;
  epoch: number;
  next: number;
  state: PartitionState;
  failures: number;
  reason: string | undefined;
  highWatermark: number | undefined;
  /** The due offset a batch did not match before, and was sought back for. */
  soughtBackTo: number | undefined;
}

/**
 * The consuming side of the log: owns what the group assigns, begins at own checkpoints, hands on batches without gaps
 * and lets nothing a handler throws end the consumer.
 *
 * - On joining, the assigned partitions are paused, their checkpoints taken (`take`), compared with the log's bounds,
 *   sought and resumed. kafkajs does not wait for this, so a batch counts only if it continues its checkpoint: below
 *   is dropped, beyond is sought back, and a gap that stays stops the partition for a person to look at. (Records that
 *   retention deleted before they were read are reported and passed over.)
 * - kafkajs gets its batches back as soon as the work at them has begun, so that a record of one partition does not
 *   wait for what is done with those of another. It waits when all places are taken, or for the batch before of the
 *   same partition, each for a second at most.
 * - A failing handler is tried again in place with heartbeats, then its partition steps aside with growing pauses, for
 *   as long as it takes. An error with code `stale-owner` says that the checkpoint has another owner: the partition is
 *   taken anew, once the coordinator has confirmed that it is still ours.
 * - A crash of the process loses nothing and repeats at most the batches whose checkpoint was not written.
 */
export class BatchIntake {
  private readonly options: IntakeOptions;
  private owned = new Map<string, Owned>();
  private state: IntakeStatus['state'] = 'idle';
  private confirmedAtMs = 0;
  private announced = false;
  private takes: Promise<void> = Promise.resolve();
  /** Batches that are being handled, one per partition at most, whatever generation they are of. */
  private readonly running = new Map<string, Promise<void>>();
  /** Those of them that have a place, each until it ends or has taken long. */
  private readonly placed = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private stopped: Promise<void> | undefined;
  private commitTimer: NodeJS.Timeout | undefined;
  private committing = false;

  constructor(options: IntakeOptions) {
    this.options = options;
  }

  /** Joins the group; rejects when that is impossible now. */
  async start(): Promise<void> {
    this.state = 'joining';
    await this.options.consumer.start({
      joined: (assignment) => {
        this.joined(assignment);
      },
      confirmed: () => {
        this.confirmedAtMs = this.options.clock.monotonicMs();
      },
      rebalancing: () => {
        this.revoke();
      },
      passedOver: (partition, first, last) => {
        this.passedOver(partition, first, last);
      },
      crashed: (error, restarts) => {
        this.crashed(error, restarts);
      },
      batch: (batch) => this.receive(batch),
    });
  }

  /** The partitions whose checkpoint this member has taken. */
  assigned(): readonly OwnedPartition[] {
    return [...this.owned.values()].filter(({ epoch }) => epoch >= 0).map(ownedPartition);
  }

  status(): IntakeStatus {
    const partitions = [...this.owned.values()].map((p): PartitionStatus => ({
      ...ownedPartition(p),
      state: p.state,
      failures: p.failures,
      ...(p.highWatermark === undefined ? {} : { lag: Math.max(0, p.highWatermark - p.next) }),
      ...(p.reason === undefined ? {} : { reason: p.reason }),
    }));
    return { state: this.state, partitions };
  }

  /**
   * For a consumer that writes behind its handler's return and finds then that a partition has another owner: the same as
   * `stale-owner` from the handler. A partition that is not this member's any more is left alone.
   */
  foundStale(partition: TopicPartition): void {
    const p = this.owned.get(partitionKey(partition));
    if (p === undefined) return;
    const takeAgain = async (): Promise<void> => {
      await this.running.get(p.key); // its handler may find out by itself
      if (this.mayGoOn(p) && (p.state === 'consuming' || p.state === 'working')) await this.retake(p);
    };
    this.inBackground(takeAgain());
  }

  /** Finishes the running batches, hands out no further one, leaves the group. May be called more than once. */
  stop(): Promise<void> {
    this.stopped ??= this.stopOnce();
    return this.stopped;
  }

  private async stopOnce(): Promise<void> {
    this.stopping.abort();
    await Promise.allSettled([...this.running.values()]);
    clearTimeout(this.commitTimer);
    await within(LEAVE_WITHIN_MS, this.commitForLagTools());
    await within(LEAVE_WITHIN_MS, this.options.consumer.stop());
    this.revoke();
    this.state = 'stopped';
  }

  private joined(assignment: readonly TopicPartition[]): void {
    this.revoke();
    const partitions = assignment.map(newlyOwned);
    this.owned = new Map(partitions.map((p) => [p.key, p]));
    this.confirmedAtMs = this.options.clock.monotonicMs();
    this.announced = true;
    if (this.state !== 'failed') this.state = 'consuming';
    this.options.logger.info({ partitions: partitions.length }, 'joined the consumer group');
    if (partitions.length === 0) return;
    this.options.consumer.pause(partitions);
    const busy = partitions.filter(({ key }) => this.running.has(key));
    this.take(partitions.filter((p) => !busy.includes(p)));
    // The handlers of one partition never overlap in this process; what another process does, the epoch fences.
    for (const p of busy)
      void this.running.get(p.key)?.then(() => {
        this.take([p]);
      });
  }

  private revoke(): void {
    this.owned = new Map();
    if (this.state === 'consuming') this.state = 'joining';
    if (!this.announced) return;
    this.announced = false;
    this.tell(() => this.options.onRevoked?.());
  }

  private crashed(error: Error, restarts: boolean): void {
    this.revoke();
    this.options.logger.warn({ restarts, ...errorFields(error) }, 'the consumer crashed');
    if (restarts) return;
    this.state = 'failed';
    this.options.onFatal(error);
  }

  private isOwned(p: Owned): boolean {
    return this.owned.get(p.key) === p;
  }

  private mayGoOn(p: Owned): boolean {
    return this.isOwned(p) && !this.stopping.signal.aborted;
  }

  /** One take at a time, so that epochs rise in the order of the generations. */
  private take(partitions: readonly Owned[]): void {
    const take = async (): Promise<void> => {
      const taken = await this.taken(partitions);
      if (taken.length === 0) return;
      this.tell(() => this.options.onAssigned?.(taken.map(ownedPartition)));
      this.inBackground(this.place(taken));
    };
    this.takes = this.takes.then(take).catch((error: unknown) => {
      this.options.logger.error(errorFields(error), 'assigned partitions could not be taken over');
    });
  }

  /** A listener's error must not reach kafkajs, which would end the consumer for it. */
  private tell(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.options.logger.error(errorFields(error), 'a listener of the intake failed');
    }
  }

  /** kafkajs throws at whoever seeks or pauses while it restarts; the next generation begins anew anyway. */
  private inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.options.logger.warn(errorFields(error), 'a partition was not resumed in this generation');
    });
  }

  private async taken(partitions: readonly Owned[]): Promise<readonly Owned[]> {
    for (let tries = 1; ; tries += 1) {
      const mine = partitions.filter((p) => this.mayGoOn(p));
      if (mine.length === 0) return [];
      try {
        const points = await this.options.take(mine);
        for (const p of mine) {
          const point = points.get(p.key);
          if (point === undefined) throw new Error(`no checkpoint was answered for ${p.key}`);
          p.next = point.next;
          p.epoch = point.epoch;
        }
        return mine.filter((p) => this.isOwned(p));
      } catch (error) {
        for (const p of mine) p.reason = reasonOf(error);
        this.options.logger.warn({ tries, ...errorFields(error) }, 'the checkpoints could not be taken');
        await this.pause(backoff(tries));
      }
    }
  }

  /** Begins consuming at `next`, as soon as the log's bounds are known and allow it. */
  private async place(partitions: readonly Owned[]): Promise<void> {
    let waiting = partitions;
    for (;;) {
      waiting = waiting.filter((p) => this.mayGoOn(p));
      if (waiting.length === 0) return;
      const bounds = await this.options.bounds(waiting).catch((error: unknown) => {
        this.options.logger.warn(errorFields(error), 'the bounds of the log could not be looked up');
        return new Map<string, { start: number; end: number }>();
      });
      for (const p of waiting) {
        const found = bounds.get(p.key);
        if (found !== undefined && this.mayGoOn(p)) this.placeWithin(p, found);
      }
      waiting = waiting.filter(({ state }) => state === 'taking');
      if (waiting.length > 0) await this.pause(BOUNDS_RETRY_MS);
    }
  }

  private placeWithin(p: Owned, { start, end }: { start: number; end: number }): void {
    if (p.next > end) {
      this.halt(p, 'checkpoint-beyond-log', { end });
      return;
    }
    if (p.next < start) {
      this.options.logger.warn({ ...whereOf(p), start }, 'records were deleted by retention before they were read');
      p.next = start;
    } else if (p.reason === 'gap') {
      this.halt(p, 'unexplained-gap', { start, end });
      return;
    }
    this.goOn(p);
  }

  private goOn(p: Owned): void {
    p.state = 'consuming';
    p.reason = undefined;
    p.soughtBackTo = undefined;
    this.options.consumer.seek(p, p.next);
    this.options.consumer.resume([p]);
  }

  private halt(p: Owned, reason: string, fields: object): void {
    p.state = 'stopped';
    p.reason = reason;
    this.options.logger.error(
      { ...whereOf(p), reason, ...fields },
      'a partition was stopped; a person must look at it',
    );
  }

  /**
   * Takes a batch out of kafkajs's hands: resolves when the work at it has begun, or when there is none. Until then it
   * waits for the batch before of its partition, and for a place.
   */
  private async receive(batch: GroupBatch): Promise<void> {
    const p = this.owned.get(partitionKey(batch));
    while (p !== undefined && this.mayGoOn(p) && p.state === 'consuming' && !batch.isStale()) {
      const isFull = this.placed.size >= this.options.concurrencyMax;
      const before = this.placed.get(p.key) ?? (isFull ? Promise.race(this.placed.values()) : undefined);
      if (before === undefined) {
        this.admit(p, batch);
        return;
      }
      await before;
    }
  }

  private admit(p: Owned, batch: GroupBatch): void {
    if (this.running.has(p.key)) return; // never two of one partition, whatever else is amiss
    p.highWatermark = batch.highWatermark;
    const due = p.next;
    const admitted = admit(batch, due);
    if (admitted.next > due) batch.resolve(admitted.next);
    if (admitted.records.length > 0) {
      this.begin(p, batch, admitted);
      return;
    }
    this.advance(p, admitted.next);
    if (admitted.rest !== 'none') this.seekBack(p, admitted.rest);
  }

  private begin(p: Owned, batch: GroupBatch, admitted: Admission): void {
    const ended = this.work(p, batch, admitted).finally(() => this.running.delete(p.key));
    this.running.set(p.key, ended);
    const placed = orTookLong(ended).then((outcome) => {
      this.placed.delete(p.key);
      if (outcome === 'took long') this.goOnWithout(p, ended);
    });
    this.placed.set(p.key, placed);
  }

  /** Works at a batch until it is handled or something else sees to its partition. Does not reject. */
  private async work(p: Owned, batch: GroupBatch, { records, next, rest }: Admission): Promise<void> {
    try {
      if (!(await this.deliver(p, batch, records)) || !this.isOwned(p)) return;
      this.advance(p, next);
      if (rest !== 'none' && p.state === 'consuming') this.seekBack(p, rest);
    } catch (error) {
      // The membership was lost or could not be confirmed; kafkajs finds that out by itself.
      this.options.logger.debug({ ...whereOf(p), ...errorFields(error) }, 'a batch was broken off');
      if (this.mayGoOn(p) && p.state === 'consuming') this.seekAgain(p);
    }
  }

  private seekAgain(p: Owned): void {
    try {
      this.options.consumer.seek(p, p.next);
    } catch (error) {
      // It restarts, and the next generation begins at the checkpoint anyway.
      this.options.logger.debug({ ...whereOf(p), ...errorFields(error) }, 'a partition was not sought back');
    }
  }

  /** Lets kafkajs fetch for the other partitions, and comes back to this one when its batch is done. */
  private goOnWithout(p: Owned, ended: Promise<void>): void {
    if (!this.mayGoOn(p) || p.state !== 'consuming') return; // the work sees to it, or nobody needs to
    p.state = 'working';
    const comeBack = async (): Promise<void> => {
      this.options.consumer.pause([p]);
      await ended;
      if (this.mayGoOn(p) && p.state === 'working') this.goOn(p);
    };
    this.inBackground(comeBack());
  }

  private advance(p: Owned, next: number): void {
    if (next <= p.next) return;
    p.next = next;
    p.soughtBackTo = undefined;
    this.commitTimer ??= setTimeout(() => {
      this.commitTimer = undefined;
      void this.commitForLagTools();
    }, COMMIT_INTERVAL_MS);
  }

  private passedOver(partition: TopicPartition, first: number, last: number): void {
    const p = this.owned.get(partitionKey(partition));
    const before = p === undefined ? undefined : this.running.get(p.key);
    if (before !== undefined) {
      void before.then(() => {
        this.passedOver(partition, first, last);
      });
      return;
    }
    if (p?.state === 'consuming' && first <= p.next && p.next <= last) p.next = last + 1;
  }

  /** The first time kafkajs may just have fetched from elsewhere. The second time the log's bounds are asked. */
  private seekBack(p: Owned, rest: 'gap' | 'behind'): void {
    this.options.logger.warn({ ...whereOf(p), rest }, 'a batch did not continue its checkpoint');
    if (p.soughtBackTo !== p.next) {
      p.soughtBackTo = p.next;
      this.options.consumer.seek(p, p.next);
      return;
    }
    p.state = 'taking';
    p.reason = rest;
    this.options.consumer.pause([p]);
    this.inBackground(this.place([p]));
  }

  /** True when the records were handled. Throws only kafkajs's own error: the membership was lost or not confirmed. */
  private async deliver(p: Owned, batch: GroupBatch, messages: readonly KafkaMessage[]): Promise<boolean> {
    const records = messages.map((message) => logRecordOf(p.topic, p.partition, message));
    const membership = new Membership(batch, () => {
      if (this.isOwned(p)) this.revoke(); // what was joined meanwhile is not lost
    });
    const handed = this.recordBatch(p, records, membership);
    try {
      for (let tries = 1; ; tries += 1) {
        const failure = await this.attempt(handed);
        if (failure === undefined) {
          p.failures = 0;
          return true;
        }
        membership.throwIfLost();
        if (!this.mayGoOn(p)) return false;
        if ((failure.cause as { code?: unknown } | undefined)?.code === 'stale-owner') {
          this.inBackground(this.retake(p));
          return false;
        }
        this.noteFailure(p, failure);
        if (tries === TRIES_IN_PLACE_MAX) {
          this.inBackground(this.stepAside(p));
          return false;
        }
        await this.pause(backoff(p.failures));
        membership.throwIfLost();
        if (!this.mayGoOn(p)) return false;
      }
    } finally {
      membership.end();
    }
  }

  private recordBatch(p: Owned, records: readonly LogRecord[], membership: Membership): RecordBatch {
    const { topic, partition, epoch } = p;
    return {
      topic,
      partition,
      epoch,
      records,
      heartbeat: () => membership.confirm(),
      isCurrent: () => this.isOwned(p) && this.options.clock.monotonicMs() - this.confirmedAtMs < SESSION_TIMEOUT_MS,
    };
  }

  private async attempt(batch: RecordBatch): Promise<RetryableHandlerError | undefined> {
    try {
      await this.options.handle(batch);
      return undefined;
    } catch (error) {
      return new RetryableHandlerError(partitionKey(batch), error);
    }
  }

  private noteFailure(p: Owned, failure: RetryableHandlerError): void {
    p.failures += 1;
    p.reason = reasonOf(failure.cause);
    const fields = { ...whereOf(p), failures: p.failures, ...errorFields(failure.cause) };
    this.options.logger.warn(fields, 'a handler failed; the batch will be tried again');
  }

  /** Lets the other partitions go on and comes back to this one, for as long as it fails. */
  private async stepAside(p: Owned): Promise<void> {
    p.state = 'retrying';
    this.options.consumer.pause([p]);
    await this.pause(backoff(p.failures));
    if (!this.mayGoOn(p)) return;
    const { reason } = p;
    this.goOn(p);
    p.reason = reason;
  }

  private async retake(p: Owned): Promise<void> {
    if (p.state === 'taking') return; // under way
    const sinceMs = this.options.clock.monotonicMs();
    p.state = 'taking';
    p.reason = 'stale-owner';
    this.options.logger.warn(whereOf(p), 'the checkpoint has another owner; confirming the membership');
    this.options.consumer.pause([p]);
    while (this.mayGoOn(p) && this.confirmedAtMs <= sinceMs) await this.pause(RETAKE_PAUSE_MS);
    if (this.mayGoOn(p)) this.take([p]);
  }

  /** One at a time: kafkajs repeats a commit until the coordinator takes it. */
  private async commitForLagTools(): Promise<void> {
    if (this.committing) return;
    const offsets = [...this.owned.values()].filter(({ epoch }) => epoch >= 0).map(ownedPartition);
    if (offsets.length === 0) return;
    this.committing = true;
    try {
      await this.options.consumer.commit(offsets);
    } catch (error) {
      this.options.logger.debug(errorFields(error), 'offsets were not committed for lag tools');
    } finally {
      this.committing = false;
    }
  }

  /** Resolves after `ms`, or at once when consuming ends. */
  private pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}

/** Heartbeats while a batch is handled, whether or not the handler makes them. */
class Membership {
  private readonly timer: NodeJS.Timeout;
  private confirming: Promise<void> | undefined;
  private lost: Error | undefined;

  constructor(
    private readonly batch: Pick<GroupBatch, 'heartbeat'>,
    private readonly onRebalance: () => void,
  ) {
    this.timer = setInterval(() => {
      this.confirm().catch(() => undefined); // remembered in `lost`
    }, HEARTBEAT_INTERVAL_MS);
  }

  /** One at a time. After a session without an answer the membership is not to be counted on any more. */
  confirm(): Promise<void> {
    this.confirming ??= this.confirmOnce().finally(() => (this.confirming = undefined));
    return this.confirming;
  }

  private async confirmOnce(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const unanswered = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(unansweredHeartbeat());
      }, SESSION_TIMEOUT_MS);
    });
    try {
      await Promise.race([this.batch.heartbeat(), unanswered]);
      this.lost = undefined;
    } catch (error) {
      if (isKafkajsError(error)) {
        this.lost = error;
        if (error.type !== undefined && MEMBERSHIP_LOST.has(error.type)) this.onRebalance();
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nest or the handler may have wrapped or replaced the error on its way; kafkajs must get its own. */
  throwIfLost(): void {
    if (this.lost !== undefined) throw this.lost;
  }

  end(): void {
    clearInterval(this.timer);
  }
}

/** No epoch is held before the checkpoint was taken. */
const NOT_TAKEN = -1;

function newlyOwned({ topic, partition }: TopicPartition): Owned {
  return {
    topic,
    partition,
    key: partitionKey({ topic, partition }),
    epoch: NOT_TAKEN,
    next: 0,
    state: 'taking',
    failures: 0,
    reason: undefined,
    highWatermark: undefined,
    soughtBackTo: undefined,
  };
}

function ownedPartition({ topic, partition, epoch, next }: Owned): OwnedPartition {
  return { topic, partition, epoch, next };
}

function whereOf({ topic, partition, next }: Owned): object {
  return { topic, partition, next };
}

function backoff(failures: number): number {
  return Math.min(BACKOFF_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
}

function reasonOf(error: unknown): string {
  const { errorCode, errorName } = errorFields(error);
  return errorCode ?? errorName;
}

async function orTookLong<T>(work: Promise<T>): Promise<T | 'took long'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'took long'>((resolve) => {
    timer = setTimeout(resolve, TOGETHER_MAX_MS, 'took long');
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), late]);
  clearTimeout(timer);
}
