import type { TopicPartition } from '@assent/event-log';

import type { FoldedDocument } from './fold.ts';
import type { NewlyHeldKey } from './fold-records.ts';
import type { Checkpoint, ProjectionStore } from './projection-store.ts';

const zero: TopicPartition = { topic: 'consent.events', partition: 0 };
const one: TopicPartition = { topic: 'consent.events', partition: 1 };
const folds = [{ collection: 'names', topics: ['consent.events' as const], idsOf: () => [], evolve: () => undefined }];

function named(_id: string, _position: number, name = `at ${String(_position)}`): FoldedDocument {
  return { _id, _position, _partition: 'consent.events/0', ...{ name } };
}

const poison: NewlyHeldKey = { key: 'k', offset: 7, reason: 'spoilt', lastHeld: 9, held: 2 };

/**
 * The rules every store keeps. `openStore` answers a store of the named projection; all stores of one test share their
 * data, each test begins empty.
 */
export function describeProjectionStore(openStore: (projection: string) => Promise<ProjectionStore>): void {
  let store: ProjectionStore;

  beforeEach(async () => {
    store = await openStore('first');
    await store.init(folds);
  });

  async function owner(partition: TopicPartition = zero): Promise<Checkpoint> {
    const [taken] = await store.take([partition]);
    return taken as Checkpoint;
  }

  /** The owner's view of partition 0 or 1, as `park` and `held` want it; taken or not makes no difference to them. */
  function view(partition: TopicPartition = zero, epoch = 1, since = 0): Checkpoint {
    return { ...partition, next: 0, epoch, since };
  }

  async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
    const found: T[] = [];
    for await (const item of items) {
      found.push(item);
    }
    return found;
  }

  async function stored(ids: readonly string[], since = 0): Promise<Record<string, unknown>> {
    return Object.fromEntries(
      [...(await store.load('names', ids, since))].map(([id, { _position }]) => [id, _position]),
    );
  }

  describe('a checkpoint', () => {
    it('begins at 0 and keeps its place from owner to owner, each with the next epoch', async () => {
      expect(await store.take([zero, one])).toEqual([
        { ...zero, next: 0, epoch: 1, since: 0 },
        { ...one, next: 0, epoch: 1, since: 0 },
      ]);
      await store.advance({ ...zero, next: 0, epoch: 1, since: 0 }, 5);
      expect(await store.take([zero])).toEqual([{ ...zero, next: 5, epoch: 2, since: 0 }]);
      expect(await store.next([zero, one])).toEqual(
        new Map([
          ['consent.events/0', 5],
          ['consent.events/1', 0],
        ]),
      );
    });

    it('gives each of many simultaneous owners an epoch of its own', async () => {
      const owners = await Promise.all(Array.from({ length: 20 }, () => owner()));
      expect(owners.map(({ epoch }) => epoch).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
    });

    it('moves forward only, and only for its last owner', async () => {
      const former = await owner();
      const current = await owner();
      expect(await store.advance(current, 8)).toBe(true);
      expect(await store.advance(current, 3)).toBe(true);
      expect(await store.advance(former, 99)).toBe(false);
      expect(await store.checkpoints()).toEqual([{ ...zero, next: 8, epoch: 2, since: 0 }]);
    });

    it('goes back to 0 for its last owner, from whom on documents count', async () => {
      const former = await owner();
      const current = await owner();
      await store.advance(current, 8);
      expect(await store.reset(former)).toBe(false);
      expect(await store.reset(current)).toBe(true);
      expect(await store.checkpoints()).toEqual([{ ...zero, next: 0, epoch: 2, since: 2 }]);
    });

    it('is 0 for a partition nobody ever took', async () => {
      expect(await store.next([one])).toEqual(new Map([['consent.events/1', 0]]));
      expect(await store.checkpoints()).toEqual([]);
    });
  });

  describe('a document', () => {
    it('is read back as it was written', async () => {
      const document = {
        ...named('a', 1),
        ...{ 'consent.events/3': 7, lists: [[], [null, { deep: [1.5, -1] }]], big: 2 ** 52 },
      };
      await store.write('names', [document], await owner());
      expect((await store.load('names', ['a', 'absent'], 0)).get('a')).toEqual(document);
    });

    it('replaces an older one and never a newer or an equal one', async () => {
      const current = await owner();
      await store.write('names', [named('older', 1), named('equal', 5), named('newer', 9)], current);
      await store.write(
        'names',
        [named('older', 5), named('equal', 5, 'other'), named('newer', 5), named('absent', 5)],
        current,
      );
      expect(await stored(['older', 'equal', 'newer', 'absent'])).toEqual({ older: 5, equal: 5, newer: 9, absent: 5 });
      expect((await store.load('names', ['equal'], 0)).get('equal')).toEqual(named('equal', 5));
    });

    it('of a later owner is never replaced by an earlier one, however far that one is', async () => {
      const former = await owner();
      const current = await owner();
      await store.write('names', [named('a', 3)], current);
      await store.write('names', [named('a', 99)], former);
      expect(await stored(['a'])).toEqual({ a: 3 });
    });

    it('from before a rebuild counts as absent, is replaced at any position, and cannot come back', async () => {
      const former = await owner();
      await store.write('names', [named('a', 50), named('b', 50)], former);
      const rebuilding = await owner();
      const since = rebuilding.epoch;
      expect(await stored(['a'], since)).toEqual({});
      await store.write('names', [named('a', 2)], { ...rebuilding, since });
      await store.write('names', [named('a', 60)], former);
      expect(await stored(['a', 'b'], since)).toEqual({ a: 2 });
      // The next owner still meets remains, as the rebuild may have been broken off.
      await store.write('names', [named('a', 1), named('b', 3)], { ...(await owner()), since });
      expect(await stored(['a', 'b'], since)).toEqual({ a: 2, b: 3 });
    });

    it('is removed as it was read, unless it was written again', async () => {
      const former = await owner();
      await store.write('names', [named('gone', 1), named('kept', 1)], former);
      const read = await all(store.scan('names'));
      expect(read).toContainEqual({ ...named('gone', 1), _epoch: 1 });
      await store.write('names', [named('kept', 2)], await owner());
      await store.remove('names', read);
      await store.remove('names', []);
      expect(await stored(['gone', 'kept'])).toEqual({ kept: 2 });
    });

    it('is one of thousands', async () => {
      const many = Array.from({ length: 2_500 }, (_, index) => named(String(index), 1));
      const current = await owner();
      await store.write(
        'names',
        many.slice(0, 10).map((document) => ({ ...document, _position: 9 })),
        current,
      );
      await store.write('names', many, current);
      const seen = (await all(store.scan('names'))).map(({ _id, _position }) => `${_id}@${String(_position)}`);
      expect(seen.sort()).toEqual(many.map(({ _id }, index) => `${_id}@${index < 10 ? '9' : '1'}`).sort());
    });

    it('is the newest one when owners of several epochs write at the same time', async () => {
      const [former, current] = [await owner(), await owner()];
      const ids = Array.from({ length: 50 }, (_, index) => String(index));
      await Promise.all([
        store.write(
          'names',
          ids.map((id) => named(id, 10)),
          former,
        ),
        store.write(
          'names',
          ids.map((id) => named(id, 20)),
          current,
        ),
        store.write(
          'names',
          ids.map((id) => named(id, 15)),
          former,
        ),
      ]);
      expect(new Set(Object.values(await stored(ids)))).toEqual(new Set([20]));
    });
  });

  describe('a parked key', () => {
    it('is found by partition and key, by topic and key, by id and in the list of all', async () => {
      expect(await store.park(view(one), [poison], 1_000)).toBe(true);
      const [parked] = await all(store.scanParked());
      expect(parked).toMatchObject({ ...one, ...poison, parkedAtMs: 1_000 });
      expect(await store.held(view(one), ['k', 'other'])).toMatchObject(
        new Map([['k', { key: 'k', offset: 7, lastHeld: 9 }]]),
      );
      expect(await store.held(view(), ['k'])).toEqual(new Map());
      const named = (topic: string, key: string) => ({ topic, key });
      const others = [named('consent.events', 'other'), named('consent.catalog', 'k')];
      expect(await store.parkedByKey([...others, named('consent.events', 'k')])).toEqual([parked]);
      expect(await store.parkedByKey(others)).toEqual([]);
      expect(await store.parkedById(parked?._id ?? '')).toEqual(parked);
      expect(await store.parkedById('absent')).toBeUndefined();
    });

    it('stays as it was parked first', async () => {
      await store.park(view(), [poison], 1_000);
      expect(
        await store.park(
          view(),
          [
            { ...poison, offset: 8 },
            { ...poison, key: 'new' },
          ],
          2_000,
        ),
      ).toBe(false);
      expect((await store.held(view(), ['k'])).get('k')).toMatchObject({ offset: 7 });
      expect((await store.held(view(), ['new'])).size).toBe(1);
    });

    it('counts further events for whoever read it last', async () => {
      await store.park(view(), [poison], 1_000);
      const before = (await store.held(view(), ['k'])).get('k')!;
      expect(await store.hold(view(), [{ ...before, lastHeld: 12, more: 3 }])).toBe(true);
      expect(await store.hold(view(), [{ ...before, lastHeld: 99, more: 9 }])).toBe(false);
      expect(await all(store.scanParked())).toMatchObject([{ held: 5, lastHeld: 12, version: before.version + 1 }]);
    });

    it('moves its version on also when it holds back only what was counted before', async () => {
      await store.park(view(), [poison], 1_000);
      const before = (await store.held(view(), ['k'])).get('k')!;
      const [read] = await all(store.scanParked());
      expect(await store.hold(view(), [{ ...before, more: 0 }])).toBe(true);
      expect(await store.release(read!)).toBe(false);
    });

    it('is released as it was read, or not at all', async () => {
      await store.park(view(), [poison], 1_000);
      const [read] = await all(store.scanParked());
      await store.hold(view(), [{ ...read!, lastHeld: 12, more: 1 }]);
      expect(await store.release(read!)).toBe(false);
      const [again] = await all(store.scanParked());
      expect(await store.release(again!)).toBe(true);
      expect(await all(store.scanParked())).toEqual([]);
      expect(await store.hold(view(), [{ ...again!, more: 1 }])).toBe(false);
    });

    it('is parked anew as it was read, or not at all', async () => {
      await store.park(view(), [poison], 1_000);
      const [read] = await all(store.scanParked());
      const still = { ...poison, offset: 20, reason: 'worse', lastHeld: 20, held: 0 };
      expect(await store.repark(read!, still, 3_000)).toBe(true);
      expect(await store.repark(read!, poison, 4_000)).toBe(false);
      expect(await all(store.scanParked())).toEqual([
        { ...read, ...still, parkedAtMs: 3_000, version: read!.version + 1 },
      ]);
    });

    it('from before a rebuild counts as absent, can be parked again, and is not released by who read it before', async () => {
      await store.park(view(zero, 3), [poison], 1_000);
      const [read] = await all(store.scanParked());
      expect((await store.held(view(zero, 4, 4), ['k'])).size).toBe(0);
      expect(await store.park(view(zero, 4, 4), [{ ...poison, offset: 8 }], 2_000)).toBe(true);
      expect(await store.release(read!)).toBe(false);
      expect(await store.park(view(zero, 3), [poison], 3_000)).toBe(false);
      expect((await store.held(view(zero, 4, 4), ['k'])).get('k')).toMatchObject({ offset: 8 });
    });
  });

  describe('a projection', () => {
    it('has checkpoints and parked keys of its own', async () => {
      const other = await openStore('second');
      const current = await owner();
      await store.advance(current, 5);
      await store.park(view(), [poison], 1_000);
      expect(await other.take([zero])).toEqual([{ ...zero, next: 0, epoch: 1, since: 0 }]);
      expect((await other.held(view(), ['k'])).size).toBe(0);
      expect(await all(other.scanParked())).toEqual([]);
      expect(await other.parkedByKey([{ topic: 'consent.events', key: 'k' }])).toEqual([]);
      const [parked] = await all(store.scanParked());
      expect(await other.parkedById(parked!._id)).toBeUndefined();
    });
  });
}
