import type { TopicPartition } from '@assent/event-log';

import type { Fold, FoldedDocument } from './fold.ts';
import type { FurtherHeld, HeldKey, NewlyHeldKey } from './fold-records.ts';

/** `consent.events/3`, the name of a partition in documents, maps and messages. */
export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}/${String(partition)}`;
}

/** Where a reader of one partition stands. */
export interface Checkpoint extends TopicPartition {
  /** Offset of the first record not yet applied. */
  readonly next: number;
  /** Grows by one with every owner; only the last one may move `next`. */
  readonly epoch: number;
  /** Documents last written under an earlier epoch are remains of before a rebuild: they count as absent. */
  readonly since: number;
}

/** A key whose events are held back, as an operator sees it: a pointer and a code, no content. */
export interface ParkedKey extends NewlyHeldKey, HeldKey, TopicPartition {
  /** `projection|topic|partition|hash of the key` */
  readonly _id: string;
  /** Epoch of the owner that parked it. */
  readonly epoch: number;
  /** Epoch milliseconds. */
  readonly parkedAtMs: number;
}

/** A document as it lies in the store. `_epoch` is the epoch of the owner that wrote it, unless somebody else did. */
export interface StoredDocument extends FoldedDocument {
  readonly _epoch?: unknown;
}

/**
 * What one projection keeps, behind the operations the projector needs. Every write is durable (majority and journal)
 * when its promise resolves, every read is answered by the primary. A failure of the store rejects as it is. What was
 * last written under an epoch before `since` counts as absent throughout.
 */
export interface ProjectionStore {
  init(folds: readonly Fold[]): Promise<void>;

  /** Makes the caller the owner of the partitions: epoch + 1, `next` unchanged (0 at first). */
  take(partitions: readonly TopicPartition[]): Promise<Checkpoint[]>;
  checkpoints(): Promise<Checkpoint[]>;
  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>>;
  /** Compare-and-set on the epoch; never moves back. False when another owner took the partition. */
  advance(owner: Checkpoint, next: number): Promise<boolean>;
  /** Compare-and-set: back to offset 0, and `since` becomes the owner's epoch. */
  reset(owner: Checkpoint): Promise<boolean>;

  load(collection: string, ids: readonly string[], since: number): Promise<Map<string, FoldedDocument>>;
  /**
   * Writes each document unless the store holds one of a later owner, or one that counts at the same or a later
   * position: then somebody applied these events already. Throws `WriteRefusedError`.
   */
  write(collection: string, documents: readonly FoldedDocument[], owner: Checkpoint): Promise<void>;
  /** All documents, those that count as absent and those of nobody included. */
  scan(collection: string): AsyncIterable<StoredDocument>;
  /** Removes documents that were not written again since they were read. */
  remove(collection: string, documents: readonly StoredDocument[]): Promise<void>;

  held(owner: Checkpoint, keys: readonly string[]): Promise<Map<string, HeldKey>>;
  /** Parks those keys that are not parked yet. False when some were. */
  park(owner: Checkpoint, keys: readonly NewlyHeldKey[], parkedAtMs: number): Promise<boolean>;
  /** Counts further held events and moves on the versions. False when a key's version is not the one that was read. */
  hold(owner: Checkpoint, keys: readonly FurtherHeld[]): Promise<boolean>;
  /** Compare-and-set on the version. False when more of its events were held back, or it was released, meanwhile. */
  release(key: ParkedKey): Promise<boolean>;
  /** The same, but the key stays parked for another event: pointer, reason and count are replaced. */
  repark(key: ParkedKey, still: NewlyHeldKey, parkedAtMs: number): Promise<boolean>;
  /** Those of the keys, each in its topic, that are parked; one entry per partition in which they are. */
  parkedByKey(keys: readonly { readonly topic: string; readonly key: string }[]): Promise<ParkedKey[]>;
  parkedById(id: string): Promise<ParkedKey | undefined>;
  scanParked(): AsyncIterable<ParkedKey>;
}
