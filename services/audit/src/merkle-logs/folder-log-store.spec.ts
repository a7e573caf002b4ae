import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BeforeStep, FolderLogStore } from './folder-log-store.ts';
import { describeLogStoreContract } from './log-store.contract.fixture.ts';
import { MemoryLogStore } from './memory-log-store.fixture.ts';

const NOW_MS = 1_800_000_000_000;

let root = '';
const newRoot = async (): Promise<void> => {
  root = await mkdtemp(join(tmpdir(), 'assent-logs-'));
};
const removeRoot = (): Promise<void> => rm(root, { recursive: true, force: true });

describe('a folder of logs', () => {
  describeLogStoreContract(async () => {
    await newRoot();
    let before: BeforeStep = () => undefined;
    return {
      store: await FolderLogStore.open(root, NOW_MS, (step, path) => before(step, path)),
      other: await FolderLogStore.open(root, NOW_MS),
      setBeforeStep: (next) => (before = next),
    };
  }, removeRoot);
});

describe('logs in memory', () => {
  describeLogStoreContract(
    () => {
      const store = new MemoryLogStore();
      return Promise.resolve({
        store,
        other: store.beside(),
        setBeforeStep: (next) => {
          store.before = next;
        },
      });
    },
    () => Promise.resolve(),
  );
});

describe('the files of a folder of logs', () => {
  beforeEach(newRoot);
  afterEach(removeRoot);

  it('are torn where nobody sees it', async () => {
    let torn = 0;
    const store = await FolderLogStore.open(root, NOW_MS, async (step, path) => {
      if (step !== 'sync') return;
      torn += 1;
      await truncate(path, 3);
      throw Object.assign(new Error('i/o error'), { code: 'EIO' });
    });
    await expect(store.write([{ path: 'a', bytes: Buffer.from('whole') }])).rejects.toMatchObject({ code: 'EIO' });
    expect(torn).toBe(1);
    expect(await readdir(root)).toEqual(['tmp']);
  });

  it('take no room when a write fails', async () => {
    const store = await FolderLogStore.open(root, NOW_MS, (step) => {
      if (step === 'rename') throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    });
    for (let i = 0; i < 3; i += 1) {
      await expect(store.write([{ path: 'a', bytes: Buffer.from('1') }])).rejects.toMatchObject({ code: 'ENOSPC' });
    }
    const owner = await store.take('log');
    await expect(owner.write([{ path: 'a', bytes: Buffer.from('1') }])).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
    expect(await readdir(join(root, 'owners-of/log/000000000001'))).toEqual([]);
  });

  it('are tidied up after dead processes', async () => {
    const store = await FolderLogStore.open(root, NOW_MS);
    await store.write([{ path: 'a', bytes: Buffer.from('1') }]);
    expect((await readdir(root)).sort()).toEqual(['a', 'tmp']);
    await mkdir(join(root, 'tmp/writer-dead'));
    await writeFile(join(root, 'tmp/writer-dead/7'), 'half');
    const longAgoS = NOW_MS / 1000 - 2 * 86_400;
    await utimes(join(root, 'tmp/writer-dead'), longAgoS, longAgoS);
    await FolderLogStore.open(root, NOW_MS);
    expect(await readdir(join(root, 'tmp'))).not.toContain('writer-dead');
  });

  it('are made in one folder for each log, whoever owned it before', async () => {
    const store = await FolderLogStore.open(root, NOW_MS);
    for (let i = 0; i < 3; i += 1) await store.take('consent.events/0');
    expect(await readdir(join(root, 'owners-of/consent.events/0'))).toEqual(['000000000003']);
  });

  it('show who took the log when a process that had looked at it before goes on', async () => {
    let taken = false;
    const other = await FolderLogStore.open(root, NOW_MS);
    const store = await FolderLogStore.open(root, NOW_MS, async (step) => {
      if (step !== 'take' || taken) return;
      taken = true;
      for (let i = 0; i < 3; i += 1) await other.take('heads');
    });
    expect((await store.take('heads')).epoch).toBe(4);
    expect(await readdir(join(root, 'owners-of/heads'))).toEqual(['000000000004']);
  });

  it('are taken again when somebody else takes the log at the same moment', async () => {
    let taken = false;
    const other = await FolderLogStore.open(root, NOW_MS);
    const store = await FolderLogStore.open(root, NOW_MS, async (step) => {
      if (step !== 'sync-folder' || taken) return;
      taken = true;
      await other.take('heads');
    });
    expect((await store.take('heads')).epoch).toBe(3);
    expect(await readdir(join(root, 'owners-of/heads'))).toEqual(['000000000003']);
  });
});
