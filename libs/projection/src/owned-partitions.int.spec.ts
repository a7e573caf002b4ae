import { jest } from '@jest/globals';
import { createConnection } from 'mongoose';
import type { Connection } from 'mongoose';

import { Checkpoints } from './checkpoints.ts';
import { OwnedPartitions } from './owned-partitions.ts';

jest.setTimeout(60_000);

const zero = { topic: 'consent.events', partition: 0 };
const one = { topic: 'consent.events', partition: 1 };
const reader = 'reactions.v1';

let connection: Connection;

beforeAll(async () => {
  connection = createConnection(process.env['MONGODB_URI'] ?? '', {
    dbName: `owned-partitions-${String(process.pid)}`,
  });
  await connection.asPromise();
});

beforeEach(() => connection.dropDatabase());

afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

const stored = async (): Promise<number[]> => [
  ...(await new Checkpoints({ db: connection, reader }).next([zero, one])).values(),
];

async function owning(): Promise<OwnedPartitions> {
  const owned = new OwnedPartitions({ db: connection, reader });
  await owned.take([zero, one]);
  return owned;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The connection, with something done in place of each update of a document. */
function interfering(inPlaceOf: (write: () => Promise<unknown>) => Promise<unknown>): Connection {
  const db = {
    collection: (name: string, options: object) => {
      const real = connection.db!.collection(name, options);
      const updateOne = (...of: Parameters<typeof real.updateOne>) => inPlaceOf(() => real.updateOne(...of));
      return new Proxy(real, {
        get: (target, property) =>
          property === 'updateOne' ? updateOne : (Reflect.get(target, property, target) as unknown),
      });
    },
  };
  return { db } as unknown as Connection;
}

describe('a checkpoint that passed records nothing came of', () => {
  it('is seen by this process at once, and by others a moment later', async () => {
    const owned = await owning();
    owned.pass(owned.ownerOf(zero), 7);
    owned.pass(owned.ownerOf(one), 3);
    owned.pass(owned.ownerOf(zero), 9);
    expect([...(await owned.next([zero, one])).values()]).toEqual([9, 3]);
    expect(await stored()).toEqual([0, 0]);
    await until(async () => (await stored()).join() === '9,3');
    owned.pass(owned.ownerOf(one), 4);
    await until(async () => (await stored()).join() === '9,4');
  });

  it('is written with the next one that something came of', async () => {
    const owned = await owning();
    owned.pass(owned.ownerOf(zero), 7);
    await owned.advance(owned.ownerOf(zero), 8);
    expect(await stored()).toEqual([8, 0]);
  });

  it('does not move what somebody else has taken, who looks at those records again', async () => {
    const owned = await owning();
    owned.pass(owned.ownerOf(zero), 7);
    owned.pass(owned.ownerOf(one), 2);
    const successor = new OwnedPartitions({ db: connection, reader });
    expect(await successor.take([zero])).toEqual(new Map([['consent.events/0', { next: 0, epoch: 2 }]]));
    await until(async () => (await stored())[1] === 2);
    expect(await stored()).toEqual([0, 2]);
  });

  it('tells that somebody else has taken it, although nothing ever comes of its records', async () => {
    const owned = await owning();
    const lost: string[] = [];
    owned.onLost(({ topic, partition }) => lost.push(`${topic}/${String(partition)}`));
    await new OwnedPartitions({ db: connection, reader }).take([zero]);
    owned.pass(owned.ownerOf(zero), 7);
    owned.pass(owned.ownerOf(one), 2);
    await until(() => Promise.resolve(lost.length > 0));
    expect(lost).toEqual(['consent.events/0']);
    expect(() => owned.ownerOf(zero)).toThrow(expect.objectContaining({ code: 'stale-owner' }) as Error);
    expect([...(await owned.next([zero, one])).values()]).toEqual([0, 2]);
  });

  it('is written under the epoch it was taken under last', async () => {
    const held: (() => void)[] = [];
    const db = interfering(async (write) => {
      if (held.length === 0) await new Promise<void>((letGo) => held.push(letGo));
      return write();
    });
    const owned = new OwnedPartitions({ db, reader });
    await owned.take([zero]);
    owned.pass(owned.ownerOf(zero), 7);
    await until(() => Promise.resolve(held.length > 0));
    await owned.take([zero]);
    owned.pass(owned.ownerOf(zero), 7);
    held.forEach((letGo) => {
      letGo();
    });
    await until(async () => (await stored())[0] === 7);
  });

  it('is not moved by a batch of before the partition was taken anew', async () => {
    const owned = await owning();
    const before = owned.ownerOf(zero);
    await owned.take([zero]);
    expect(() => {
      owned.pass(before, 7);
    }).toThrow(expect.objectContaining({ code: 'stale-owner' }) as Error);
    expect([...(await owned.next([zero])).values()]).toEqual([0]);
  });

  it('is tried again when the store does not take it', async () => {
    let refusals = 0;
    const db = interfering((write) => (refusals++ < 2 ? Promise.reject(new Error('the store is away')) : write()));
    const owned = new OwnedPartitions({ db, reader });
    await owned.take([zero]);
    owned.pass(owned.ownerOf(zero), 7);
    await until(async () => (await stored())[0] === 7);
    expect(refusals).toBeGreaterThan(2);
  });
});
