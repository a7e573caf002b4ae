import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LogStore, OwnedObjects, StoredObject } from './log-store.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** Files that are written at the same time: enough for the disk to group its syncs, few enough for the thread pool. */
const WRITES_AT_ONCE = 8;
/** Unfinished files older than this belong to a process that died, ms. */
const LEFTOVER_AGE_MS = 86_400_000;
/** Tries to take a log while others take it too: each failure means that another one succeeded. */
const TAKES_MAX = 1_000;

const TEMPORARY_FOLDER = 'tmp';
/** Below it, for each log, one folder named after its owner's epoch: there the owner's files are made. */
const OWNERS_FOLDER = 'owners-of';
const EPOCH_DIGITS = 12;

/** One step of a write, on which a process can fail, be slow, be frozen or die. */
export type FolderStep = 'create' | 'sync' | 'rename' | 'sync-folder' | 'remove' | 'take';

/** Called before each step, with the file it is about; what it throws, the step throws. For fault tests. */
export type BeforeStep = (step: FolderStep, path: string) => Promise<void> | void;

/**
 * Logs in a folder of a local POSIX file system: each object is written to a temporary file, synced, renamed into place,
 * its folder synced. Several processes of one machine may share the folder.
 *
 * Who owns a log makes its temporary files in a folder that only one process has: `owners-of/<log>/<epoch>`. Taking the
 * log over renames that folder to the next epoch. The rename is one step, so exactly one of several succeeds, and from
 * then on the former owner's paths lead nowhere: a rename into place that it begins later, frozen for however long,
 * finds no source.
 */
export class FolderLogStore implements LogStore {
  private constructor(
    private readonly root: string,
    private readonly before: BeforeStep,
  ) {}

  /** Opens a folder, making it if need be, and removes what dead processes left half written. */
  static async open(root: string, nowMs: number, before: BeforeStep = () => undefined): Promise<FolderLogStore> {
    const temporary = join(root, TEMPORARY_FOLDER);
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    for (const name of await readdir(temporary)) {
      const path = join(temporary, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
      if (nowMs - mtimeMs > LEFTOVER_AGE_MS) await rm(path, { recursive: true, force: true });
    }
    return new FolderLogStore(root, before);
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return orUndefined(readFile(join(this.root, path)));
  }

  async list(path: string): Promise<string[]> {
    return ((await orUndefined(readdir(join(this.root, path)))) ?? []).sort();
  }

  async modifiedAtMs(path: string): Promise<number | undefined> {
    return (await orUndefined(stat(join(this.root, path))))?.mtimeMs;
  }

  async write(objects: readonly StoredObject[]): Promise<void> {
    const folder = await mkdtemp(join(this.root, TEMPORARY_FOLDER, 'writer-'));
    try {
      await new Staging(this.root, folder, this.before).write(objects);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      await this.before('remove', path);
      await rm(join(this.root, path), { force: true });
    }
    // The folder of a tile's partial versions goes with the last of them; any other is not empty.
    const folders = new Set(paths.map((path) => dirname(path)).filter((folder) => folder.endsWith('.p')));
    for (const folder of folders) await rmdir(join(this.root, folder)).catch(() => undefined);
  }

  async take(name: string): Promise<OwnedObjects> {
    const folder = join(this.root, OWNERS_FOLDER, name);
    await this.makeFirstEpoch(folder);
    for (let tries = 0; tries < TAKES_MAX; tries += 1) {
      const newest = (await readdir(folder))
        .filter((entry) => /^\d{12}$/.test(entry))
        .sort()
        .at(-1);
      if (newest === undefined) continue;
      const epoch = Number(newest) + 1;
      const mine = join(folder, epochName(epoch));
      await this.before('take', mine);
      // Somebody else's rename came first when the source is gone.
      if ((await orUndefined(rename(join(folder, newest), mine).then(() => true))) === undefined) continue;
      await this.before('sync-folder', folder);
      const left = await orUndefined(readdir(mine));
      // Somebody else has taken it since.
      if (left === undefined) continue;
      // A rename into place that had found its folder already, but not its file, finds none now.
      for (const file of left) await rm(join(mine, file), { force: true });
      await syncFolder(folder);
      return this.ownedBy(name, epoch, new Staging(this.root, mine, this.before));
    }
    throw new MerkleLogError('stale-owner', `${name} is being taken by others all the time`);
  }

  /** Makes `<folder>/000000000000` in one step, unless the log had an owner before. */
  private async makeFirstEpoch(folder: string): Promise<void> {
    if ((await orUndefined(stat(folder))) !== undefined) return;
    await makeFolder(dirname(folder));
    const made = await mkdtemp(join(this.root, TEMPORARY_FOLDER, 'owner-'));
    await mkdir(join(made, epochName(0)));
    try {
      await rename(made, folder);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
      await rm(made, { recursive: true });
    }
  }

  private ownedBy(name: string, epoch: number, staging: Staging): OwnedObjects {
    return {
      epoch,
      read: (path) => this.read(path),
      list: (path) => this.list(path),
      modifiedAtMs: (path) => this.modifiedAtMs(path),
      remove: (paths) => this.remove(paths),
      write: async (objects) => {
        try {
          await staging.write(objects);
        } catch (error) {
          if (codeOf(error) === 'ENOENT' && !(await staging.isThere())) {
            throw new MerkleLogError('stale-owner', `${name} has another owner`, error);
          }
          throw error;
        }
      },
    };
  }
}

/** A folder in which one writer makes its files before it moves them to where they belong. */
class Staging {
  private readonly knownFolders = new Set<string>();
  private written = 0;

  constructor(
    private readonly root: string,
    private readonly folder: string,
    private readonly before: BeforeStep,
  ) {}

  async isThere(): Promise<boolean> {
    return (await orUndefined(stat(this.folder))) !== undefined;
  }

  async write(objects: readonly StoredObject[]): Promise<void> {
    for (let at = 0; at < objects.length; at += WRITES_AT_ONCE) {
      await this.writeAtOnce(objects.slice(at, at + WRITES_AT_ONCE));
    }
  }

  private async writeAtOnce(objects: readonly StoredObject[]): Promise<void> {
    const temporaries = objects.map(() => join(this.folder, String((this.written += 1))));
    try {
      await all(objects.map(({ bytes }, i) => this.writeTemporary(temporaries[i] ?? '', bytes)));
      const folders = [...new Set(objects.map(({ path }) => dirname(join(this.root, path))))];
      for (const folder of folders) await this.ensureFolder(folder);
      for (const [i, { path }] of objects.entries()) await this.moveTo(temporaries[i] ?? '', path);
      await all(folders.map((folder) => this.syncFolder(folder)));
    } catch (error) {
      // On a full disk what is left here would keep it full.
      await Promise.all(temporaries.map((path) => rm(path, { force: true }).catch(() => undefined)));
      throw error;
    }
  }

  private async writeTemporary(path: string, bytes: Uint8Array): Promise<void> {
    await this.before('create', path);
    await withFile(path, 'w', async (file) => {
      await file.writeFile(bytes);
      await this.before('sync', path);
      await file.sync();
    });
  }

  private async syncFolder(folder: string): Promise<void> {
    await this.before('sync-folder', folder);
    await syncFolder(folder);
  }

  private async moveTo(temporary: string, path: string): Promise<void> {
    const target = join(this.root, path);
    await this.before('rename', target);
    try {
      await rename(temporary, target);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || !(await this.isThere())) throw error;
      // The folder went with its last partial piece, between the look at it and now.
      this.knownFolders.delete(dirname(target));
      await this.ensureFolder(dirname(target));
      await rename(temporary, target);
    }
  }

  /** Makes a folder and those above it, each durable in the one above. */
  private async ensureFolder(folder: string): Promise<void> {
    if (this.knownFolders.has(folder)) return;
    await makeFolder(folder);
    this.knownFolders.add(folder);
  }
}

/** Waits for every one, then rejects with the first failure: nothing goes on in the background. */
async function all(works: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(works)) if (result.status === 'rejected') throw result.reason;
}

async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made === undefined) return;
  for (let path = folder; path.length >= made.length; path = dirname(path)) await syncFolder(dirname(path));
}

function epochName(epoch: number): string {
  return String(epoch).padStart(EPOCH_DIGITS, '0');
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
