import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leafHash, openCheckpoint, sameHash } from '@assent/merkle-log';
import { FolderLogStore } from '../merkle-logs/folder-log-store.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { LogKey } from '../merkle-logs/log-key.ts';
import { LogWriter } from '../merkle-logs/log-writer.ts';
import { exportFolder } from './export-folder.ts';

const key = new LogKey(generateKeyPairSync('ed25519').privateKey);
const origin = 'log.example/consent.events/0';
const prefix = 'public/logs/consent.events/0';

describe('an export of a folder of logs', () => {
  let root: string;
  let writer: LogWriter;
  let store: FolderLogStore;
  let next = 0;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'assent-export-'));
    store = await FolderLogStore.open(root, 0);
    writer = await LogWriter.open({ store, prefix, origin, key, keepsEntries: true, keepsOffsets: true });
    next = 0;
  });

  afterEach(async () => {
    await writer.settled();
    await rm(root, { recursive: true, force: true });
  });

  async function grow(leaves: number): Promise<void> {
    for (let i = 0; i < leaves; i += 1, next += 1) {
      const entry = Buffer.from(String(next));
      writer.add({ hash: leafHash(entry), entry, offset: next });
    }
    await writer.commit();
  }

  /** The size of the exported log; fails when its tiles do not give its root or an entry is missing. */
  async function verifiedSize(folder: string): Promise<number> {
    const exported = await FolderLogStore.open(join(root, folder), 0);
    const files = new LogFiles(exported, prefix.slice('public/'.length));
    const checkpoint = openCheckpoint((await files.checkpoint())!, origin, [key.verifier(origin)]);
    expect(sameHash(await files.tree(checkpoint.size).root(), checkpoint.root)).toBe(true);
    expect(Buffer.from(await files.entry(checkpoint.size - 1, checkpoint.size)).toString()).toBe(
      String(checkpoint.size - 1),
    );
    return checkpoint.size;
  }

  it('holds every file, and keeps it when the log grows on', async () => {
    await grow(300);
    const files = await exportFolder(join(root, 'public'), join(root, 'exports/1'));
    expect(files).toBe(8);
    await grow(300);
    expect(await verifiedSize('exports/1')).toBe(300);
  });

  it('takes no room for what the log keeps anyway', async () => {
    await grow(300);
    await exportFolder(join(root, 'public'), join(root, 'exports/1'));
    const path = `${prefix.slice('public/'.length)}/tile/0/000`;
    const [original, exported] = [await stat(join(root, 'public', path)), await stat(join(root, 'exports/1', path))];
    expect(exported.ino).toBe(original.ino);
    expect((await readFile(join(root, 'exports/1', path))).length).toBe(8192);
  });

  it('is whole when the log grows while it is made', async () => {
    await grow(200);
    for (let round = 0; round < 12; round += 1) {
      const growing = (async () => {
        for (let i = 0; i < 6; i += 1) await grow(13);
      })();
      await exportFolder(join(root, 'public'), join(root, `exports/${String(round)}`));
      expect(await verifiedSize(`exports/${String(round)}`)).toBeGreaterThan(0);
      await growing;
    }
  }, 30_000);
});
