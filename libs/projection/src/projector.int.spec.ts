import { jest } from '@jest/globals';
import type { LogRecord, NewRecord } from '@assent/contracts';
import { InMemoryEventLog } from '@assent/event-log';
import { createConnection } from 'mongoose';
import type { Connection } from 'mongoose';

import { Barrier } from './barrier.ts';
import { MongoProjectionStore } from './mongo-projection-store.ts';
import { Projector } from './projector.ts';
import type { ProjectionStore } from './projection-store.ts';
import {
  batchOf,
  catalog,
  purposeFolds,
  purposeNames,
  purposePublished,
  silentLogger,
  unreadable,
} from './purposes.fixture.ts';

// The store of the native stack shares two cores with everything else that runs.
jest.setTimeout(60_000);

const clock = { now: () => 1_764_000_000_000, monotonicMs: () => performance.now() };
const partition0 = { topic: catalog, partition: 0 };
const name0 = `${catalog}/0`;
const atOnce = { graceMs: 0 };

let connection: Connection;
let log: InMemoryEventLog;

beforeAll(async () => {
  connection = createConnection(process.env['MONGODB_URI'] ?? '', { dbName: `projector-${String(process.pid)}` });
  await connection.asPromise();
});

beforeEach(async () => {
  await connection.dropDatabase();
  log = new InMemoryEventLog({ topics: { [catalog]: 2 }, clock });
});

afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

interface Changes {
  readonly projection?: string;
  readonly mended?: boolean;
  readonly store?: ProjectionStore;
}

function projector({ projection = 'test.purposes.v1', mended = false, store }: Changes = {}): Projector {
  return new Projector(
    { db: connection, projection, folds: purposeFolds({ mended }), logger: silentLogger, clock },
    store,
  );
}

/** Appends to partition 0 and answers the records as the log holds them. */
async function appended(...records: readonly NewRecord[]): Promise<LogRecord[]> {
  const positions = await log.append(records.map((record) => ({ ...record, partition: 0 })));
  const found: LogRecord[] = [];
  for await (const some of log.read(partition0, positions[0]?.offset ?? 0, (positions.at(-1)?.offset ?? -1) + 1)) {
    found.push(...some);
  }
  return found;
}

async function documents(collection: string): Promise<Record<string, unknown>[]> {
  return connection.db!.collection(collection).find({}).sort({ _id: 1 }).toArray();
}

/** The real store, of which one operation does not return: the process died before or after it. */
function dyingAt(operation: 'write' | 'advance', moment: 'before' | 'after'): ProjectionStore {
  const store = new MongoProjectionStore(connection, 'test.purposes.v1');
  return new Proxy<ProjectionStore>(store, {
    get: (target, property) => {
      const method: unknown = Reflect.get(target, property, target);
      if (typeof method !== 'function') {
        return method;
      }
      return async (...args: unknown[]): Promise<unknown> => {
        if (property === operation && moment === 'before') {
          throw new Error('died');
        }
        const result: unknown = await Reflect.apply(method, target, args);
        if (property === operation) {
          throw new Error('died');
        }
        return result;
      };
    },
  });
}

describe('a projector on MongoDB', () => {
  it('writes what the events say, where each document stands, and the checkpoint behind the last event', async () => {
    const some = projector();
    await some.init();
    expect(await some.take([partition0])).toEqual(new Map([[name0, { next: 0, epoch: 1 }]]));
    await some.apply(
      batchOf(await appended(purposePublished('a', 'x'), purposePublished('b', 'y'), purposePublished('a', 'z'))),
    );
    const stands = { _partition: name0, _epoch: 1 };
    expect(await documents('purpose_names')).toEqual([
      { _id: 'a', names: ['x', 'z'], _position: 2, ...stands },
      { _id: 'b', names: ['y'], _position: 1, ...stands },
    ]);
    expect(await documents('partition_history')).toEqual([
      { _id: 'history-0', history: ' a:x b:y a:z', _position: 2, ...stands },
    ]);
    expect(await some.next([partition0, { topic: catalog, partition: 1 }])).toEqual(
      new Map([
        [name0, 3],
        [`${catalog}/1`, 0],
      ]),
    );
  });

  it('refuses the former owner and lets the next one go on where the checkpoint stands', async () => {
    const [former, current] = [projector(), projector()];
    const records = await appended(purposePublished('a', 'x'), purposePublished('a', 'y'));
    await former.take([partition0]);
    await former.apply(batchOf(records.slice(0, 1)));
    expect(await current.take([partition0])).toEqual(new Map([[name0, { next: 1, epoch: 2 }]]));
    await expect(former.apply(batchOf(records.slice(1)))).rejects.toMatchObject({ code: 'stale-owner' });
    expect(await current.next([partition0])).toEqual(new Map([[name0, 1]]));
    await current.apply(batchOf(records.slice(1)));
    expect(await documents('purpose_names')).toMatchObject([{ _id: 'a', names: ['x', 'y'] }]);
  });

  it.each([
    ['before its documents', 'write', 'before'],
    ['between its documents and its checkpoint', 'advance', 'before'],
    ['after its checkpoint', 'advance', 'after'],
  ] as const)('applies every event once when the process dies %s', async (_, operation, moment) => {
    const records = await appended(
      purposePublished('a', 'x'),
      purposePublished('c', 'spoilt'),
      purposePublished('a', 'y'),
      purposePublished('c', 'later'),
    );
    const dying = projector({ store: dyingAt(operation, moment) });
    await dying.take([partition0]);
    await expect(dying.apply(batchOf(records))).rejects.toThrow('died');
    const survivor = projector();
    await survivor.take([partition0]);
    await survivor.apply(batchOf(records));
    expect(await documents('partition_history')).toMatchObject([{ history: ' a:x a:y', _position: 2 }]);
    expect(await survivor.allParked(10)).toMatchObject([{ offset: 1, held: 1 }]);
    expect(await survivor.next([partition0])).toEqual(new Map([[name0, 4]]));
  });

  it('parks the key of a poison event by pointer and code alone, and goes on with the others', async () => {
    const some = projector();
    await some.take([partition0]);
    const phone = '15550100123';
    await some.apply(
      batchOf(await appended(purposePublished('a', 'x'), unreadable(phone), purposePublished(phone, 'later'))),
    );
    await some.apply(batchOf(await appended(purposePublished(phone, 'last'), purposePublished('a', 'y'))));
    expect(await some.isParked(catalog, phone)).toBe(true);
    expect(await some.isParked(catalog, 'a')).toBe(false);
    const parked = await documents('projection_parked');
    expect(parked).toEqual([
      {
        _id: expect.stringMatching(/^test\.purposes\.v1\|consent\.catalog\|0\|[\w-]{43}$/) as string,
        projection: 'test.purposes.v1',
        ...partition0,
        key: expect.stringMatching(/^[\w-]{43}$/) as string,
        offset: 1,
        reason: 'malformed-json',
        lastHeld: 3,
        held: 2,
        version: 2,
        epoch: 1,
        parkedAtMs: clock.now(),
      },
    ]);
    expect(JSON.stringify(parked)).not.toContain(phone);
    expect(await documents('purpose_names')).toMatchObject([{ _id: 'a', names: ['x', 'y'] }]);
  });

  it('applies a batch of thousands in pieces, telling the group that it lives', async () => {
    const some = projector();
    await some.take([partition0]);
    const names = Array.from({ length: 2_500 }, (_, index) => purposePublished(`p${String(index % 700)}`, 'n'));
    let heartbeats = 0;
    const heartbeat = () => {
      heartbeats += 1;
      return Promise.resolve();
    };
    await some.apply(batchOf(await appended(...names), { heartbeat }));
    expect(heartbeats).toBe(3);
    expect(await some.digest()).toMatchObject({ documents: 701, positions: { [name0]: 2_500 } });
    expect(await connection.db!.collection('purpose_names').findOne({ _id: 'p0' as never })).toMatchObject({
      names: ['n', 'n', 'n', 'n'],
      _position: 2_100,
    });
  });

  it('shares a database with a projector of another name', async () => {
    const first = projector();
    const otherFold = { ...purposeNames, collection: 'other_names' };
    const options = { db: connection, projection: 'test.other.v1', folds: [otherFold], logger: silentLogger, clock };
    const second = new Projector(options);
    await first.take([partition0]);
    await first.take([partition0]);
    expect(await second.take([partition0])).toEqual(new Map([[name0, { next: 0, epoch: 1 }]]));
    const records = await appended(purposePublished('a', 'x'), unreadable('b'));
    // One transport serves both, so the epoch of the batch is that of neither.
    await first.apply(batchOf(records, { epoch: 77 }));
    await second.apply(batchOf(records.slice(0, 1), { epoch: 77 }));
    expect(await first.next([partition0])).toEqual(new Map([[name0, 2]]));
    expect(await second.next([partition0])).toEqual(new Map([[name0, 1]]));
    expect(await second.allParked(10)).toEqual([]);
    await second.rebuild(log, atOnce);
    expect(await first.digest()).toMatchObject({ documents: 2 });
    expect(await first.allParked(10)).toHaveLength(1);
  });
});

describe('a key parked on MongoDB', () => {
  it('is folded anew from the first event once its fold is mended, in every document it feeds, and held no longer', async () => {
    const broken = projector();
    await broken.take([partition0]);
    const before = await appended(
      purposePublished('a', 'x'),
      purposePublished('c', 'first'),
      purposePublished('c', 'spoilt'),
      purposePublished('a', 'y'),
      purposePublished('c', 'last'),
    );
    await broken.apply(batchOf(before));
    expect(await documents('partition_history')).toMatchObject([{ history: ' a:x c:first a:y', _position: 3 }]);

    const mended = projector({ mended: true });
    expect(await mended.replayKey(log, catalog, 'c')).toEqual({ status: 'released', documents: 2 });
    expect(await mended.isParked(catalog, 'c')).toBe(false);
    expect(await documents('partition_history')).toMatchObject([
      { history: ' a:x c:first c:spoilt a:y c:last', _position: 4 },
    ]);
    await mended.apply(batchOf(await appended(purposePublished('c', 'after'))));
    expect(await documents('purpose_names')).toMatchObject([
      { _id: 'a', names: ['x', 'y'] },
      { _id: 'c', names: ['first', 'spoilt', 'last', 'after'] },
    ]);
    expect(await mended.rebuild(log, atOnce)).toMatchObject({ equal: true });
  });

  it('is applied up to its next poison event when there is another one', async () => {
    const broken = projector();
    await broken.take([partition0]);
    await broken.apply(
      batchOf(await appended(purposePublished('c', 'spoilt'), purposePublished('c', 'x'), unreadable('c'))),
    );
    const mended = projector({ mended: true });
    expect(await mended.replayKey(log, catalog, 'c')).toEqual({
      status: 'still-parked',
      documents: 2,
      offset: 2,
      reason: 'malformed-json',
    });
    expect(await mended.allParked(10)).toMatchObject([{ offset: 2, reason: 'malformed-json', held: 0 }]);
    expect(await documents('purpose_names')).toMatchObject([{ names: ['spoilt', 'x'], _position: 1 }]);
    expect(await mended.rebuild(log, atOnce)).toMatchObject({ equal: true, parkedBefore: 1, parkedAfter: 1 });
  });
});

describe('a rebuild on MongoDB', () => {
  async function filled(): Promise<Projector> {
    const some = projector();
    await some.take([partition0, { topic: catalog, partition: 1 }]);
    await some.apply(batchOf(await appended(purposePublished('a', 'x'), unreadable('b'), purposePublished('a', 'y'))));
    await log.append([{ ...purposePublished('z', 'x'), partition: 1 }]);
    for await (const records of log.read({ topic: catalog, partition: 1 }, 0, 1)) {
      await some.apply(batchOf(records));
    }
    return some;
  }

  it('comes to the digest that was there, at the same positions, and derives the parked keys anew', async () => {
    const some = await filled();
    const live = await some.digest();
    const result = await projector().rebuild(log, atOnce);
    expect(result).toEqual({
      before: live.digest,
      after: live.digest,
      equal: true,
      documents: 4,
      positions: { [name0]: 3, [`${catalog}/1`]: 1 },
      parkedBefore: 1,
      parkedAfter: 1,
    });
    expect(await some.digest()).toEqual(live);
  });

  it.each([
    ['changed', { $set: { names: ['x', 'forged'] } }],
    ['moved back', { $set: { _position: 1 } }],
    ['moved beyond the end of the log', { $set: { _position: 1_000 } }],
    ['moved nowhere', { $unset: { _position: 1 } }],
    ['put out of reach', { $set: { _epoch: 1_000, names: ['forged'] } }],
    ['taken away from its owner', { $unset: { _epoch: 1 }, $set: { names: ['forged'] } }],
    ['moved to another partition', { $set: { _partition: 'consent.catalog/1' } }],
    ['moved to no partition', { $set: { _partition: 'elsewhere/9' } }],
    ['given a field', { $set: { extra: 1 } }],
  ])('shows that a document was %s behind its back, and mends it', async (_, tampering) => {
    const some = await filled();
    const { digest } = await some.digest();
    await connection.db!.collection('purpose_names').updateOne({ _id: 'a' as never }, tampering);
    const result = await projector().rebuild(log, atOnce);
    expect(result.equal).toBe(false);
    expect(result.after).toBe(digest);
  });

  it('shows that a document was removed or added behind its back', async () => {
    await filled();
    const names = connection.db!.collection('purpose_names');
    await names.deleteOne({ _id: 'a' as never });
    expect(await projector().rebuild(log, atOnce)).toMatchObject({ equal: false });
    for (const ghost of [{ _epoch: 1 }, { _epoch: 1_000 }, {}, { _partition: 'elsewhere/9', _epoch: 1 }]) {
      await names.insertOne({ _id: 'ghost' as never, names: [], _position: 0, _partition: name0, ...ghost });
      expect(await projector().rebuild(log, atOnce)).toMatchObject({ equal: false });
      expect(await names.findOne({ _id: 'ghost' as never })).toBeNull();
    }
    expect(await projector().rebuild(log, atOnce)).toMatchObject({ equal: true });
  });

  it('leaves a consumer in another process without its partitions, and the same process with them', async () => {
    const elsewhere = await filled();
    const here = projector();
    await here.rebuild(log, atOnce);
    const later = batchOf(await appended(purposePublished('a', 'later')));
    await expect(elsewhere.apply(later)).rejects.toMatchObject({ code: 'stale-owner' });
    await here.apply(later);
    expect(await documents('purpose_names')).toMatchObject([{ _id: 'a', names: ['x', 'y', 'later'] }, { _id: 'z' }]);
  });
});

describe('a barrier over MongoDB', () => {
  it('is passed when the read models hold what the log held', async () => {
    const some = projector();
    await some.take([partition0]);
    const barrier = new Barrier({ log, next: (partitions) => some.next(partitions), signals: [some], clock });
    const records = await appended(purposePublished('a', 'x'), purposePublished('a', 'y'));
    const reaching = barrier.reach([partition0, { topic: catalog, partition: 1 }], { timeoutMs: 20_000 });
    await some.apply(batchOf(records));
    expect(await reaching).toMatchObject({ reached: { [name0]: 2, [`${catalog}/1`]: 0 }, behind: [] });
    expect(await barrier.waitFor([{ ...partition0, offset: 1 }], { timeoutMs: 20_000 })).toBe(true);
    expect(await barrier.waitFor([{ ...partition0, offset: 2 }], { timeoutMs: 100 })).toBe(false);
  });
});
