import type { TopicName } from '@assent/contracts';
import type { EventLog, RecordBatch, TopicPartition } from '@assent/event-log';
import type { Connection } from 'mongoose';

import { applyRecords, foldsOf, RECORDS_AT_ONCE } from './apply-records.ts';
import type { ProjectionContext } from './apply-records.ts';
import { digestDocuments } from './digest-documents.ts';
import type { Fold } from './fold.ts';
import { assertFolds } from './fold.ts';
import { heldKeyOf } from './fold-records.ts';
import type { FoldOutcome } from './fold-records.ts';
import { MaintenanceLock } from './maintenance-lock.ts';
import { MongoProjectionStore } from './mongo-projection-store.ts';
import { ProjectionMovingError, StaleOwnerError } from './projection.errors.ts';
import { partitionName } from './projection-store.ts';
import type { Checkpoint, ParkedKey, ProjectionStore } from './projection-store.ts';
import { rebuildProjection } from './rebuild-projection.ts';
import type { RebuildOptions, RebuildResult } from './rebuild-projection.ts';
import { replayParked } from './replay-parked.ts';
import type { ReplayOutcome } from './replay-parked.ts';

const utf8 = new TextEncoder();

/** What of a logger the projector uses; pino's shape. */
export interface ProjectionLogger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface ProjectorOptions {
  /** An open connection, or one that is opening: `init` waits for it. */
  readonly db: Connection;
  /** Unique in the database, for ever: checkpoints and parked keys are found by it. */
  readonly projection: string;
  readonly folds: readonly Fold[];
  readonly logger: ProjectionLogger;
  /** Wall clock, epoch milliseconds; only for what people read. */
  readonly clock: { now(): number };
}

/** Totals of this process since it started. */
export interface ProjectionCounts {
  readonly eventsApplied: number;
  readonly unknownTypesSkipped: number;
  readonly keysParked: number;
  /** Events of parked keys that were not applied, the poison ones not counted. */
  readonly eventsHeld: number;
}

export interface ProjectionDigest {
  /** 64 hexadecimal digits; equal documents give equal digests, in whatever order they were written. */
  readonly digest: string;
  readonly documents: number;
  /** Per `topic/partition` the offset up to which the documents are folded. */
  readonly positions: Readonly<Record<string, number>>;
}

/**
 * Keeps the read models of one projection in step with the log. Events are applied at least once and take effect once:
 * every document knows the position it is folded to, every write is guarded by it, and the checkpoint moves last, by
 * compare-and-set on the epoch of the owner. There are no transactions; a crash anywhere is mended by applying the
 * records again.
 */
export class Projector {
  readonly projection: string;
  readonly topics: readonly TopicName[];
  readonly #context: ProjectionContext;
  readonly #logger: ProjectionLogger;
  readonly #owned = new Map<string, Checkpoint>();
  readonly #lock = new MaintenanceLock();
  readonly #listeners = new Set<(partition: string, next: number) => void>();
  #counts: ProjectionCounts = { eventsApplied: 0, unknownTypesSkipped: 0, keysParked: 0, eventsHeld: 0 };

  /**
   * Throws `FoldDefinitionError` when two folds share a collection or one reads a topic of limited life. `store` is
   * given by tests only.
   */
  constructor(options: ProjectorOptions, store?: ProjectionStore) {
    assertFolds(options.folds);
    this.projection = options.projection;
    this.topics = [...new Set(options.folds.flatMap((fold) => fold.topics))];
    this.#context = {
      projection: options.projection,
      folds: options.folds,
      clock: options.clock,
      store: store ?? new MongoProjectionStore(options.db, options.projection),
    };
    this.#logger = options.logger;
  }

  /** Waits for the connection and makes the indexes the folds ask for. Call once before `take`. */
  init(): Promise<void> {
    return this.#context.store.init(this.#context.folds);
  }

  /**
   * Becomes the owner of partitions, so that no earlier owner can move their checkpoints, and answers where to begin
   * reading. Partitions of topics that no fold reads are left out of the answer.
   */
  async take(partitions: readonly TopicPartition[]): Promise<Map<string, { next: number; epoch: number }>> {
    const taken = await this.#take(partitions.filter(({ topic }) => this.topics.some((own) => own === topic)));
    return new Map(taken.map((owned) => [partitionName(owned), { next: owned.next, epoch: owned.epoch }]));
  }

  async #take(partitions: readonly TopicPartition[]): Promise<Checkpoint[]> {
    const taken = await this.#context.store.take(partitions);
    taken.forEach((owned) => this.#owned.set(partitionName(owned), owned));
    return taken;
  }

  /**
   * Applies a batch: records of one partition that begin at or before its checkpoint and have no gaps (throws
   * `RecordsMissingError` otherwise); records applied before change nothing. When it resolves, documents, parked keys
   * and the checkpoint are durable. It works under the epoch this projector last took, whatever the batch's own epoch
   * is: one transport serves several projectors. Throws `StaleOwnerError` when the partition was taken by somebody else
   * or `batch.isCurrent()` says so; failures of the store and of `batch.heartbeat()` pass through as they are.
   */
  apply(batch: RecordBatch): Promise<void> {
    return this.#lock.shared(
      () => this.#apply(batch),
      () => batch.heartbeat(),
    );
  }

  async #apply(batch: RecordBatch): Promise<void> {
    if (foldsOf(this.#context, batch.topic).length === 0) {
      return;
    }
    const partition = partitionName(batch);
    // Read once: a batch that waited while the partition was lost and taken again must not work under the new epoch.
    let owner = this.#owned.get(partition);
    for (let at = 0; at < batch.records.length; at += RECORDS_AT_ONCE) {
      if (owner === undefined || !batch.isCurrent()) {
        throw new StaleOwnerError(this.projection, partition);
      }
      const applied = await applyRecords(this.#context, owner, batch.records.slice(at, at + RECORDS_AT_ONCE));
      owner = applied.owner;
      this.#advanced(owner, applied);
      await batch.heartbeat();
    }
  }

  #advanced(owner: Checkpoint, outcome: FoldOutcome): void {
    const partition = partitionName(owner);
    if (this.#owned.get(partition)?.epoch === owner.epoch) {
      this.#owned.set(partition, owner);
    }
    this.#count(partition, outcome);
    this.#listeners.forEach((listener) => {
      listener(partition, owner.next);
    });
  }

  #count(partition: string, outcome: FoldOutcome): void {
    const heldAgain = outcome.held.reduce((sum, { more }) => sum + more, 0);
    const heldAtOnce = outcome.parked.reduce((sum, { held }) => sum + held, 0);
    const counts = this.#counts;
    this.#counts = {
      eventsApplied: counts.eventsApplied + outcome.applied,
      unknownTypesSkipped: counts.unknownTypesSkipped + outcome.unknownTypes,
      keysParked: counts.keysParked + outcome.parked.length,
      eventsHeld: counts.eventsHeld + heldAgain + heldAtOnce,
    };
    for (const { offset, reason } of outcome.parked) {
      const position = `${partition}@${String(offset)}`;
      this.#logger.warn({ projection: this.projection, position, reason }, 'a poison event parked its key');
    }
  }

  get counts(): ProjectionCounts {
    return this.#counts;
  }

  /** Calls the listener after each move of a checkpoint by this process. Answers how to stop that. */
  onAdvanced(listener: (partition: string, next: number) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Per `topic/partition` the offset of the first record not yet applied (0 at first), as the primary has committed
   * it.
   */
  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#context.store.next(partitions);
  }

  /**
   * Tells whether events of this record key are held back: then its read models are not to be trusted. Ask after the
   * barrier. A poison event itself counts from the moment its checkpoint covers it.
   */
  async isParked(topic: TopicName, key: string): Promise<boolean> {
    return (await this.parked(topic, [key])).length > 0;
  }

  /** Those of the record keys whose events are held back, one entry per partition in which they are. */
  parked(topic: TopicName, keys: readonly string[]): Promise<ParkedKey[]> {
    return this.parkedAmong(keys.map((key) => ({ topic, key })));
  }

  /** The same for record keys of several topics, with one look. */
  parkedAmong(keys: readonly { readonly topic: TopicName; readonly key: string }[]): Promise<ParkedKey[]> {
    const held = keys.map(({ topic, key }) => ({ topic, key: heldKeyOf(utf8.encode(key), 0) }));
    return this.#context.store.parkedByKey(held);
  }

  /** Parked keys of all topics, at most `limit`, in no order; for operators and gauges. */
  async allParked(limit: number): Promise<ParkedKey[]> {
    const parked: ParkedKey[] = [];
    for await (const key of this.#context.store.scanParked()) {
      if (parked.length >= limit) {
        break;
      }
      parked.push(key);
    }
    return parked;
  }

  /**
   * Digest of all documents at a stopped checkpoint. Throws `ProjectionMovingError` when events were applied meanwhile,
   * or when documents are ahead of their checkpoint because a consumer died between the two.
   */
  async digest(): Promise<ProjectionDigest> {
    const { store, folds } = this.#context;
    const positions = positionsOf(await store.checkpoints());
    const { digest, documents, writtenUpTo } = await digestDocuments(store, folds);
    const positionsAfter = positionsOf(await store.checkpoints());
    const moved = Object.entries(positionsAfter).some(([partition, next]) => positions[partition] !== next);
    const ahead = [...writtenUpTo].some(([partition, next]) => next > (positions[partition] ?? 0));
    if (moved || ahead) {
      throw new ProjectionMovingError(this.projection);
    }
    return { digest, documents, positions };
  }

  /**
   * Gives the documents and parked keys up and replays them from the log, up to where the checkpoints stood, into the
   * same collections; compares the digests. Stop the consumers of this projection in other processes first: this one
   * takes all partitions, so theirs fail, and when they take them back the rebuild fails. In this process `apply` waits.
   * Readers see old and new documents mixed meanwhile; the checkpoints say so, hence barriers hold. Documents that
   * somebody else put into the collections show in `before` and are removed.
   *
   * Throws before anything is changed: `SourceIncompleteError` when the log does not hold every record from offset 0,
   * `ForeignDocumentsError`, `ProjectionMovingError` when somebody keeps writing. Throws `StaleOwnerError` when another
   * process took a partition. A crash or an error after that loses nothing: whoever consumes next continues the replay.
   * Documents and parked keys that only the earlier code produced then remain until a rebuild ends.
   */
  async rebuild(log: EventLog, options: RebuildOptions = {}): Promise<RebuildResult> {
    const result = await this.#lock.exclusive(() => this.#rebuild(log, options));
    this.#logger.info({ projection: this.projection, equal: result.equal }, 'the projection was rebuilt');
    return result;
  }

  async #rebuild(log: EventLog, options: RebuildOptions): Promise<RebuildResult> {
    try {
      return await rebuildProjection(this.#context, log, (partitions) => this.#take(partitions), options);
    } catch (error) {
      // The checkpoints may stand at 0 while the transport goes on from where they were: it has to take them again.
      this.#owned.clear();
      throw error;
    }
  }

  /**
   * After the mend: folds everything anew that the key's events feed, from offset 0 of the partition to its checkpoint,
   * and releases the key, unless one of its events is poison still: then everything before that one is applied. Run it
   * in the process that owns the partition (`apply` waits meanwhile), or with the consumers stopped. When it throws the
   * key is held as before: `StaleOwnerError` or `HeldKeysChangedError` when another process took the partition meanwhile
   * (run it again), `ReplayTooLargeError`. A key that is parked in several partitions is replayed in each; the first
   * that stays parked is the answer.
   */
  async replayKey(log: EventLog, topic: TopicName, key: string): Promise<ReplayOutcome> {
    let outcome: ReplayOutcome = { status: 'not-parked' };
    for (const { _id } of await this.parked(topic, [key])) {
      outcome = await this.replayParked(log, _id);
      if (outcome.status === 'still-parked') {
        return outcome;
      }
    }
    return outcome;
  }

  /** `replayKey` for an entry of `allParked`, which names a key by its hash. */
  async replayParked(log: EventLog, id: string): Promise<ReplayOutcome> {
    const outcome = await this.#lock.exclusive(() =>
      replayParked(this.#context, log, (partitions) => this.#take(partitions), id),
    );
    this.#logger.info({ projection: this.projection, status: outcome.status }, 'a parked key was replayed');
    return outcome;
  }
}

function positionsOf(checkpoints: readonly Checkpoint[]): Record<string, number> {
  return Object.fromEntries(checkpoints.map((checkpoint) => [partitionName(checkpoint), checkpoint.next]));
}
