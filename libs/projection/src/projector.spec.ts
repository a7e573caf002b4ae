import { jest } from '@jest/globals';
import type { LogRecord, NewRecord } from '@assent/contracts';
import { InMemoryEventLog } from '@assent/event-log';
import type { TopicPartition } from '@assent/event-log';
import fc from 'fast-check';
import { createConnection } from 'mongoose';

import type { Fold, FoldedDocument } from './fold.ts';
import { heldKeyOf } from './fold-records.ts';
import { InMemoryProjectionStore } from './in-memory-projection-store.fixture.ts';
import type { StoredDocument } from './projection-store.ts';
import { Projector } from './projector.ts';
import {
  batchOf,
  catalog,
  inPartition0,
  ofUnknownType,
  purposeFolds,
  purposePublished,
  silentLogger,
  unreadable,
} from './purposes.fixture.ts';

// The properties take a second each; a machine that runs everything else beside them may need ten times that.
jest.setTimeout(30_000);

const clock = { now: () => 1_764_000_000_000 };
/** Never opened: whatever is asked of MongoDB itself fails. */
const db = createConnection();
const partition0: TopicPartition = { topic: catalog, partition: 0 };

function projectorOver(store: InMemoryProjectionStore, folds: readonly Fold[] = purposeFolds()): Projector {
  return new Projector({ db, projection: 'test.purposes.v1', folds, logger: silentLogger, clock }, store);
}

async function logOf(records: readonly NewRecord[]): Promise<InMemoryEventLog> {
  const log = new InMemoryEventLog({ topics: { [catalog]: 1 }, clock });
  await log.append(records);
  return log;
}

type Deed = { readonly key: string } & (
  { readonly what: 'named'; readonly name: string } | { readonly what: 'unreadable' } | { readonly what: 'unknown' }
);

const deeds: fc.Arbitrary<Deed[]> = fc.array(
  fc
    .record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      what: fc.constant('named' as const),
      name: fc.constantFrom('x', 'y', 'z'),
    })
    .chain((named): fc.Arbitrary<Deed> =>
      fc.oneof(
        { weight: 8, arbitrary: fc.constant(named) },
        { weight: 1, arbitrary: fc.constant({ ...named, name: 'spoilt' }) },
        {
          weight: 1,
          arbitrary: fc
            .constantFrom('unreadable' as const, 'unknown' as const)
            .map((what) => ({ key: named.key, what })),
        },
      ),
    ),
  { minLength: 1, maxLength: 24 },
);

const known = new Map<string, NewRecord>();

/** Encoded once per kind of deed: encoding is not what these tests are about, and it takes most of their time. */
function recordOf(deed: Deed): NewRecord {
  const record = known.get(JSON.stringify(deed)) ?? encoded(deed);
  known.set(JSON.stringify(deed), record);
  return record;
}

function encoded(deed: Deed): NewRecord {
  if (deed.what === 'named') {
    return purposePublished(deed.key, deed.name);
  }
  return deed.what === 'unknown' ? ofUnknownType(deed.key) : unreadable(deed.key);
}

/** What must come out, written as plainly as possible: one event after the other, nothing ever repeated. */
function expectedOf(all: readonly Deed[], { mended }: { mended: boolean }) {
  const names = new Map<string, { names: string[]; _position: number }>();
  const history: { history: string; _position: number }[] = [];
  const parked = new Map<string, { offset: number; reason: string; held: number; lastHeld: number }>();
  all.forEach((deed, offset) => {
    const held = parked.get(deed.key);
    if (deed.what === 'unknown') {
      return;
    }
    if (held !== undefined) {
      parked.set(deed.key, { ...held, held: held.held + 1, lastHeld: offset });
    } else if (deed.what === 'unreadable') {
      parked.set(deed.key, { offset, reason: 'malformed-json', held: 0, lastHeld: offset });
    } else if (deed.name === 'spoilt' && !mended) {
      parked.set(deed.key, { offset, reason: 'spoilt-name', held: 0, lastHeld: offset });
    } else {
      names.set(deed.key, { names: [...(names.get(deed.key)?.names ?? []), deed.name], _position: offset });
      history[0] = { history: `${history[0]?.history ?? ''} ${deed.key}:${deed.name}`, _position: offset };
    }
  });
  return {
    names: [...names].map(([_id, fields]) => ({ _id, ...fields, _partition: `${catalog}/0` })),
    history: history.map((fields) => ({ _id: 'history-0', ...fields, _partition: `${catalog}/0` })),
    parked: [...parked].map(([key, fields]) => ({ key: heldKeyOf(new TextEncoder().encode(key), 0), ...fields })),
  };
}

function withoutEpoch({ _epoch, ...document }: StoredDocument): FoldedDocument {
  return document;
}

async function foundIn(store: InMemoryProjectionStore) {
  const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
    const found: T[] = [];
    for await (const item of items) {
      found.push(item);
    }
    return found;
  };
  const byId = <T extends { _id: string }>(items: readonly T[]): T[] =>
    [...items].sort((a, b) => (a._id < b._id ? -1 : 1));
  const parked = await all(store.scanParked());
  return {
    names: byId((await all(store.scan('purpose_names'))).map(withoutEpoch)),
    history: (await all(store.scan('partition_history'))).map(withoutEpoch),
    parked: parked.map(({ key, offset, reason, held, lastHeld }) => ({ key, offset, reason, held, lastHeld })),
  };
}

function sorted(expected: ReturnType<typeof expectedOf>) {
  const by = (field: 'key' | '_id') => (a: object, b: object) =>
    String(Reflect.get(a, field)) < String(Reflect.get(b, field)) ? -1 : 1;
  return { ...expected, names: [...expected.names].sort(by('_id')), parked: [...expected.parked].sort(by('key')) };
}

async function expectFolded(store: InMemoryProjectionStore, all: readonly Deed[], options = { mended: false }) {
  const found = await foundIn(store);
  const parked = [...found.parked].sort((a, b) => (a.key < b.key ? -1 : 1));
  expect({ ...found, parked }).toEqual(sorted(expectedOf(all, options)));
}

describe('a projector over any sequence of events', () => {
  it('gives the same documents and parked keys however the events are cut into batches and delivered again', async () => {
    const deliveries = fc.array(fc.record({ back: fc.nat(6), length: fc.integer({ min: 1, max: 9 }) }), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(deeds, deliveries, async (all, cuts) => {
        const records = inPartition0(all.map(recordOf));
        const store = new InMemoryProjectionStore();
        const projector = projectorOver(store);
        await projector.take([partition0]);
        let next = 0;
        for (const { back, length } of [...cuts, { back: records.length, length: records.length * 2 }]) {
          const from = Math.max(0, next - back);
          const some = records.slice(from, from + length);
          await projector.apply(batchOf(some));
          next = Math.max(next, from + some.length);
        }
        expect(await projector.next([partition0])).toEqual(new Map([[`${catalog}/0`, records.length]]));
        await expectFolded(store, all);
      }),
    );
  });

  it('gives the same documents and parked keys when the store fails or the process dies between any two steps', async () => {
    const failures = fc.array(
      fc.record({ after: fc.integer({ min: 1, max: 12 }), moment: fc.constantFrom('before', 'after') }),
      {
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(deeds, fc.integer({ min: 1, max: 9 }), failures, async (all, length, planned) => {
        const records = inPartition0(all.map(recordOf));
        const store = new InMemoryProjectionStore();
        const waiting = [...planned];
        for (let done = false; !done;) {
          const failure = waiting.shift();
          let calls = 0;
          const failing = store.seenWith((_, moment) => {
            if (moment === failure?.moment && (calls += 1) === failure.after) {
              throw new Error('store failed');
            }
          });
          // A new process each time: only what the store holds survives.
          done = await runToEnd(projectorOver(failing), records, length).catch(() => false);
        }
        await expectFolded(store, all);
      }),
    );
  });
});

async function runToEnd(projector: Projector, records: readonly LogRecord[], length: number): Promise<boolean> {
  const taken = await projector.take([partition0]);
  for (let next = taken.get(`${catalog}/0`)?.next ?? 0; next < records.length; next += length) {
    await projector.apply(batchOf(records.slice(next, next + length)));
  }
  return true;
}

/** Runs until it has applied everything, taking the partition again whenever somebody else took it. */
async function runStubbornly(projector: Projector, records: readonly LogRecord[], length: number): Promise<void> {
  for (let done = false; !done;) {
    done = await runToEnd(projector, records, length).catch((error: unknown) => {
      expect(error).toMatchObject({ code: expect.stringMatching(/^(stale-owner|held-keys-changed)$/) as string });
      return false;
    });
  }
}

describe('two processes that both believe to own a partition', () => {
  it('give the documents of one that runs alone, in every order of their steps', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.scheduler(), fc.integer({ min: 1, max: 9 }), async (all, scheduler, length) => {
        const records = inPartition0(all.map(recordOf));
        const store = new InMemoryProjectionStore();
        const scheduled = () =>
          projectorOver(store.seenWith((operation) => scheduler.schedule(Promise.resolve(), operation)));
        await scheduler.waitFor(
          Promise.all([
            runToEnd(scheduled(), records, 3).catch(() => false),
            runStubbornly(scheduled(), records, length),
            runToEnd(scheduled(), records, 5).catch(() => false),
          ]),
        );
        await runStubbornly(projectorOver(store), records, length);
        await expectFolded(store, all);
      }),
    );
  });
});

describe('a process whose predecessor still writes', () => {
  it('holds back what that one has parked, also when it looked at the keys before', async () => {
    const all: Deed[] = [
      { key: 'a', what: 'named', name: 'spoilt' },
      { key: 'b', what: 'named', name: 'x' },
      { key: 'a', what: 'named', name: 'y' },
    ];
    const records = inPartition0(all.map(recordOf));
    const store = new InMemoryProjectionStore();
    const predecessor = projectorOver(store);
    await predecessor.take([partition0]);
    let looked = 0;
    const successor = projectorOver(
      store.seenWith(async (operation, moment) => {
        if (operation === 'load' && moment === 'before') await new Promise(setImmediate);
        if (operation !== 'held' || moment !== 'after' || (looked += 1) > 1) return;
        await expect(predecessor.apply(batchOf(records.slice(0, 2)))).rejects.toMatchObject({ code: 'stale-owner' });
      }),
    );
    await runToEnd(successor, records, 3);
    await expectFolded(store, all);
  });
});

describe('a parked key after the mend', () => {
  const mended = { mended: true };

  async function replayStubbornly(projector: Projector, log: InMemoryEventLog): Promise<void> {
    for (let tries = 0; tries < 50; tries += 1) {
      try {
        for (const { _id } of await projector.allParked(100)) {
          await projector.replayParked(log, _id);
        }
        return;
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(stale-owner|held-keys-changed)$/) as string });
      }
    }
  }

  it('has, once replayed, the documents it would have had without ever being parked', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.nat(24), async (all, cut) => {
        const records = inPartition0(all.map(recordOf));
        const log = await logOf(all.map(recordOf));
        const store = new InMemoryProjectionStore();
        await runToEnd(projectorOver(store), records.slice(0, cut), 4);
        const projector = projectorOver(store, purposeFolds(mended));
        await replayStubbornly(projector, log);
        await runToEnd(projector, records, 4);
        await replayStubbornly(projector, log);
        await expectFolded(store, all, mended);
      }),
    );
  });

  it('is replayed correctly while another process consumes the partition, in every order of their steps', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.scheduler(), fc.nat(24), async (all, scheduler, cut) => {
        const records = inPartition0(all.map(recordOf));
        const log = await logOf(all.map(recordOf));
        const store = new InMemoryProjectionStore();
        await runToEnd(projectorOver(store), records.slice(0, cut), 4);
        const scheduled = () =>
          projectorOver(
            store.seenWith((operation) => scheduler.schedule(Promise.resolve(), operation)),
            purposeFolds(mended),
          );
        await scheduler.waitFor(
          Promise.all([runStubbornly(scheduled(), records, 3), replayStubbornly(scheduled(), log)]),
        );
        const projector = projectorOver(store, purposeFolds(mended));
        await runToEnd(projector, records, 3);
        await replayStubbornly(projector, log);
        await expectFolded(store, all, mended);
      }),
      // The narrow races show up in one run of a hundred.
      { numRuns: 300 },
    );
  });

  it('stays parked, and nothing changes, when it was not mended', async () => {
    const all: Deed[] = [
      { key: 'a', what: 'named', name: 'x' },
      { key: 'a', what: 'named', name: 'spoilt' },
      { key: 'a', what: 'named', name: 'y' },
    ];
    const store = new InMemoryProjectionStore();
    const projector = projectorOver(store);
    await runToEnd(projector, inPartition0(all.map(recordOf)), 2);
    expect(await projector.replayKey(await logOf(all.map(recordOf)), catalog, 'a')).toEqual({
      status: 'still-parked',
      documents: 2,
      offset: 1,
      reason: 'spoilt-name',
    });
    await expectFolded(store, all);
  });

  it('is not found when it was never parked', async () => {
    const projector = projectorOver(new InMemoryProjectionStore());
    expect(await projector.replayKey(await logOf([]), catalog, 'a')).toEqual({ status: 'not-parked' });
  });
});

describe('a projector', () => {
  const records = inPartition0(['a', 'b', 'a'].map((key, index) => purposePublished(key, `name ${String(index)}`)));

  it('refuses a batch that leaves a gap to the checkpoint, and writes nothing', async () => {
    const store = new InMemoryProjectionStore();
    const projector = projectorOver(store);
    await projector.take([partition0]);
    await expect(projector.apply(batchOf(records.slice(1)))).rejects.toMatchObject({
      code: 'records-missing',
      expected: 0,
      found: 1,
    });
    expect(await foundIn(store)).toEqual({ names: [], history: [], parked: [] });
  });

  it('refuses a batch with a hole in it', async () => {
    const projector = projectorOver(new InMemoryProjectionStore());
    await projector.take([partition0]);
    const holed = records.filter(({ offset }) => offset !== 1);
    await expect(projector.apply(batchOf(holed))).rejects.toMatchObject({ code: 'records-missing', found: 2 });
  });

  it('refuses a batch whose partition it never took, or that the transport calls outdated', async () => {
    const projector = projectorOver(new InMemoryProjectionStore());
    await expect(projector.apply(batchOf(records))).rejects.toMatchObject({ code: 'stale-owner' });
    await projector.take([partition0]);
    const outdated = batchOf(records, { isCurrent: () => false });
    await expect(projector.apply(outdated)).rejects.toMatchObject({ code: 'stale-owner' });
  });

  it('takes partitions of its own topics only', async () => {
    const projector = projectorOver(new InMemoryProjectionStore());
    expect(await projector.take([partition0, { topic: 'consent.events', partition: 0 }])).toEqual(
      new Map([[`${catalog}/0`, { next: 0, epoch: 1 }]]),
    );
  });

  it('passes failures of the heartbeat through as they are', async () => {
    const projector = projectorOver(new InMemoryProjectionStore());
    await projector.take([partition0]);
    const rebalance = new Error('rebalance in progress');
    const batch = batchOf(records, { heartbeat: () => Promise.reject(rebalance) });
    await expect(projector.apply(batch)).rejects.toBe(rebalance);
  });

  it('parks a record without a key alone', async () => {
    const store = new InMemoryProjectionStore();
    const projector = projectorOver(store);
    await projector.take([partition0]);
    const keyless = records.map((record) => (record.offset < 2 ? { ...record, key: null } : record));
    await projector.apply(batchOf(keyless));
    const { names, parked } = await foundIn(store);
    expect(parked.map(({ key }) => key)).toEqual(['@0', '@1']);
    expect(names).toMatchObject([{ _id: 'a', names: ['name 2'] }]);
  });

  it('parks the key when a document belongs to another partition', async () => {
    const everywhere: Fold = { ...purposeFolds()[1]!, idsOf: () => ['one-for-all'] };
    const store = new InMemoryProjectionStore();
    const projector = projectorOver(store, [everywhere]);
    const partition1 = { topic: catalog, partition: 1 };
    await projector.take([partition0, partition1]);
    await projector.apply(batchOf(records.slice(0, 1)));
    await projector.apply(batchOf(records.slice(0, 2).map((record) => ({ ...record, partition: 1 }))));
    expect(await projector.allParked(10)).toMatchObject([
      { partition: 1, offset: 0, reason: 'document-of-another-partition' },
      { partition: 1, offset: 1, reason: 'document-of-another-partition' },
    ]);
  });

  it('parks the key when a fold fails in a way it did not foresee, and keeps the message to itself', async () => {
    const broken: Fold = {
      ...purposeFolds()[0]!,
      evolve: () => {
        throw new TypeError('cannot read +15550100123');
      },
    };
    const told: unknown[] = [];
    const logger = { ...silentLogger, warn: (facts: object) => told.push(facts) };
    const options = { db, projection: 'test.broken.v1', folds: [broken], logger, clock };
    const projector = new Projector(options, new InMemoryProjectionStore());
    await projector.take([partition0]);
    await projector.apply(batchOf(records.slice(0, 1)));
    expect(await projector.allParked(10)).toMatchObject([{ offset: 0, reason: 'fold-failed', held: 0 }]);
    expect(told).toEqual([{ projection: 'test.broken.v1', position: `${catalog}/0@0`, reason: 'fold-failed' }]);
  });

  it('counts what it applied, skipped, parked and held', async () => {
    const projector = projectorOver(new InMemoryProjectionStore());
    await projector.take([partition0]);
    const all = [purposePublished('a', 'x'), ofUnknownType('a'), unreadable('b'), purposePublished('b', 'x')];
    await projector.apply(batchOf(inPartition0(all)));
    await projector.apply(batchOf(inPartition0([...all, purposePublished('b', 'y')]).slice(4)));
    expect(projector.counts).toEqual({ eventsApplied: 1, unknownTypesSkipped: 1, keysParked: 1, eventsHeld: 2 });
  });

  it('finds parked keys of several topics with one look, each in its own topic', async () => {
    const store = new InMemoryProjectionStore();
    const projector = projectorOver(store);
    await projector.take([partition0]);
    await projector.apply(batchOf(inPartition0([unreadable('a'), unreadable('b')])));
    const found = await projector.parkedAmong([
      { topic: catalog, key: 'a' },
      { topic: 'consent.events', key: 'b' },
      { topic: catalog, key: 'c' },
    ]);
    expect(found).toMatchObject([{ topic: catalog, offset: 0 }]);
  });

  it('tells its listeners how far it has come, until they no longer want to know', async () => {
    const projector = projectorOver(new InMemoryProjectionStore());
    const heard: unknown[] = [];
    const stop = projector.onAdvanced((partition, next) => heard.push([partition, next]));
    await projector.take([partition0]);
    await projector.apply(batchOf(records.slice(0, 2)));
    stop();
    await projector.apply(batchOf(records.slice(2)));
    expect(heard).toEqual([[`${catalog}/0`, 2]]);
  });

  it('takes a repeated id for one document', async () => {
    const twice: Fold = { ...purposeFolds()[0]!, idsOf: () => ['once', 'once'] };
    const store = new InMemoryProjectionStore();
    const projector = projectorOver(store, [twice]);
    await projector.take([partition0]);
    await projector.apply(batchOf(records.slice(0, 1)));
    expect((await foundIn(store)).names).toMatchObject([{ names: ['name 0'] }]);
  });

  it('refuses folds that share a collection or read a topic of limited life', () => {
    const [fold] = purposeFolds();
    const store = new InMemoryProjectionStore();
    expect(() => projectorOver(store, [fold!, fold!])).toThrow('two folds write purpose_names');
    expect(() => projectorOver(store, [{ ...fold!, topics: ['whatsapp.inbound'] }])).toThrow('not kept for ever');
  });
});

describe('a rebuild', () => {
  const all: Deed[] = [
    { key: 'a', what: 'named', name: 'x' },
    { key: 'b', what: 'unreadable' },
    { key: 'b', what: 'named', name: 'y' },
    { key: 'a', what: 'named', name: 'z' },
  ];
  const newRecords = all.map(recordOf);
  const atOnce = { graceMs: 0 };

  it('comes to the digest that was there, wherever the consumer died before', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.integer({ min: 1, max: 30 }), async (some, dies) => {
        const log = await logOf(some.map(recordOf));
        const store = new InMemoryProjectionStore();
        let calls = 0;
        const dying = store.seenWith((_, moment) => {
          if (moment === 'after' && (calls += 1) === dies) {
            throw new Error('died');
          }
        });
        await runToEnd(projectorOver(dying), inPartition0(some.map(recordOf)), 5).catch(() => false);
        const result = await projectorOver(store).rebuild(log, atOnce);
        expect(result).toMatchObject({ equal: true, before: result.after });
        expect(result.positions).toEqual(Object.fromEntries(await projectorOver(store).next([partition0])));
      }),
    );
  });

  it('that dies anywhere is finished by whoever consumes next, and the next rebuild agrees', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.integer({ min: 1, max: 60 }), async (some, dies) => {
        const log = await logOf(some.map(recordOf));
        const store = new InMemoryProjectionStore();
        await runToEnd(projectorOver(store), inPartition0(some.map(recordOf)), 5);
        let calls = 0;
        const dying = store.seenWith((_, moment) => {
          if (moment === 'after' && (calls += 1) >= dies) {
            throw new Error('died');
          }
        });
        await projectorOver(dying)
          .rebuild(log, atOnce)
          .catch(() => undefined);
        await runToEnd(projectorOver(store), inPartition0(some.map(recordOf)), 5);
        await expectFolded(store, some);
        expect(await projectorOver(store).rebuild(log, atOnce)).toMatchObject({ equal: true });
      }),
    );
  });

  it('is not spoilt by a consumer that does not know of it, in every order of their steps', async () => {
    await fc.assert(
      fc.asyncProperty(deeds, fc.scheduler(), fc.nat(24), async (some, scheduler, cut) => {
        const records = inPartition0(some.map(recordOf));
        const log = await logOf(some.map(recordOf));
        const store = new InMemoryProjectionStore();
        await runToEnd(projectorOver(store), records.slice(0, cut), 4);
        const scheduled = () =>
          projectorOver(store.seenWith((operation) => scheduler.schedule(Promise.resolve(), operation)));
        const expected = { code: expect.stringMatching(/^(stale-owner|projection-moving)$/) as string };
        await scheduler.waitFor(
          Promise.all([
            runToEnd(scheduled(), records, 3).catch(() => false),
            scheduled()
              .rebuild(log, atOnce)
              .catch((error: unknown) => {
                expect(error).toMatchObject(expected);
              }),
          ]),
        );
        await runToEnd(projectorOver(store), records, 4);
        await expectFolded(store, some);
      }),
    );
  });

  it('refuses, before it changes anything, when the log has lost its beginning or does not tell', async () => {
    const store = new InMemoryProjectionStore();
    await runToEnd(projectorOver(store), inPartition0(newRecords), 9);
    const log = await logOf(newRecords);
    const [zero, four] = [new Map([[`${catalog}/0`, 0]]), new Map([[`${catalog}/0`, 4]])];
    for (const [starts, ends] of [
      [four, four],
      [new Map<string, number>(), four],
      [zero, new Map<string, number>()],
    ] as const) {
      log.startOffsets = () => Promise.resolve(starts);
      log.endOffsets = () => Promise.resolve(ends);
      await expect(projectorOver(store).rebuild(log, atOnce)).rejects.toMatchObject({ code: 'source-incomplete' });
    }
    await expectFolded(store, all);
  });

  it('that fails half way is finished by whoever consumes next, who has to take the partition first', async () => {
    const store = new InMemoryProjectionStore();
    await runToEnd(projectorOver(store), inPartition0(newRecords), 9);
    const failing = projectorOver(
      store.seenWith((operation) => {
        if (operation === 'write') {
          throw new Error('store failed');
        }
      }),
    );
    await expect(failing.rebuild(await logOf(newRecords), atOnce)).rejects.toThrow('store failed');
    const later = inPartition0([...newRecords, purposePublished('a', 'later')]).slice(4);
    await expect(failing.apply(batchOf(later))).rejects.toMatchObject({ code: 'stale-owner' });
    await runToEnd(projectorOver(store), inPartition0(newRecords), 9);
    await expectFolded(store, all);
  });

  it('keeps batches of the same process waiting, with heartbeats, and lets them go on afterwards', async () => {
    const store = new InMemoryProjectionStore();
    const projector = projectorOver(store);
    await runToEnd(projector, inPartition0(newRecords), 9);
    const events: string[] = [];
    const rebuild = projector.rebuild(await logOf(newRecords), { graceMs: 1_100 }).then(() => events.push('rebuilt'));
    const more = [...all, { key: 'a', what: 'named', name: 'later' } as const];
    const heartbeat = () => {
      events.push('heartbeat');
      return Promise.resolve();
    };
    projector.onAdvanced(() => events.push('applied'));
    await projector.apply(batchOf(inPartition0(more.map(recordOf)).slice(4), { heartbeat }));
    await rebuild;
    expect(events[0]).toBe('heartbeat');
    expect(events.filter((event) => event !== 'heartbeat')).toEqual(['rebuilt', 'applied']);
    await expectFolded(store, more);
  });

  it('names its progress', async () => {
    const store = new InMemoryProjectionStore();
    await runToEnd(projectorOver(store), inPartition0(newRecords), 9);
    const heard: unknown[] = [];
    await projectorOver(store).rebuild(await logOf(newRecords), { ...atOnce, progress: (at) => heard.push(at) });
    expect(heard).toEqual([{ partition: `${catalog}/0`, next: 4, target: 4 }]);
  });
});

describe('a digest', () => {
  const records = inPartition0(['a', 'b', 'c'].map((key) => purposePublished(key, 'x')));

  it('is the same however the documents came about, and names its positions', async () => {
    const [whole, cut] = [new InMemoryProjectionStore(), new InMemoryProjectionStore()];
    await runToEnd(projectorOver(whole), records, 3);
    await runToEnd(projectorOver(cut), records, 1);
    const digest = await projectorOver(whole).digest();
    expect(digest).toMatchObject({ documents: 4, positions: { [`${catalog}/0`]: 3 } });
    expect(await projectorOver(cut).digest()).toEqual(digest);
  });

  it('is refused while events are applied', async () => {
    const store = new InMemoryProjectionStore();
    await runToEnd(projectorOver(store), records.slice(0, 1), 1);
    const moving = store.seenWith(async (operation, moment) => {
      if (operation === 'scan' && moment === 'after') {
        await runToEnd(projectorOver(store), records, 1);
      }
    });
    await expect(projectorOver(moving).digest()).rejects.toMatchObject({ code: 'projection-moving' });
  });

  it('is refused when a consumer died between its documents and its checkpoint', async () => {
    const store = new InMemoryProjectionStore();
    const dying = store.seenWith((operation) => {
      if (operation === 'advance') {
        throw new Error('died');
      }
    });
    await runToEnd(projectorOver(dying), records, 3).catch(() => false);
    await expect(projectorOver(store).digest()).rejects.toMatchObject({ code: 'projection-moving' });
  });
});
