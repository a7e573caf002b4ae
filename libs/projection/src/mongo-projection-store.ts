import type { TopicPartition } from '@assent/event-log';
import { mongo } from 'mongoose';
import type { Connection } from 'mongoose';

import { Checkpoints, COMMITTED, databaseOf, DURABLE } from './checkpoints.ts';
import type { Fold, FoldedDocument } from './fold.ts';
import type { FurtherHeld, HeldKey, NewlyHeldKey } from './fold-records.ts';
import { WriteRefusedError } from './projection.errors.ts';
import type { Checkpoint, ParkedKey, ProjectionStore, StoredDocument } from './projection-store.ts';

const PARKED = 'projection_parked';

/** Documents of one bulk write: some MB at most, and short enough for a heartbeat in between. */
const DOCUMENTS_PER_WRITE = 1_000;

/** Documents of one answer; the driver's 101 would cost a batch another round trip. */
const DOCUMENTS_PER_PAGE = 1_000;

/** A second round always suffices unless somebody deletes or races on; a few more cost nothing. */
const WRITE_ATTEMPTS_MAX = 4;

const DUPLICATE_KEY = 11_000;

interface OwnedDocument extends FoldedDocument {
  /** Epoch of the owner that wrote it: a later owner's document is never replaced by an earlier owner. */
  _epoch: number;
}

interface ParkedDocument extends ParkedKey {
  readonly projection: string;
}

/** The read models, checkpoints and parked keys of one projection in MongoDB. No transactions, no range scans. */
export class MongoProjectionStore implements ProjectionStore {
  readonly #connection: Connection;
  readonly #projection: string;
  readonly #checkpoints: Checkpoints;

  constructor(connection: Connection, projection: string) {
    this.#connection = connection;
    this.#projection = projection;
    this.#checkpoints = new Checkpoints({ db: connection, reader: projection });
  }

  async init(folds: readonly Fold[]): Promise<void> {
    await this.#connection.asPromise();
    await this.#parked().createIndex({ key: 1 }, {}, {});
    for (const fold of folds) {
      for (const index of fold.indexes ?? []) {
        await this.#documents(fold.collection).createIndex({ ...index }, {}, {});
      }
    }
  }

  take(partitions: readonly TopicPartition[]): Promise<Checkpoint[]> {
    return this.#checkpoints.take(partitions);
  }

  checkpoints(): Promise<Checkpoint[]> {
    return this.#checkpoints.all();
  }

  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#checkpoints.next(partitions);
  }

  advance(owner: Checkpoint, next: number): Promise<boolean> {
    return this.#checkpoints.advance(owner, next);
  }

  reset(owner: Checkpoint): Promise<boolean> {
    return this.#checkpoints.reset(owner);
  }

  async load(collection: string, ids: readonly string[], since: number): Promise<Map<string, FoldedDocument>> {
    const found = await this.#documents(collection)
      .find({ _id: { $in: [...ids] } }, { batchSize: DOCUMENTS_PER_PAGE })
      .toArray();
    return new Map(found.filter(({ _epoch }) => _epoch >= since).map((stored) => [stored._id, folded(stored)]));
  }

  async write(collection: string, documents: readonly FoldedDocument[], owner: Checkpoint): Promise<void> {
    for (let at = 0; at < documents.length; at += DOCUMENTS_PER_WRITE) {
      let waiting = documents.slice(at, at + DOCUMENTS_PER_WRITE);
      for (let attempt = 1; waiting.length > 0; attempt += 1) {
        if (attempt > WRITE_ATTEMPTS_MAX) {
          throw new WriteRefusedError(collection);
        }
        // Remains of before a rebuild are met while one runs; at other times the shorter guard is the faster one.
        const remains = attempt > 1 || owner.since === owner.epoch;
        waiting = await this.#writeGuarded(collection, waiting, owner, remains);
      }
    }
  }

  /**
   * One round of writing; answers the documents to write again. Where the guard fails the upsert runs into the existing
   * document (E11000). That alone does not say that it is newer: a zombie may have inserted an older one between the
   * read and this write. So the refused are read back.
   */
  async #writeGuarded(
    collection: string,
    documents: readonly FoldedDocument[],
    { epoch, since }: Checkpoint,
    remains: boolean,
  ): Promise<FoldedDocument[]> {
    const writes = documents.map((document) => {
      const older = { _position: { $lt: document._position } };
      return {
        replaceOne: {
          filter: {
            _id: document._id,
            _epoch: { $lte: epoch },
            ...(remains ? { $or: [older, { _epoch: { $lt: since } }] } : older),
          },
          replacement: { ...document, _epoch: epoch },
          upsert: true,
        },
      };
    });
    try {
      await this.#documents(collection).bulkWrite(writes, { ordered: false });
      return [];
    } catch (error) {
      const refused = refusedBy(error).flatMap((index) => documents.slice(index, index + 1));
      const ids = refused.map(({ _id }) => _id);
      const found = await this.#documents(collection)
        .find({ _id: { $in: ids } })
        .toArray();
      const stored = new Map(found.map((document) => [document._id, document]));
      return refused.filter((document) => {
        const there = stored.get(document._id);
        return there === undefined || !(there._epoch > epoch || isAsNew(there, document, since));
      });
    }
  }

  async *scan(collection: string): AsyncIterable<StoredDocument> {
    yield* this.#documents(collection).find({}, { batchSize: DOCUMENTS_PER_PAGE });
  }

  async remove(collection: string, documents: readonly StoredDocument[]): Promise<void> {
    const writes = documents.map(({ _id, _epoch }) => ({
      // `null` finds the document that has no epoch at all.
      deleteOne: { filter: { _id, _epoch: (_epoch ?? null) as number } },
    }));
    if (writes.length > 0) {
      await this.#documents(collection).bulkWrite(writes, { ordered: false });
    }
  }

  async held(owner: Checkpoint, keys: readonly string[]): Promise<Map<string, HeldKey>> {
    const ids = keys.map((key) => this.#parkedId(owner, key));
    const found = await this.#parked()
      .find({ _id: { $in: ids } }, { batchSize: DOCUMENTS_PER_PAGE })
      .toArray();
    return new Map(found.filter(({ epoch }) => epoch >= owner.since).map((parked) => [parked.key, parked]));
  }

  async park(owner: Checkpoint, keys: readonly NewlyHeldKey[], parkedAtMs: number): Promise<boolean> {
    const { topic, partition, epoch, since } = owner;
    const writes = keys.map((key) => ({
      updateOne: {
        filter: { _id: this.#parkedId(owner, key.key), epoch: { $lt: since } },
        update: {
          $set: { projection: this.#projection, topic, partition, ...key, epoch, parkedAtMs },
          $inc: { version: 1 },
        },
        upsert: true,
      },
    }));
    try {
      await this.#parked().bulkWrite(writes, { ordered: false });
      return true;
    } catch (error) {
      return refusedBy(error).length === 0;
    }
  }

  async hold(owner: Checkpoint, keys: readonly FurtherHeld[]): Promise<boolean> {
    const writes = keys.map(({ key, version, lastHeld, more }) => ({
      updateOne: {
        filter: { _id: this.#parkedId(owner, key), version },
        update: { $set: { lastHeld }, $inc: { held: more, version: 1 } },
      },
    }));
    const { matchedCount } = await this.#parked().bulkWrite(writes, { ordered: false });
    return matchedCount === keys.length;
  }

  async release({ _id, version }: ParkedKey): Promise<boolean> {
    const { deletedCount } = await this.#parked().deleteOne({ _id, version });
    return deletedCount === 1;
  }

  async repark({ _id, version }: ParkedKey, still: NewlyHeldKey, parkedAtMs: number): Promise<boolean> {
    const { matchedCount } = await this.#parked().updateOne(
      { _id, version },
      { $set: { ...still, parkedAtMs, version: version + 1 } },
    );
    return matchedCount === 1;
  }

  async parkedByKey(keys: readonly { readonly topic: string; readonly key: string }[]): Promise<ParkedKey[]> {
    const wanted = new Set(keys.map(({ topic, key }) => `${topic}|${key}`));
    const found = await this.#parked()
      .find({ key: { $in: [...new Set(keys.map(({ key }) => key))] }, projection: this.#projection })
      .toArray();
    return found.filter(({ topic, key }) => wanted.has(`${topic}|${key}`));
  }

  async parkedById(id: string): Promise<ParkedKey | undefined> {
    const found = await this.#parked().findOne({ _id: id, projection: this.#projection });
    return found ?? undefined;
  }

  async *scanParked(): AsyncIterable<ParkedKey> {
    yield* this.#parked().find({ projection: this.#projection }, { batchSize: DOCUMENTS_PER_PAGE });
  }

  #parkedId(partition: TopicPartition, key: string): string {
    return `${this.#checkpoints.idOf(partition)}|${key}`;
  }

  #parked(): mongo.Collection<ParkedDocument> {
    return databaseOf(this.#connection).collection(PARKED, { ...COMMITTED, writeConcern: DURABLE });
  }

  /** Read as the primary has them, its own latest writes included. Undefined fields are not stored. */
  #documents(collection: string): mongo.Collection<OwnedDocument> {
    return databaseOf(this.#connection).collection(collection, {
      readPreference: 'primary',
      writeConcern: DURABLE,
      ignoreUndefined: true,
    });
  }
}

function folded({ _epoch, ...document }: OwnedDocument): FoldedDocument {
  return document;
}

function isAsNew(stored: OwnedDocument, document: FoldedDocument, since: number): boolean {
  return stored._position >= document._position && stored._epoch >= since;
}

/** Indexes of the writes whose guard failed. Every other failure is thrown as it is. */
function refusedBy(error: unknown): number[] {
  if (!(error instanceof mongo.MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) {
    throw error;
  }
  const writeErrors = [error.writeErrors].flat();
  if (writeErrors.length === 0 || writeErrors.some(({ code }) => code !== DUPLICATE_KEY)) {
    throw error;
  }
  return writeErrors.map(({ index }) => index);
}
