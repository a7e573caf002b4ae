import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LogStore, StoredObject } from './log-store.ts';

/** Files that are written at the same time: enough for the disk to group its syncs, few enough for the thread pool. */
const WRITES_AT_ONCE = 8;
/** Unfinished files older than this belong to a process that died, ms. */
const LEFTOVER_AGE_MS = 86_400_000;

const TEMPORARY_FOLDER = 'tmp';

/**
 * Logs in a folder of a POSIX file system: written to a temporary file, synced, renamed into place, its folder synced.
 * Several processes may share the folder, on one file system.
 */
export class FolderLogStore implements LogStore {
  private readonly knownFolders = new Set<string>();
  private written = 0;

  private constructor(
    private readonly root: string,
    private readonly temporary: string,
  ) {}

  /** Opens a folder, making it if need be, and removes what dead processes left half written. */
  static async open(root: string, nowMs: number): Promise<FolderLogStore> {
    const temporary = join(root, TEMPORARY_FOLDER);
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    for (const name of await readdir(temporary)) {
      const path = join(temporary, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
      if (nowMs - mtimeMs > LEFTOVER_AGE_MS) await rm(path, { recursive: true, force: true });
    }
    return new FolderLogStore(root, await mkdtemp(join(temporary, 'writer-')));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return orUndefined(readFile(join(this.root, path)));
  }

  async write(objects: readonly StoredObject[]): Promise<void> {
    for (let at = 0; at < objects.length; at += WRITES_AT_ONCE) {
      await this.writeAtOnce(objects.slice(at, at + WRITES_AT_ONCE));
    }
  }

  private async writeAtOnce(objects: readonly StoredObject[]): Promise<void> {
    const temporaries = await Promise.all(objects.map(({ bytes }) => this.writeTemporary(bytes)));
    const folders = new Set(objects.map(({ path }) => dirname(join(this.root, path))));
    for (const folder of folders) await this.ensureFolder(folder);
    for (const [i, { path }] of objects.entries()) await rename(temporaries[i] ?? '', join(this.root, path));
    await Promise.all([...folders].map(syncFolder));
  }

  private async writeTemporary(bytes: Uint8Array): Promise<string> {
    this.written += 1;
    const path = join(this.temporary, String(this.written));
    await withFile(path, 'w', async (file) => {
      await file.writeFile(bytes);
      await file.sync();
    });
    return path;
  }

  async create(path: string): Promise<boolean> {
    const full = join(this.root, path);
    await this.ensureFolder(dirname(full));
    try {
      await withFile(full, 'wx', (file) => file.sync());
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
    await syncFolder(dirname(full));
    return true;
  }

  async list(path: string): Promise<string[]> {
    return ((await orUndefined(readdir(join(this.root, path)))) ?? []).sort();
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) await rm(join(this.root, path), { force: true });
    for (const folder of new Set(paths.map((path) => dirname(join(this.root, path))))) {
      this.knownFolders.delete(folder);
      // The folder of a tile's partial versions goes with the last of them; any other is not empty.
      await rmdir(folder).catch(() => undefined);
    }
  }

  async modifiedAtMs(path: string): Promise<number | undefined> {
    return (await orUndefined(stat(join(this.root, path))))?.mtimeMs;
  }

  /** Makes a folder and those above it, each durable in the one above. */
  private async ensureFolder(folder: string): Promise<void> {
    if (this.knownFolders.has(folder) || folder === dirname(folder)) return;
    const made = await mkdir(folder, { recursive: true });
    if (made !== undefined) {
      for (let path = folder; path.length >= made.length; path = dirname(path)) await syncFolder(dirname(path));
    }
    this.knownFolders.add(folder);
  }
}

async function withFile(path: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o644);
  try {
    await work(file);
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  await withFile(folder, 'r', (file) => file.sync());
}

async function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Code of a file system error, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
