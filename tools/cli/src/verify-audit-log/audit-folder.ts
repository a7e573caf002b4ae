import type { Dirent } from 'node:fs';
import { constants, lstat, open, readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files of one folder that are listed: partial tiles have at most 255, a level of tiles 1,000 and as many folders. */
const LISTED_MAX = 100_000;

export type FolderErrorCode = 'too-large' | 'not-a-plain-file' | 'unreadable' | 'too-many-files';

/** A file that cannot be read as part of an audit folder. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
  constructor(
    readonly code: FolderErrorCode,
    readonly path: string,
    cause?: unknown,
  ) {
    super(`${path}: ${code}`, cause === undefined ? undefined : { cause });
  }
}

/**
 * An audit folder of unknown origin, read with care: plain files only, of bounded size, nothing through a symbolic link
 * and so nothing outside the folder.
 */
export class AuditFolder {
  /** Bytes read so far. */
  bytesRead = 0;
  private readonly checkedFolders = new Set<string>();

  private constructor(private readonly root: string) {}

  /** @throws FolderError when there is no such folder */
  static async open(folder: string): Promise<AuditFolder> {
    try {
      const root = await realpath(folder);
      if (!(await lstat(root)).isDirectory()) throw new FolderError('not-a-plain-file', folder);
      return new AuditFolder(root);
    } catch (error) {
      throw error instanceof FolderError ? error : new FolderError('unreadable', folder, error);
    }
  }

  /**
   * A file's bytes; undefined when there is none.
   * @throws FolderError for a link, a device, an unreadable file, or one longer than `bytesMax`
   */
  async read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    if (!(await this.isFolder(dirname(path)))) return undefined;
    try {
      const file = await open(join(this.root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const facts = await file.stat();
        if (!facts.isFile()) throw new FolderError('not-a-plain-file', path);
        if (facts.size > bytesMax) throw new FolderError('too-large', path);
        const bytes = Buffer.alloc(facts.size);
        const { bytesRead } = await file.read(bytes, 0, facts.size, 0);
        this.bytesRead += bytesRead;
        return bytes.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (error) {
      throwUnlessMissing(error, path);
      return undefined;
    }
  }

  /** What is directly below a path; nothing when there is no such folder. */
  async list(path: string): Promise<Dirent[]> {
    if (!(await this.isFolder(path))) return [];
    try {
      const entries = await readdir(join(this.root, path), { withFileTypes: true });
      if (entries.length > LISTED_MAX) throw new FolderError('too-many-files', path);
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      throwUnlessMissing(error, path);
      return [];
    }
  }

  /** True for a folder whose every part is a folder, not a link to one. */
  private async isFolder(path: string): Promise<boolean> {
    if (path === '.' || path === '' || this.checkedFolders.has(path)) return true;
    if (!(await this.isFolder(dirname(path)))) return false;
    const facts = await lstat(join(this.root, path)).catch((error: unknown) => {
      throwUnlessMissing(error, path);
      return undefined;
    });
    if (facts === undefined) return false;
    if (!facts.isDirectory()) throw new FolderError('not-a-plain-file', path);
    this.checkedFolders.add(path);
    return true;
  }
}

function throwUnlessMissing(error: unknown, path: string): void {
  if (error instanceof FolderError) throw error;
  const { code } = error as { code?: unknown };
  if (code === 'ENOENT' || code === 'ENOTDIR') return;
  throw new FolderError(code === 'ELOOP' ? 'not-a-plain-file' : 'unreadable', path, error);
}
