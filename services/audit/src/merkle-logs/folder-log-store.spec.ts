import { mkdtemp, readdir, readFile, rm, utimes, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderLogStore } from './folder-log-store.ts';
import { LogOwner } from './log-owner.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOW_MS = 1_800_000_000_000;

describe('a folder of logs', () => {
  let root: string;
  let store: FolderLogStore;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'assent-logs-'));
    store = await FolderLogStore.open(root, NOW_MS);
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it('gives back what was written, the newest of each', async () => {
    await store.write([
      { path: 'a/b/c', bytes: bytes('1') },
      { path: 'a/d', bytes: bytes('2') },
    ]);
    await store.write([{ path: 'a/b/c', bytes: bytes('3') }]);
    expect(Buffer.from((await store.read('a/b/c'))!).toString()).toBe('3');
    expect(await readFile(join(root, 'a/d'), 'utf8')).toBe('2');
    expect(await store.list('a')).toEqual(['b', 'd']);
    expect(await store.modifiedAtMs('a/d')).toBeGreaterThan(0);
  });

  it('writes more objects than it writes at the same time', async () => {
    const objects = Array.from({ length: 30 }, (_, i) => ({ path: `many/${String(i)}`, bytes: bytes(String(i)) }));
    await store.write(objects);
    expect(await store.list('many')).toHaveLength(30);
  });

  it('has nothing where nothing was written', async () => {
    expect(await store.read('none')).toBeUndefined();
    expect(await store.list('none')).toEqual([]);
    expect(await store.modifiedAtMs('none')).toBeUndefined();
    await store.write([{ path: 'file', bytes: bytes('') }]);
    expect(await store.read('file/below')).toBeUndefined();
  });

  it('removes objects, and the folder of a tile’s partial versions with the last of them', async () => {
    await store.write([
      { path: 'tile/0/000.p/1', bytes: bytes('1') },
      { path: 'tile/0/000.p/2', bytes: bytes('2') },
    ]);
    await store.remove(['tile/0/000.p/1']);
    expect(await store.list('tile/0/000.p')).toEqual(['2']);
    await store.remove(['tile/0/000.p/2', 'tile/0/none']);
    expect(await store.list('tile/0')).toEqual([]);
    await store.write([{ path: 'tile/0/000.p/3', bytes: bytes('3') }]);
    expect(await store.list('tile/0/000.p')).toEqual(['3']);
  });

  it('leaves no unfinished file in sight and tidies up after dead processes', async () => {
    await store.write([{ path: 'a', bytes: bytes('1') }]);
    expect(await readdir(root)).toEqual(['a', 'tmp']);
    await mkdir(join(root, 'tmp/writer-dead'));
    await writeFile(join(root, 'tmp/writer-dead/7'), 'half');
    const longAgoS = NOW_MS / 1000 - 2 * 86_400;
    await utimes(join(root, 'tmp/writer-dead'), longAgoS, longAgoS);
    await FolderLogStore.open(root, NOW_MS);
    expect(await readdir(join(root, 'tmp'))).not.toContain('writer-dead');
  });

  it('lets one of many create an object', async () => {
    const created = await Promise.all(Array.from({ length: 20 }, () => store.create('owners/log/1')));
    expect(created.filter((won) => won)).toHaveLength(1);
  });
});

describe('the owner of a log', () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'assent-owners-'));
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it('is whoever took it last', async () => {
    const store = await FolderLogStore.open(root, NOW_MS);
    const first = await LogOwner.take(store, 'consent.events/0');
    const other = await LogOwner.take(store, 'consent.events/1');
    await first.assertCurrent();
    const second = await LogOwner.take(store, 'consent.events/0');
    expect(second.epoch).toBe(first.epoch + 1);
    await second.assertCurrent();
    await other.assertCurrent();
    await expect(first.assertCurrent()).rejects.toMatchObject({ code: 'stale-owner' });
  });

  it('is one of many who take it at the same time', async () => {
    const store = await FolderLogStore.open(root, NOW_MS);
    const owners = await Promise.all(Array.from({ length: 8 }, () => LogOwner.take(store, 'heads')));
    const current = await Promise.allSettled(owners.map((owner) => owner.assertCurrent()));
    expect(current.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('does not leave more than two marks behind', async () => {
    const store = await FolderLogStore.open(root, NOW_MS);
    for (let i = 0; i < 5; i += 1) await LogOwner.take(store, 'heads');
    expect(await store.list('owners/heads')).toEqual(['000000000004', '000000000005']);
  });
});
