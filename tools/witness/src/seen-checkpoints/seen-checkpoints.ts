import { createHash } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The newest checkpoint of a log that was cosigned; `revision` counts how often that was. */
export interface SeenCheckpoint {
  readonly revision: number;
  readonly size: number;
  /** Base64 of 32 bytes. */
  readonly root: string;
}

/** Notes kept as evidence of each log; more of the same log prove nothing new. */
const EVIDENCE_MAX = 16;

/**
 * What the witness remembers of each log, in a folder: all that makes its word worth anything. A revision is a file that
 * is created once and never written again, so of two requests, or two processes, that both continue one revision, only
 * one succeeds.
 */
export class SeenCheckpoints {
  constructor(private readonly folder: string) {}

  /** Size 0 and no root for a log that was never cosigned. */
  async newest(origin: string): Promise<SeenCheckpoint> {
    const folder = this.#folderOf(origin);
    for (;;) {
      const revision = Math.max(0, ...(await revisionsIn(folder)));
      if (revision === 0) return { revision, size: 0, root: '' };
      const text = await readIfThere(join(folder, String(revision)));
      // Gone between the two looks: a newer one has come, and this one was removed.
      if (text === undefined) continue;
      const [size = '', root = ''] = text.split('\n');
      return { revision, size: Number(size), root };
    }
  }

  /**
   * Replaces `seen` by a newer checkpoint. When it answers true the new one survives a crash; false means that another
   * request was faster and nothing has changed.
   */
  async replace(origin: string, seen: SeenCheckpoint, next: { size: number; root: string }): Promise<boolean> {
    const folder = this.#folderOf(origin);
    await mkdir(folder, { recursive: true });
    const revision = seen.revision + 1;
    const draft = join(
      folder,
      `draft-${process.pid}-${revision}-${next.size}-${createHash('sha256').update(next.root).digest('hex').slice(0, 8)}`,
    );
    await writeDurably(draft, `${next.size}\n${next.root}\n${origin}\n`);
    try {
      await link(draft, join(folder, String(revision)));
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
    await syncFolder(folder);
    if (seen.revision > 0) await rm(join(folder, String(seen.revision)), { force: true });
    return true;
  }

  /** Keeps a validly signed checkpoint that contradicts what was seen: it convicts the log. */
  async keepEvidence(origin: string, note: Uint8Array): Promise<void> {
    const folder = join(this.#folderOf(origin), 'evidence');
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length >= EVIDENCE_MAX) return;
    await writeDurably(join(folder, `${createHash('sha256').update(note).digest('hex')}.note`), note);
  }

  #folderOf(origin: string): string {
    return join(this.folder, createHash('sha256').update(origin).digest('hex'));
  }
}

async function revisionsIn(folder: string): Promise<number[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[1-9]\d{0,15}$/.test(name)).map(Number);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}
