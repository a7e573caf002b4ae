import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose, { type Connection } from 'mongoose';
import { FileKeyWrapper } from './file-key-wrapper.ts';
import { KeyWrapError, type KeyWrapper } from './key-wrapper.ts';
import { seal, unseal } from './seal.ts';
import { SUBJECT_KEYS_BATCH_MAX, SUBJECT_KEYS_COLLECTION, SubjectKeys } from './subject-keys.ts';

let folder: string;
let connection: Connection;
let wrapper: FileKeyWrapper;
let keys: SubjectKeys;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-subject-keys-'));
  wrapper = await FileKeyWrapper.open(join(folder, 'kek'), { createIfMissing: true });
  connection = await mongoose
    .createConnection(process.env['MONGODB_URI'] ?? '', { dbName: `sealing_${randomUUID().slice(0, 8)}` })
    .asPromise();
  keys = new SubjectKeys({ connection, wrapper });
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
  await rm(folder, { recursive: true });
});

function stored(tenant: string, subjectId: string) {
  return documents().findOne({ _id: `${tenant}/${subjectId}` });
}

function documents() {
  return connection.collection<{ _id: string; state: string; kekId?: string; wrapped?: string }>(
    SUBJECT_KEYS_COLLECTION,
  );
}

async function destroyed(tenant: string, subjectId: string): Promise<void> {
  await documents().replaceOne({ _id: `${tenant}/${subjectId}` }, { state: 'destroyed' }, { upsert: true });
}

describe('the key of a subject that has none', () => {
  it('is made, and stored only wrapped', async () => {
    const subjectId = randomUUID();
    const key = await keys.obtain('acme', subjectId);
    const document = JSON.stringify(await stored('acme', subjectId));
    expect(key).toHaveLength(32);
    expect(document).toContain('live');
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      expect(document).not.toContain(Buffer.from(key).toString(encoding));
    }
  });

  it('is not made by asking what there is', async () => {
    const subjectId = randomUUID();
    expect((await keys.get('acme', [subjectId])).get(subjectId)).toEqual({ state: 'unknown' });
    expect(await stored('acme', subjectId)).toBeNull();
  });

  it('is made once for many callers at once, over several connections', async () => {
    const other = await mongoose
      .createConnection(process.env['MONGODB_URI'] ?? '', { dbName: connection.name })
      .asPromise();
    const elsewhere = new SubjectKeys({ connection: other, wrapper });
    const subjectId = randomUUID();
    const obtained = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? keys : elsewhere).obtain('acme', subjectId)),
    ).finally(() => other.close());
    expect(new Set(obtained.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
  });
});

describe('the key of a subject', () => {
  it('is the same at every later call and after a restart, so that what it sealed opens', async () => {
    const subjectId = randomUUID();
    const sealed = seal(await keys.obtain('acme', subjectId), 'acme', subjectId, 'address', '+15550100123');
    const restarted = new SubjectKeys({
      connection,
      wrapper: await FileKeyWrapper.open(join(folder, 'kek'), { createIfMissing: false }),
    });
    const key = await restarted.obtain('acme', subjectId);
    expect(unseal(key, 'acme', subjectId, 'address', sealed)).toBe('+15550100123');
  });

  it('is another one for another tenant', async () => {
    const subjectId = randomUUID();
    expect(await keys.obtain('acme', subjectId)).not.toEqual(await keys.obtain('acme2', subjectId));
    expect((await keys.get('acme3', [subjectId])).get(subjectId)?.state).toBe('unknown');
  });

  it('is unreadable, not replaced, when it was stored for another subject or by another key-encryption key', async () => {
    const [subjectId, moved, foreign] = [randomUUID(), randomUUID(), randomUUID()];
    await keys.obtain('acme', subjectId);
    const { kekId, wrapped } = (await stored('acme', subjectId)) ?? {};
    await documents().insertOne({ _id: `acme/${moved}`, state: 'live', kekId: kekId ?? '', wrapped: wrapped ?? '' });
    await documents().insertOne({ _id: `acme/${foreign}`, state: 'live', kekId: 'file-0', wrapped: wrapped ?? '' });
    for (const unreadable of [moved, foreign]) {
      await expect(keys.obtain('acme', unreadable)).rejects.toMatchObject({ code: 'key-unreadable' });
    }
    const found = await keys.get('acme', [moved, subjectId, foreign]);
    expect([...found.values()].map(({ state }) => state)).toEqual(['unknown', 'live', 'unknown']);
  });

  it('is unreadable when its document is in a state of a later version', async () => {
    const subjectId = randomUUID();
    await keys.obtain('acme', subjectId);
    await documents().updateOne({ _id: `acme/${subjectId}` }, { $set: { state: 'frozen' } });
    await expect(keys.obtain('acme', subjectId)).rejects.toMatchObject({ code: 'key-unreadable' });
  });

  it('is not given up for lost while the wrapper is unavailable', async () => {
    const subjectId = randomUUID();
    await keys.obtain('acme', subjectId);
    const unavailable: KeyWrapper = {
      wrap: () => Promise.reject(new KeyWrapError('unavailable')),
      unwrap: () => Promise.reject(new KeyWrapError('unavailable')),
    };
    const blocked = new SubjectKeys({ connection, wrapper: unavailable });
    await expect(blocked.get('acme', [subjectId])).rejects.toMatchObject({ code: 'unavailable' });
    await expect(blocked.obtain('acme', randomUUID())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a destroyed key', () => {
  it('reads as gone and is never made anew', async () => {
    const subjectId = randomUUID();
    await keys.obtain('acme', subjectId);
    await destroyed('acme', subjectId);
    expect((await keys.get('acme', [subjectId])).get(subjectId)).toEqual({ state: 'gone' });
    await expect(keys.obtain('acme', subjectId)).rejects.toMatchObject({ code: 'key-gone' });
    expect(await stored('acme', subjectId)).toEqual({ _id: `acme/${subjectId}`, state: 'destroyed' });
  });

  it('stays destroyed when the erasure falls between a caller’s look and its insert', async () => {
    const subjectId = randomUUID();
    const racing: KeyWrapper = {
      wrap: async (key, owner) => {
        await destroyed('acme', subjectId);
        return wrapper.wrap(key, owner);
      },
      unwrap: (wrapped, owner) => wrapper.unwrap(wrapped, owner),
    };
    const late = new SubjectKeys({ connection, wrapper: racing });
    await expect(late.obtain('acme', subjectId)).rejects.toMatchObject({ code: 'key-gone' });
    expect(await stored('acme', subjectId)).toEqual({ _id: `acme/${subjectId}`, state: 'destroyed' });
  });
});

describe('a batch of keys', () => {
  it('is bounded', async () => {
    const ids = Array.from({ length: SUBJECT_KEYS_BATCH_MAX + 1 }, () => randomUUID());
    await expect(keys.get('acme', ids)).rejects.toMatchObject({ code: 'batch-too-large' });
    expect((await keys.get('acme', ids.slice(1))).size).toBe(SUBJECT_KEYS_BATCH_MAX);
    expect((await keys.get('acme', [])).size).toBe(0);
  });
});

/** A connection that answers every read with `document`, fails the first writes as told, and notes what it is asked. */
function recording(
  document: object | null,
  writeErrors: object[] = [],
): { calls: [string, unknown][]; connection: Connection } {
  const calls: [string, unknown][] = [];
  const collection = {
    findOne: (_filter: unknown, options: unknown) => {
      calls.push(['read', options]);
      return Promise.resolve(document);
    },
    updateOne: (_filter: unknown, _update: unknown, options: unknown) => {
      calls.push(['write', options]);
      const error = writeErrors.shift();
      return error === undefined ? Promise.resolve() : Promise.reject(Object.assign(new Error(), error));
    },
  };
  return { calls, connection: { collection: () => collection } as unknown as Connection };
}

describe('the store', () => {
  const current = { readConcern: { level: 'majority' }, readPreference: 'primary' };

  it('is asked for a durable write and for what a majority holds when there is no key', async () => {
    const { calls, connection: store } = recording(null);
    await expect(new SubjectKeys({ connection: store, wrapper }).obtain('acme', randomUUID())).rejects.toMatchObject({
      code: 'key-unreadable',
    });
    expect(calls).toEqual([
      ['read', current],
      ['write', { upsert: true, writeConcern: { w: 'majority', j: true } }],
      ['read', current],
    ]);
  });

  it('is only read when there is one', async () => {
    const wrapped = await wrapper.wrap(Buffer.alloc(32, 1), { tenant: 'acme', subjectId: 'subject-1' });
    const { calls, connection: store } = recording({ state: 'live', ...wrapped });
    const key = await new SubjectKeys({ connection: store, wrapper }).obtain('acme', 'subject-1');
    expect(Buffer.from(key)).toEqual(Buffer.alloc(32, 1));
    expect(calls).toEqual([['read', current]]);
  });

  it('is written to once more when two upserts of one subject collided, and not for any other error', async () => {
    const collided = recording(null, [{ code: 11_000 }]);
    const obtained = new SubjectKeys({ connection: collided.connection, wrapper }).obtain('acme', randomUUID());
    await expect(obtained).rejects.toMatchObject({ code: 'key-unreadable' });
    expect(collided.calls.map(([call]) => call)).toEqual(['read', 'write', 'write', 'read']);

    const down = recording(null, [{ code: 91 }]);
    const refused = new SubjectKeys({ connection: down.connection, wrapper }).obtain('acme', randomUUID());
    await expect(refused).rejects.toMatchObject({ code: 91 });
    expect(down.calls.map(([call]) => call)).toEqual(['read', 'write']);
  });
});
