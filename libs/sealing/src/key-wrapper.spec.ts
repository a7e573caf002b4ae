import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileKeyWrapper } from './file-key-wrapper.ts';
import type { KeyDeriver, KeyWrapper } from './key-wrapper.ts';

/** What every adapter of the port must do; an adapter adds a row. `open` gives each name a KEK of its own, kept. */
type OpenWrapper = (kekName: string) => Promise<KeyWrapper & KeyDeriver>;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-key-wrapper-'));
});
afterAll(() => rm(folder, { recursive: true }));

const adapters: [string, OpenWrapper][] = [
  ['a file', (kekName) => FileKeyWrapper.open(join(folder, kekName), { createIfMissing: true })],
];

describe.each(adapters)('a key wrapper that keeps its key in %s', (_name, open) => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  const owner = { tenant: 'acme', subjectId: 'subject-1' };

  it('gives a wrapped key back to its owner', async () => {
    const wrapper = await open('kek-a');
    expect(Buffer.from(await wrapper.unwrap(await wrapper.wrap(key, owner), owner)).equals(key)).toBe(true);
  });

  it('gives it back after a restart', async () => {
    const wrapped = await (await open('kek-a')).wrap(key, owner);
    const stored = JSON.parse(JSON.stringify(wrapped)) as typeof wrapped;
    expect(Buffer.from(await (await open('kek-a')).unwrap(stored, owner)).equals(key)).toBe(true);
  });

  it('does not show the key', async () => {
    const { wrapped } = await (await open('kek-a')).wrap(key, owner);
    for (const encoding of ['latin1', 'base64', 'base64url', 'hex'] as const) {
      expect(wrapped).not.toContain(Buffer.from(key).toString(encoding));
    }
  });

  it('refuses to give it to another owner', async () => {
    const wrapper = await open('kek-a');
    const wrapped = await wrapper.wrap(key, owner);
    for (const other of [
      { tenant: 'acme', subjectId: 'subject-2' },
      { tenant: 'acme2', subjectId: 'subject-1' },
      { tenant: 'acmes', subjectId: 'ubject-1' },
    ]) {
      await expect(wrapper.unwrap(wrapped, other)).rejects.toMatchObject({ code: 'refused' });
    }
  });

  it('refuses a wrapped key of which any character changed', async () => {
    const wrapper = await open('kek-a');
    const { kekId, wrapped } = await wrapper.wrap(key, owner);
    for (let at = 0; at < wrapped.length; at++) {
      const changed = `${wrapped.slice(0, at)}${wrapped[at] === 'A' ? 'B' : 'A'}${wrapped.slice(at + 1)}`;
      await expect(wrapper.unwrap({ kekId, wrapped: changed }, owner)).rejects.toMatchObject({ code: 'refused' });
    }
  });

  it('says so when another key-encryption key wrapped it', async () => {
    const wrapped = await (await open('kek-a')).wrap(key, owner);
    await expect((await open('kek-b')).unwrap(wrapped, owner)).rejects.toMatchObject({ code: 'unknown-kek' });
  });

  it('does not unwrap what claims to be of its own key-encryption key but is not', async () => {
    const a = await open('kek-a');
    const b = await open('kek-b');
    const { kekId } = await b.wrap(key, owner);
    const { wrapped } = await a.wrap(key, owner);
    await expect(b.unwrap({ kekId, wrapped }, owner)).rejects.toMatchObject({ code: 'refused' });
  });

  it('derives the same key for the same purpose and tenant, also after a restart', async () => {
    const derived = await (await open('kek-a')).derive('intake', 'acme');
    expect(derived).toHaveLength(32);
    expect(await (await open('kek-a')).derive('intake', 'acme')).toEqual(derived);
  });

  it('derives another key for another purpose, tenant or key-encryption key', async () => {
    const a = await open('kek-a');
    const derived = await Promise.all([
      a.derive('intake', 'acme'),
      a.derive('intake', 'acme2'),
      a.derive('intakea', 'cme'),
      a.derive('other', 'acme'),
      (await open('kek-b')).derive('intake', 'acme'),
    ]);
    expect(new Set(derived.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(derived.length);
  });
});
