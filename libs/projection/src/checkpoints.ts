import type { TopicPartition } from '@assent/event-log';
import type { Connection, mongo } from 'mongoose';

import { partitionName } from './projection-store.ts';
import type { Checkpoint } from './projection-store.ts';

/** Acknowledged means: on a majority and in the journal, so that no failover takes it back. */
export const DURABLE = { w: 'majority', journal: true } as const;

/**
 * Committed on a majority, asked of the primary: a checkpoint seen here is seen by every later primary, so the documents
 * it covers are, too.
 */
export const COMMITTED = { readPreference: 'primary', readConcern: { level: 'majority' } } as const;

const CHECKPOINTS = 'projection_checkpoints';

/** Partitions taken at the same time; the rest waits, so that an assignment does not fill the connection pool. */
const TAKES_AT_ONCE = 16;

const NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;

interface CheckpointDocument extends Checkpoint {
  /** `reader|topic|partition` */
  _id: string;
  reader: string;
}

/**
 * Checkpoints of one reader of the log (a projection, or a reaction that appends instead of projecting): one document
 * per partition, moved by compare-and-set on its epoch.
 */
export class Checkpoints {
  readonly #connection: Connection;
  readonly #reader: string;

  /** `reader` is a lower-case name, unique in the database. Nothing is read or written yet. */
  constructor(options: { db: Connection; reader: string }) {
    if (!NAME.test(options.reader)) {
      throw new RangeError(
        'the name of a reader of the log is lower-case letters, digits, dots and hyphens, at most 64',
      );
    }
    this.#connection = options.db;
    this.#reader = options.reader;
  }

  /** `reader|topic|partition`, unique in the database. */
  idOf({ topic, partition }: TopicPartition): string {
    return `${this.#reader}|${topic}|${String(partition)}`;
  }

  /**
   * Takes partitions: their epochs grow by one, so whoever owned them until now can move nothing any more. A partition
   * never seen before begins at offset 0. When it rejects, some may have been taken; taking again is harmless.
   */
  async take(partitions: readonly TopicPartition[]): Promise<Checkpoint[]> {
    const taken: Checkpoint[] = [];
    for (let at = 0; at < partitions.length; at += TAKES_AT_ONCE) {
      const some = partitions.slice(at, at + TAKES_AT_ONCE);
      taken.push(...(await Promise.all(some.map((partition) => this.#take(partition)))));
    }
    return taken;
  }

  async #take({ topic, partition }: TopicPartition): Promise<Checkpoint> {
    const taken = await this.#collection().findOneAndUpdate(
      { _id: this.idOf({ topic, partition }) },
      { $inc: { epoch: 1 }, $setOnInsert: { reader: this.#reader, topic, partition, next: 0, since: 0 } },
      { upsert: true, returnDocument: 'after', includeResultMetadata: false },
    );
    if (taken === null) {
      throw new TypeError('an upsert answered no document');
    }
    return checkpointOf(taken);
  }

  /**
   * Moves a checkpoint to `next`, never back. Durable when it resolves with true; false when another owner took the
   * partition. When it rejects the move may or may not have happened.
   */
  async advance(owner: Checkpoint, next: number): Promise<boolean> {
    const { matchedCount } = await this.#collection().updateOne(this.#owned(owner), { $max: { next } });
    return matchedCount === 1;
  }

  /** Back to offset 0 with everything written so far counted as absent; false when another owner took the partition. */
  async reset(owner: Checkpoint): Promise<boolean> {
    const { matchedCount } = await this.#collection().updateOne(this.#owned(owner), {
      $set: { next: 0, since: owner.epoch },
    });
    return matchedCount === 1;
  }

  #owned(owner: Checkpoint): { _id: string; epoch: number } {
    return { _id: this.idOf(owner), epoch: owner.epoch };
  }

  /** Per `topic/partition` the offset of the first record not yet applied; 0 for a partition never taken. */
  async next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const next = new Map(partitions.map((partition) => [partitionName(partition), 0]));
    const ids = partitions.map((partition) => this.idOf(partition));
    for (const found of await this.#collection()
      .find({ _id: { $in: ids } })
      .toArray()) {
      next.set(partitionName(found), found.next);
    }
    return next;
  }

  /**
   * Epoch of a partition; undefined when it was never taken. Linearizable: an answer that does not show a take is older
   * than that take, so whatever its asker had in the log before, the one who takes will find there.
   */
  async epochOf(partition: TopicPartition): Promise<number | undefined> {
    const found = await this.#collection().findOne(
      { _id: this.idOf(partition) },
      { readPreference: 'primary', readConcern: { level: 'linearizable' } },
    );
    return found?.epoch;
  }

  async all(): Promise<Checkpoint[]> {
    const found = await this.#collection().find({ reader: this.#reader }).toArray();
    return found.map(checkpointOf);
  }

  #collection(): mongo.Collection<CheckpointDocument> {
    return databaseOf(this.#connection).collection(CHECKPOINTS, { ...COMMITTED, writeConcern: DURABLE });
  }
}

/** The driver's database of an open connection; operations before that are a defect of the caller. */
export function databaseOf(connection: Connection): mongo.Db {
  if (connection.db === undefined) {
    throw new TypeError('the connection to MongoDB is not open');
  }
  return connection.db;
}

function checkpointOf({ topic, partition, next, epoch, since }: CheckpointDocument): Checkpoint {
  return { topic, partition, next, epoch, since };
}
