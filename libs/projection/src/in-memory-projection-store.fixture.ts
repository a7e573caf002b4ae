import type { TopicPartition } from '@assent/event-log';

import type { FoldedDocument } from './fold.ts';
import type { FurtherHeld, HeldKey, NewlyHeldKey } from './fold-records.ts';
import { partitionName } from './projection-store.ts';
import type { Checkpoint, ParkedKey, ProjectionStore, StoredDocument } from './projection-store.ts';

type Stored = FoldedDocument & { _epoch: number };

/** Runs before and after each operation; throws to simulate a store that fails before or after it did the work. */
type Interference = (operation: string, moment: 'before' | 'after') => Promise<void> | void;

interface Data {
  readonly documents: Map<string, Map<string, Stored>>;
  readonly checkpoints: Map<string, Checkpoint>;
  readonly parked: Map<string, ParkedKey>;
}

/** The store's rules in memory, one atomic step per document as in MongoDB. Several projectors may share its data. */
export class InMemoryProjectionStore implements ProjectionStore {
  readonly #data: Data;
  readonly #projection: string;
  readonly #interference: Interference;

  constructor(
    interference: Interference = () => undefined,
    projection = 'test',
    data: Data = { documents: new Map(), checkpoints: new Map(), parked: new Map() },
  ) {
    this.#interference = interference;
    this.#projection = projection;
    this.#data = data;
  }

  /** The same data under another interference, or for another projection. */
  seenWith(interference: Interference, projection = this.#projection): InMemoryProjectionStore {
    return new InMemoryProjectionStore(interference, projection, this.#data);
  }

  #idOf(partition: TopicPartition): string {
    return `${this.#projection}|${partitionName(partition)}`;
  }

  #own(): ParkedKey[] {
    return [...this.#data.parked.values()].filter(({ _id }) => _id.startsWith(`${this.#projection}|`));
  }

  async #step<T>(operation: string, work: () => T): Promise<T> {
    await this.#interference(operation, 'before');
    const result = structuredClone(work());
    await this.#interference(operation, 'after');
    return result;
  }

  init(): Promise<void> {
    return this.#step('init', () => undefined);
  }

  take(partitions: readonly TopicPartition[]): Promise<Checkpoint[]> {
    return this.#step('take', () =>
      partitions.map(({ topic, partition }) => {
        const name = this.#idOf({ topic, partition });
        const before = this.#data.checkpoints.get(name) ?? { topic, partition, next: 0, epoch: 0, since: 0 };
        const taken = { ...before, epoch: before.epoch + 1 };
        this.#data.checkpoints.set(name, taken);
        return taken;
      }),
    );
  }

  checkpoints(): Promise<Checkpoint[]> {
    return this.#step('checkpoints', () =>
      [...this.#data.checkpoints]
        .filter(([id]) => id.startsWith(`${this.#projection}|`))
        .map(([, checkpoint]) => checkpoint),
    );
  }

  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#step(
      'next',
      () =>
        new Map(
          partitions.map(
            (partition) =>
              [partitionName(partition), this.#data.checkpoints.get(this.#idOf(partition))?.next ?? 0] as const,
          ),
        ),
    );
  }

  advance(owner: Checkpoint, next: number): Promise<boolean> {
    return this.#step('advance', () =>
      this.#change(owner, (before) => ({ ...before, next: Math.max(before.next, next) })),
    );
  }

  reset(owner: Checkpoint): Promise<boolean> {
    return this.#step('reset', () => this.#change(owner, (before) => ({ ...before, next: 0, since: owner.epoch })));
  }

  #change(owner: Checkpoint, change: (before: Checkpoint) => Checkpoint): boolean {
    const before = this.#data.checkpoints.get(this.#idOf(owner));
    if (before?.epoch !== owner.epoch) {
      return false;
    }
    this.#data.checkpoints.set(this.#idOf(owner), change(before));
    return true;
  }

  load(collection: string, ids: readonly string[], since: number): Promise<Map<string, FoldedDocument>> {
    return this.#step('load', () => {
      const found = ids.flatMap((id) => this.#data.documents.get(collection)?.get(id) ?? []);
      return new Map(found.filter(({ _epoch }) => _epoch >= since).map((stored) => [stored._id, folded(stored)]));
    });
  }

  async write(collection: string, documents: readonly FoldedDocument[], owner: Checkpoint): Promise<void> {
    const { epoch, since } = owner;
    for (const document of documents) {
      await this.#step('write', () => {
        const byId = this.#data.documents.get(collection) ?? new Map<string, Stored>();
        this.#data.documents.set(collection, byId);
        const there = byId.get(document._id);
        const older = there && there._epoch <= epoch && (there._position < document._position || there._epoch < since);
        if (there === undefined || older === true) {
          byId.set(document._id, { ...structuredClone(document), _epoch: epoch });
        }
      });
    }
  }

  async *scan(collection: string): AsyncIterable<StoredDocument> {
    yield* await this.#step('scan', () => [...(this.#data.documents.get(collection)?.values() ?? [])]);
  }

  async remove(collection: string, documents: readonly StoredDocument[]): Promise<void> {
    for (const { _id, _epoch } of documents) {
      await this.#step('remove', () => {
        const byId = this.#data.documents.get(collection);
        if (byId?.get(_id)?._epoch === _epoch) {
          byId?.delete(_id);
        }
      });
    }
  }

  held(owner: Checkpoint, keys: readonly string[]): Promise<Map<string, HeldKey>> {
    return this.#step('held', () => {
      const found = keys.flatMap((key) => this.#data.parked.get(`${this.#idOf(owner)}|${key}`) ?? []);
      return new Map(found.filter(({ epoch }) => epoch >= owner.since).map((parked) => [parked.key, parked]));
    });
  }

  async park(owner: Checkpoint, keys: readonly NewlyHeldKey[], parkedAtMs: number): Promise<boolean> {
    const { topic, partition, epoch } = owner;
    let all = true;
    for (const key of keys) {
      const one = await this.#step('park', () => {
        const _id = `${this.#idOf(owner)}|${key.key}`;
        const before = this.#data.parked.get(_id);
        if (before !== undefined && before.epoch >= owner.since) {
          return false;
        }
        const version = (before?.version ?? 0) + 1;
        this.#data.parked.set(_id, { ...key, _id, topic, partition, epoch, parkedAtMs, version });
        return true;
      });
      all = all && one;
    }
    return all;
  }

  async hold(owner: Checkpoint, keys: readonly FurtherHeld[]): Promise<boolean> {
    let all = true;
    for (const { key, version, lastHeld, more } of keys) {
      const one = await this.#step('hold', () =>
        this.#changeParked({ _id: `${this.#idOf(owner)}|${key}`, version }, ({ held }) => ({
          lastHeld,
          held: held + more,
        })),
      );
      all = all && one;
    }
    return all;
  }

  release({ _id, version }: ParkedKey): Promise<boolean> {
    return this.#step(
      'release',
      () => this.#data.parked.get(_id)?.version === version && this.#data.parked.delete(_id),
    );
  }

  repark(key: ParkedKey, still: NewlyHeldKey, parkedAtMs: number): Promise<boolean> {
    return this.#step('repark', () => this.#changeParked(key, () => ({ ...still, parkedAtMs })));
  }

  #changeParked(
    { _id, version }: Pick<ParkedKey, '_id' | 'version'>,
    change: (before: ParkedKey) => Partial<ParkedKey>,
  ): boolean {
    const before = this.#data.parked.get(_id);
    if (before?.version !== version) {
      return false;
    }
    this.#data.parked.set(_id, { ...before, ...change(before), version: version + 1 });
    return true;
  }

  parkedByKey(keys: readonly { readonly topic: string; readonly key: string }[]): Promise<ParkedKey[]> {
    return this.#step('parkedByKey', () =>
      this.#own().filter((parked) => keys.some(({ topic, key }) => parked.topic === topic && parked.key === key)),
    );
  }

  parkedById(id: string): Promise<ParkedKey | undefined> {
    return this.#step('parkedById', () => this.#own().find(({ _id }) => _id === id));
  }

  async *scanParked(): AsyncIterable<ParkedKey> {
    yield* await this.#step('scanParked', () => this.#own());
  }
}

function folded({ _epoch, ...document }: Stored): FoldedDocument {
  return document;
}
