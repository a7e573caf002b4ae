import { constants, lstat, open, opendir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Listed, type Source, SourceError } from './source.ts';

/**
 * A folder of unknown origin, read with care: plain files of bounded size, nothing through a symbolic link, and so
 * nothing outside the folder; pipes and devices are not waited for.
 */
export class FolderSource implements Source {
  readonly lists = true;
  bytesRead = 0;
  private readonly knownFolders = new Set<string>();

  private constructor(
    readonly name: string,
    private readonly root: string,
  ) {}

  /** @throws SourceError when there is no such folder */
  static async open(folder: string): Promise<FolderSource> {
    try {
      const root = await realpath(folder);
      if (!(await lstat(root)).isDirectory()) throw new SourceError('not-a-plain-file', folder);
      return new FolderSource(folder, root);
    } catch (error) {
      throw error instanceof SourceError ? error : new SourceError('unreadable', folder, codeOf(error));
    }
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    if (!(await this.isFolder(dirname(path)))) return undefined;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await ifThere(path, open(join(this.root, path), flags));
    if (file === undefined) return undefined;
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new SourceError('not-a-plain-file', path);
      if (facts.size > bytesMax) throw new SourceError('too-large', path);
      const bytes = Buffer.alloc(facts.size);
      let length = 0;
      while (length < facts.size) {
        const { bytesRead } = await file.read(bytes, length, facts.size - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      this.bytesRead += length;
      return bytes.subarray(0, length);
    } catch (error) {
      throw error instanceof SourceError ? error : new SourceError('unreadable', path, codeOf(error));
    } finally {
      await file.close();
    }
  }

  async *list(path: string): AsyncIterable<Listed> {
    if (!(await this.isFolder(path))) return;
    const folder = await ifThere(path, opendir(join(this.root, path)));
    if (folder === undefined) return;
    for await (const entry of folder) yield { name: entry.name, isFolder: entry.isDirectory() };
  }

  close(): void {
    // Nothing is kept open.
  }

  /** True for a folder whose every part is a folder, not a link to one. */
  private async isFolder(path: string): Promise<boolean> {
    if (path === '.' || path === '' || this.knownFolders.has(path)) return true;
    if (!(await this.isFolder(dirname(path)))) return false;
    const facts = await ifThere(path, lstat(join(this.root, path)));
    if (facts === undefined) return false;
    if (!facts.isDirectory()) throw new SourceError('not-a-plain-file', path);
    this.knownFolders.add(path);
    return true;
  }
}

async function ifThere<T>(path: string, reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new SourceError(code === 'ELOOP' ? 'not-a-plain-file' : 'unreadable', path, code);
  }
}

function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
