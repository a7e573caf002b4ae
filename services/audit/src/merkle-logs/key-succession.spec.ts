import { generateKeyPairSync } from 'node:crypto';
import { openKeyStatement, readNote } from '@assent/merkle-log';
import { HeadLog } from '../sign-checkpoints/head-log.ts';
import { assertMaySign, readSuccession } from './key-succession.ts';
import { KeyRing } from './key-ring.ts';
import { LogKey } from './log-key.ts';
import { LogWriter } from './log-writer.ts';
import { MemoryLogStore } from './memory-log-store.fixture.ts';

const ORIGIN = 'log.example';
const HEADS = `${ORIGIN}/heads`;
const AT = '2026-11-24T10:00:00.000Z';
const newKey = (): LogKey => new LogKey(generateKeyPairSync('ed25519').privateKey);

let store: MemoryLogStore;
const ringOf = async (...keys: [LogKey, ...LogKey[]]): Promise<KeyRing> =>
  new KeyRing(keys, await readSuccession(store));

/** Binds one more head as a process with these keys does; answers the key ids under which the checkpoint is signed. */
async function bind(size: number, ...keys: [LogKey, ...LogKey[]]): Promise<string[]> {
  const heads = await HeadLog.take(store, await ringOf(...keys), ORIGIN);
  heads.record([{ origin: `${ORIGIN}/consent.events/0`, size, root: Buffer.alloc(32), extensions: [] }], AT);
  await heads.commit();
  return readNote(store.objects.get('public/heads/checkpoint')!).signatures.map(({ keyId }) =>
    Buffer.from(keyId).toString('hex'),
  );
}

const idOf = (key: LogKey): string => key.verifierKey(HEADS).split('+')[1]!;
const manifestKeys = (): unknown => {
  const text = Buffer.from(store.objects.get('public/manifest.json')!).toString();
  return (JSON.parse(text) as { keys: unknown }).keys;
};

describe('a key that follows another', () => {
  const [old, next, third] = [newKey(), newKey(), newKey()];

  beforeEach(() => {
    store = new MemoryLogStore();
  });

  it('signs beside it, then alone, introduced by a statement of both', async () => {
    expect(await bind(1, old)).toEqual([idOf(old)]);
    expect(manifestKeys()).toEqual([old.verifierKey(HEADS)]);
    expect(await bind(2, old, next)).toEqual([idOf(old), idOf(next)]);
    const statement = openKeyStatement(store.objects.get(`public/keys/${idOf(next)}.note`)!);
    expect(statement).toEqual({
      origin: ORIGIN,
      fromHeadsSize: 2,
      oldKey: old.verifierKey(HEADS),
      newKey: next.verifierKey(HEADS),
    });
    expect(manifestKeys()).toEqual([old.verifierKey(HEADS), next.verifierKey(HEADS)]);
    expect(await bind(3, next)).toEqual([idOf(next)]);
    expect(await bind(4, next, third)).toEqual([idOf(next), idOf(third)]);
    expect((await readSuccession(store)).keys).toEqual([old, next, third].map((key) => key.verifierKey(HEADS)));
  });

  it('is stated before anything is signed by it, whatever object the process dies at', async () => {
    for (let objects = 0; objects < 5; objects += 1) {
      store = new MemoryLogStore();
      await bind(1, old);
      store.failAfterObjects = objects;
      await bind(2, old, next).catch(() => undefined);
      store.failAfterObjects = Infinity;
      const signed = readNote(store.objects.get('public/heads/checkpoint')!).signatures.length === 2;
      expect(signed && !store.objects.has(`public/keys/${idOf(next)}.note`)).toBe(false);
      expect(await bind(3, old, next)).toEqual([idOf(old), idOf(next)]);
      expect(openKeyStatement(store.objects.get(`public/keys/${idOf(next)}.note`)!).fromHeadsSize).toBe(2);
    }
  });

  it('keeps a process out that has the old key only, and one with a key nobody introduced', async () => {
    await bind(1, old);
    await bind(2, old, next);
    await expect(bind(3, old)).rejects.toMatchObject({ code: 'signing-key-unusable' });
    await expect(bind(3, third)).rejects.toMatchObject({ code: 'signing-key-unusable' });
    const succession = await readSuccession(store);
    expect(() => {
      assertMaySign(succession, old, ORIGIN);
    }).toThrow('AUDIT_NEXT_SIGNING_KEY_FILE');
  });

  it('reads what retired keys signed', async () => {
    const options = { store, prefix: 'public/logs/consent.events/0', origin: `${ORIGIN}/consent.events/0` };
    const idle = await LogWriter.open({ ...options, key: old, keepsEntries: false, keepsOffsets: false });
    idle.add({ hash: Buffer.alloc(32) });
    await idle.commit();
    await bind(1, old);
    await bind(2, old, next);
    const reopened = await LogWriter.open({
      ...options,
      key: await ringOf(next),
      keepsEntries: false,
      keepsOffsets: false,
    });
    expect(reopened.size).toBe(1);
  });

  it('is refused when its statement was changed', async () => {
    await bind(1, old);
    await bind(2, old, next);
    const path = `public/keys/${idOf(next)}.note`;
    store.objects.set(path, Buffer.from(Buffer.from(store.objects.get(path)!).toString().replace('\n2\n', '\n1\n')));
    await expect(readSuccession(store)).rejects.toMatchObject({ code: 'log-damaged' });
  });
});
