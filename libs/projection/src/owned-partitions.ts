import type { TopicPartition } from '@assent/event-log';
import type { Connection } from 'mongoose';

import { Checkpoints } from './checkpoints.ts';
import { StaleOwnerError } from './projection.errors.ts';
import { partitionName } from './projection-store.ts';
import type { Checkpoint } from './projection-store.ts';

/**
 * The partitions that one reaction of this process owns, with its own checkpoints: what a reader that appends facts
 * instead of projecting needs. A partition that is taken anew leaves the others as they are.
 */
export class OwnedPartitions {
  readonly #reader: string;
  readonly #checkpoints: Checkpoints;
  readonly #owned = new Map<string, Checkpoint>();

  /** `reader` is a lower-case name, unique in the database. */
  constructor(options: { db: Connection; reader: string }) {
    this.#reader = options.reader;
    this.#checkpoints = new Checkpoints(options);
  }

  /** Becomes the owner of partitions and answers where to go on; see `Checkpoints.take`. */
  async take(partitions: readonly TopicPartition[]): Promise<Map<string, { next: number; epoch: number }>> {
    const taken = await this.#checkpoints.take(partitions);
    for (const checkpoint of taken) this.#owned.set(partitionName(checkpoint), checkpoint);
    return new Map(taken.map((owned) => [partitionName(owned), { next: owned.next, epoch: owned.epoch }]));
  }

  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#checkpoints.next(partitions);
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
    if (!(await this.#checkpoints.advance(owner, next))) {
      throw new StaleOwnerError(this.#reader, partitionName(owner));
    }
    this.#owned.set(partitionName(owner), { ...owner, next });
  }
}
