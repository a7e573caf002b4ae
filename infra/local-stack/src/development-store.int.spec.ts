import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { startLocalStack, type LocalStack } from './local-stack.ts';

const WRITERS = 8;
const KILL_ROUNDS = 3;
const ACKNOWLEDGED_BEFORE_KILL = 200;

interface Entry {
  _id: string;
  position: number;
  left?: string;
  filler?: number[];
  right?: string;
}

let dataDir: string;
let stack: LocalStack;
let connection: mongoose.Connection;

async function connect(): Promise<mongoose.Connection> {
  return await mongoose
    .createConnection(stack.mongo.uri, { dbName: 'store', retryWrites: false, serverSelectionTimeoutMS: 2_000 })
    .asPromise();
}

function entries(name: string): mongoose.mongo.Collection<Entry> {
  return connection.getClient().db('store').collection<Entry>(name);
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'assent-store-'));
  stack = await startLocalStack({ dataDir, providers: ['native'], only: ['mongo'] });
  connection = await connect();
}, 60_000);

afterAll(async () => {
  await connection.close();
  await stack.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('the development store', () => {
  it('answers hello with a version that the driver accepts', async () => {
    const hello = await connection.getClient().db('store').command({ hello: 1 });
    expect(hello).toMatchObject({ ok: 1, isWritablePrimary: true, maxWireVersion: 13 });
  });

  it('decides by the whole filter when an index narrows by a part of it', async () => {
    const documents = entries('narrowed');
    await documents.insertMany([1, 2, 3].map((n) => ({ _id: `d${n}`, position: n })));
    const below3 = { position: { $lt: 3 } };
    expect((await documents.updateOne({ _id: 'd3', ...below3 }, { $set: { left: 'x' } })).matchedCount).toBe(0);
    expect((await documents.updateOne({ _id: 'd2', ...below3 }, { $set: { left: 'x' } })).matchedCount).toBe(1);
    const found = await documents.find({ _id: { $in: ['d1', 'd2', 'd3', 'd4'] }, ...below3 }).toArray();
    expect(found.map(({ _id }) => _id).sort()).toEqual(['d1', 'd2']);
    const guarded = documents.updateOne({ _id: 'd3', ...below3 }, { $set: { position: 2 } }, { upsert: true });
    await expect(guarded).rejects.toMatchObject({ code: 11000 });
  });

  it('lets one of 50 concurrent compare-and-sets win', async () => {
    const documents = entries('claims');
    await documents.insertOne({ _id: 'claim', position: 0 });
    const claims = Array.from({ length: 50 }, (_, n) =>
      documents.updateOne({ _id: 'claim', position: 0 }, { $set: { position: n + 1 } }),
    );
    const won = (await Promise.all(claims)).filter(({ modifiedCount }) => modifiedCount === 1);
    expect(won).toHaveLength(1);
  });

  it('never shows a reader a document that is half changed', async () => {
    const documents = entries('torn');
    // Long to encode, so that a writer has the time to change what lies behind it.
    const filler = Array.from({ length: 5_000 }, (_, n) => n);
    await documents.insertOne({ _id: 'd', position: 0, left: '0', filler, right: '0' });
    let writing = true;
    const read = async (): Promise<void> => {
      while (writing) {
        const found = await documents.findOne({ _id: 'd' });
        expect(found?.left).toBe(found?.right);
      }
    };
    const write = async (): Promise<void> => {
      for (let n = 1; n <= 60; n += 1) {
        await documents.updateOne({ _id: 'd' }, { $set: { left: `${n}`, right: `${n}` } });
      }
      writing = false;
    };
    await Promise.all([write(), read(), read(), read(), read()]);
  }, 30_000);

  it('drops a database without the one whose name begins alike', async () => {
    const client = connection.getClient();
    await client.db('drop').collection('c').insertOne({ n: 1 });
    await client.db('drop2').collection('c').insertOne({ n: 2 });
    await client.db('drop').dropDatabase();
    expect(await client.db('drop').collection('c').countDocuments({})).toBe(0);
    expect(await client.db('drop2').collection('c').countDocuments({})).toBe(1);
    await stack.restartMongo();
    expect(await client.db('drop2').collection('c').findOne({ n: 2 })).not.toBeNull();
  });
});

describe('the development store, killed under eight writers', () => {
  it('still has every acknowledged write, whole, after each restart', async () => {
    const acknowledged = new Map<string, number>();
    for (let round = 1; round <= KILL_ROUNDS; round += 1) {
      await writeUntilKilled(round, acknowledged);
      await connection.close();
      await stack.restartMongo();
      connection = await connect();
      const found = new Map((await entries('acknowledged').find({}).toArray()).map((entry) => [entry._id, entry]));
      for (const [id, position] of acknowledged) {
        expect(found.get(id)?.position).toBeGreaterThanOrEqual(position);
      }
      for (const { left, right } of found.values()) {
        expect(left).toBe(right);
      }
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(WRITERS * KILL_ROUNDS);
  }, 60_000);
});

/** Each writer inserts and overwrites documents of its own; what the store acknowledged goes into the map. */
async function writeUntilKilled(round: number, acknowledged: Map<string, number>): Promise<void> {
  let count = 0;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; ; n += 1) {
      const id = `${round}-${writer}-${n % 20}`;
      const text = `${id} ${n} `.repeat(20);
      const values = { position: n, left: text, right: text };
      await entries('acknowledged').updateOne({ _id: id }, { $set: values }, { upsert: true });
      acknowledged.set(id, n);
      count += 1;
      if (count === ACKNOWLEDGED_BEFORE_KILL) {
        void stack.mongoProcess.kill('SIGKILL');
      }
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  const ends = await Promise.allSettled(writers);
  expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
}
