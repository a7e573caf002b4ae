import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hexOf, sha256 } from '../merkle/hashes.ts';
import { FormatError } from '../notes/format-error.ts';
import { FactsFile } from './facts-file.ts';
import { isMissing, onDisk } from './on-disk.ts';

/** A log as it was seen: size, and root in base64. */
export interface SeenLog {
  readonly size: number;
  readonly root: string;
}

/** What an earlier run saw of an installation. */
export interface LastSeen {
  /** 1; another version is not understood. */
  readonly version: number;
  readonly origin: string;
  /** When it was verified, UTC. */
  readonly at: string;
  /** Fingerprints of the chain of keys, oldest first. */
  readonly fingerprints: readonly string[];
  /** `heads` and every other log, by name. */
  readonly logs: Readonly<Record<string, SeenLog>>;
}

/** How far a run got, and the SHA-256 of its JSON in hex. */
interface Progress<T> {
  readonly sha256: string;
  readonly progress: T;
}

/**
 * What the verifier remembers, one file for each installation: so a log that was rewound, forked or signed by another
 * key is found out although all of it is consistent in itself. And how far a run got that was interrupted.
 */
export class StateFolder {
  constructor(private readonly folder: string) {}

  /** What was seen last; undefined the first time. @throws FormatError when the file is not one of ours, StateError */
  async lastSeen(origin: string): Promise<LastSeen | undefined> {
    const path = this.path('seen', origin, 'json');
    const seen = await this.readJson<LastSeen>(path);
    if (seen === undefined) return undefined;
    if (
      seen.version !== 1 ||
      seen.origin !== origin ||
      !Array.isArray(seen.fingerprints) ||
      typeof seen.logs !== 'object'
    )
      throw new FormatError(`${path} is not what this verifier remembers`);
    return seen;
  }

  /** Where `lastSeen` is kept, for people. */
  pathOfLastSeen(origin: string): string {
    return this.path('seen', origin, 'json');
  }

  /** @throws StateError */
  async saveLastSeen(seen: LastSeen): Promise<void> {
    await this.writeJson(this.path('seen', seen.origin, 'json'), seen);
  }

  /**
   * What a run that was interrupted left; undefined when there is none.
   * @throws FormatError when it is not what `saveProgress` wrote, StateError
   */
  async progress<T>(target: string): Promise<T | undefined> {
    const path = this.path('progress', target, 'json');
    const saved = await this.readJson<Partial<Progress<T>> | null>(path);
    if (saved === undefined) return undefined;
    if (saved?.progress === undefined || saved.sha256 !== hashOf(saved.progress))
      throw new FormatError(`${path} is not what this verifier wrote`);
    return saved.progress;
  }

  /** Saves how far a run got, and removes the facts of other partitions than the one it needs. @throws StateError */
  async saveProgress(target: string, progress: object, partition: number | undefined): Promise<void> {
    await this.writeJson(this.path('progress', target, 'json'), { sha256: hashOf(progress), progress });
    await this.removeFacts(target, partition);
  }

  /** @throws StateError */
  async forgetProgress(target: string): Promise<void> {
    await onDisk(this.folder, () => rm(this.path('progress', target, 'json'), { force: true }));
    await this.removeFacts(target, undefined);
  }

  /** Where a run writes down the facts about the persons of a partition. */
  factsOf(target: string, partition: number): FactsFile {
    return new FactsFile(this.path('progress', target, `${partition}.facts`), partition);
  }

  private async removeFacts(target: string, except: number | undefined): Promise<void> {
    const all = basename(this.path('progress', target, ''));
    const kept = basename(this.path('progress', target, `${except}.facts`));
    await onDisk(this.folder, async () => {
      for (const name of await namesIn(this.folder)) {
        if (name.startsWith(all) && name.endsWith('.facts') && name !== kept) await rm(join(this.folder, name));
      }
    });
  }

  private path(kind: string, of: string, extension: string): string {
    const readable = of.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(-60);
    return join(this.folder, `${kind}-${readable}-${hexOf(sha256(Buffer.from(of))).slice(0, 16)}.${extension}`);
  }

  private async readJson<T>(path: string): Promise<T | undefined> {
    const text = await onDisk(this.folder, () => textOf(path));
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new FormatError(`${path} is not JSON`);
    }
  }

  /** Whole or not at all. */
  private async writeJson(path: string, json: object): Promise<void> {
    await onDisk(this.folder, async () => {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, `${JSON.stringify(json)}\n`, { mode: 0o600, flush: true });
      await rename(`${path}.new`, path);
    });
  }
}

function hashOf(json: unknown): string {
  return hexOf(sha256(Buffer.from(JSON.stringify(json))));
}

/** Undefined when there is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** None when there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
