import { jest } from '@jest/globals';
import { createConnection, mongo } from 'mongoose';
import type { Connection } from 'mongoose';

import type { FoldedDocument } from './fold.ts';
import { MongoProjectionStore } from './mongo-projection-store.ts';
import { describeProjectionStore } from './projection-store.contract.ts';
import type { Checkpoint } from './projection-store.ts';
import { purposeNames } from './purposes.fixture.ts';

jest.setTimeout(60_000);

const zero = { topic: 'consent.events', partition: 0 };
const document: FoldedDocument = { _id: 'a', _position: 20, _partition: 'consent.events/0' };

let connection: Connection;

beforeAll(async () => {
  connection = createConnection(process.env['MONGODB_URI'] ?? '', {
    dbName: `projection-store-${String(process.pid)}`,
  });
  await connection.asPromise();
});

beforeEach(() => connection.dropDatabase());

afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

describe('the MongoDB projection store', () => {
  describeProjectionStore((projection) => Promise.resolve(new MongoProjectionStore(connection, projection)));
});

/** The connection, with something else done in place of the first bulk write to `names`. */
function interfering(
  inPlaceOfTheFirst: (names: mongo.Collection, write: () => Promise<unknown>) => Promise<never>,
): Connection {
  let calls = 0;
  const db = {
    collection: (name: string, options: mongo.CollectionOptions) => {
      const real = connection.db!.collection(name, options);
      const bulkWrite: typeof real.bulkWrite = (writes, how) => {
        const write = () => real.bulkWrite(writes, how);
        calls += 1;
        return name === 'names' && calls === 1 ? inPlaceOfTheFirst(real, write) : write();
      };
      return new Proxy(real, {
        get: (target, property) =>
          property === 'bulkWrite' ? bulkWrite : (Reflect.get(target, property, target) as unknown),
      });
    },
  };
  return { db } as unknown as Connection;
}

async function owner(): Promise<Checkpoint> {
  const [taken] = await new MongoProjectionStore(connection, 'p').take([zero]);
  return taken!;
}

describe('the MongoDB projection store, written to by a zombie at the same time', () => {
  it('writes again when the document it ran into is older after all', async () => {
    const db = interfering(async (names, write) => {
      // A true refusal, whose reason is gone by the time it is looked at: MongoDB answers so when two upserts race.
      await names.insertOne({ ...document, _id: 'a' as never, _position: 30, _epoch: 1 });
      const refusal: unknown = await write().catch((error: unknown) => error);
      await names.updateOne({ _id: 'a' as never }, { $set: { _position: 10 } });
      throw refusal;
    });
    const store = new MongoProjectionStore(db, 'p');
    await store.write('names', [document], await owner());
    expect((await store.load('names', ['a'], 0)).get('a')).toEqual(document);
  });

  it('passes a failure that is no refusal on as it is', async () => {
    const failure = new mongo.MongoNetworkError('gone');
    const store = new MongoProjectionStore(
      interfering(() => Promise.reject(failure)),
      'p',
    );
    await expect(store.write('names', [document], await owner())).rejects.toBe(failure);
  });
});

describe('the MongoDB projection store in a collection that others write to', () => {
  it('gives up rather than believe that its document is there', async () => {
    await connection.db!.collection('names').insertOne({ _id: 'a' as never, text: 'not a projection' });
    const store = new MongoProjectionStore(connection, 'p');
    await expect(store.write('names', [document], await owner())).rejects.toMatchObject({ code: 'write-refused' });
  });

  it('gives up when another unique index refuses the document', async () => {
    const names = connection.db!.collection('names');
    await names.createIndex({ text: 1 }, { unique: true, sparse: true }, {});
    const store = new MongoProjectionStore(connection, 'p');
    const taken = await owner();
    await store.write('names', [{ ...document, _id: 'b', ...{ text: 'same' } }], taken);
    await expect(store.write('names', [{ ...document, ...{ text: 'same' } }], taken)).rejects.toMatchObject({
      code: 'write-refused',
    });
  });
});

describe('a document of nobody', () => {
  it('is seen by a scan and removed as it was seen', async () => {
    const names = connection.db!.collection('names');
    await names.insertMany([{ _id: 'a' as never }, { _id: 'b' as never, _epoch: 'forged' }]);
    const store = new MongoProjectionStore(connection, 'p');
    for await (const seen of store.scan('names')) {
      await store.remove('names', [seen]);
    }
    expect(await names.countDocuments()).toBe(0);
  });
});

describe('the indexes of a fold', () => {
  const indexed = { ...purposeNames, indexes: [{ names: 1 as const }] };

  async function indexNames(collection: string): Promise<string[]> {
    const found = await connection.db!.collection(collection).listIndexes().toArray();
    return found.map(({ name }) => String(name)).sort();
  }

  it('exist from the beginning', async () => {
    const store = new MongoProjectionStore(connection, 'p');
    await store.init([indexed]);
    expect(await indexNames('purpose_names')).toEqual(['_id_', 'names_1']);
  });
});

describe('the name of a projection', () => {
  it('is refused when it could not be told from another part of an id', () => {
    expect(() => new MongoProjectionStore(connection, 'a|b')).toThrow(RangeError);
  });
});
