import type { TopicPartition } from '@assent/event-log';
import type { Connection } from 'mongoose';

import { Checkpoints } from './checkpoints.ts';
import { StaleOwnerError } from './projection.errors.ts';
import { partitionName } from './projection-store.ts';
import type { Checkpoint } from './projection-store.ts';

/** How long a checkpoint that passed records nothing came of may wait to be written: long enough to be one write for many. */
const PASSED_WRITTEN_AFTER_MS = 100;
/** The same after the store did not take one. */
const PASSED_TRIED_AGAIN_AFTER_MS = 1_000;

/**
 * The partitions that one reaction of this process owns, with its own checkpoints: what a reader that appends facts
 * instead of projecting needs. A partition that is taken anew leaves the others as they are.
 */
export class OwnedPartitions {
  readonly #reader: string;
  readonly #checkpoints: Checkpoints;
  readonly #owned = new Map<string, Checkpoint>();
  /** Partitions whose checkpoint in memory is ahead of the store's. */
  readonly #passed = new Set<string>();
  #writing: NodeJS.Timeout | undefined;
  #lost: (partition: TopicPartition) => void = () => undefined;

  /** `reader` is a lower-case name, unique in the database. */
  constructor(options: { db: Connection; reader: string }) {
    this.#reader = options.reader;
    this.#checkpoints = new Checkpoints(options);
  }

  /** Becomes the owner of partitions and answers where to go on; see `Checkpoints.take`. */
  async take(partitions: readonly TopicPartition[]): Promise<Map<string, { next: number; epoch: number }>> {
    const taken = await this.#checkpoints.take(partitions);
    for (const checkpoint of taken) {
      this.#owned.set(partitionName(checkpoint), checkpoint);
      this.#passed.delete(partitionName(checkpoint));
    }
    return new Map(taken.map((owned) => [partitionName(owned), { next: owned.next, epoch: owned.epoch }]));
  }

  /** As stored, and as passed by this process. */
  async next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const stored = await this.#checkpoints.next(partitions);
    for (const name of this.#passed) {
      const next = stored.get(name);
      if (next !== undefined) stored.set(name, Math.max(next, this.#owned.get(name)?.next ?? 0));
    }
    return stored;
  }

  /**
   * The checkpoint of a partition as this process took it. Ask once for a batch and advance with it: a batch that waited
   * while the partition was taken again must not move it under the new epoch. Throws `StaleOwnerError`.
   */
  ownerOf(partition: TopicPartition): Checkpoint {
    const owner = this.#owned.get(partitionName(partition));
    if (owner === undefined) throw new StaleOwnerError(this.#reader, partitionName(partition));
    return owner;
  }

  /** Moves the checkpoint to `next`, durably. Throws `StaleOwnerError` when the partition was taken meanwhile. */
  async advance(owner: Checkpoint, next: number): Promise<void> {
    const name = partitionName(owner);
    if (!(await this.#checkpoints.advance(owner, next))) throw new StaleOwnerError(this.#reader, name);
    if (this.#owned.get(name)?.epoch !== owner.epoch) return;
    this.#owned.set(name, { ...owner, next });
    this.#passed.delete(name);
  }

  /** Calls the listener when a checkpoint that was passed turns out to have another owner; see `BatchConsumer.onLost`. */
  onLost(listener: (partition: TopicPartition) => void): void {
    this.#lost = listener;
  }

  /**
   * Moves the checkpoint past records that nothing came of: for this process at once, durably and for others a moment
   * later, so that nobody waits for the store. A crash in between looks at them again. Throws `StaleOwnerError` when
   * the partition was taken anew by this process; what another one took is told to `onLost`.
   */
  pass(owner: Checkpoint, next: number): void {
    const name = partitionName(owner);
    if (this.#owned.get(name)?.epoch !== owner.epoch) throw new StaleOwnerError(this.#reader, name);
    this.#owned.set(name, { ...owner, next });
    this.#passed.add(name);
    this.#writeAfter(PASSED_WRITTEN_AFTER_MS);
  }

  #writeAfter(ms: number): void {
    if (this.#writing !== undefined) return;
    this.#writing = setTimeout(() => {
      void this.#write();
    }, ms).unref();
  }

  /** What the store does not take now stays passed in memory, and is tried again. Does not reject. */
  async #write(): Promise<void> {
    let again = PASSED_WRITTEN_AFTER_MS;
    try {
      for (const name of [...this.#passed]) await this.#writePassed(name);
    } catch {
      again = PASSED_TRIED_AGAIN_AFTER_MS;
    }
    this.#writing = undefined;
    if (this.#passed.size > 0) this.#writeAfter(again);
  }

  async #writePassed(name: string): Promise<void> {
    const owner = this.#owned.get(name);
    if (owner === undefined) return;
    const isOurs = await this.#checkpoints.advance(owner, owner.next);
    if (this.#owned.get(name)?.epoch !== owner.epoch) return;
    if (!isOurs) {
      this.#owned.delete(name);
      this.#passed.delete(name);
      this.#lost(owner);
    } else if (this.#owned.get(name)?.next === owner.next) this.#passed.delete(name);
  }
}
