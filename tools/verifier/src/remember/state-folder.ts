import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { hexOf, sha256 } from '../merkle/hashes.ts';
import { FormatError } from '../notes/format-error.ts';

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

/**
 * What the verifier remembers, one file for each installation: so a log that was rewound, forked or signed by another
 * key is found out although all of it is consistent in itself. And how far a run got that was interrupted.
 */
export class StateFolder {
  constructor(private readonly folder: string) {}

  /** What was seen last; undefined the first time. @throws FormatError when the file is not one of ours */
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

  async saveLastSeen(seen: LastSeen): Promise<void> {
    await this.writeJson(this.path('seen', seen.origin, 'json'), seen);
  }

  /** What a run that was interrupted left; undefined when there is none. */
  async progress<T>(target: string): Promise<T | undefined> {
    return this.readJson<T>(this.path('progress', target, 'json'));
  }

  async saveProgress(target: string, progress: object): Promise<void> {
    await this.writeJson(this.path('progress', target, 'json'), progress);
  }

  async forgetProgress(target: string): Promise<void> {
    for (const kind of ['json', 'facts']) await rm(this.path('progress', target, kind), { force: true });
  }

  /** Appends facts, one a line; answers the length of the file. Nothing is lost that `saveProgress` names after it. */
  async appendFacts(target: string, facts: readonly object[], length: number): Promise<number> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const text = facts.map((fact) => `${JSON.stringify(fact)}\n`).join('');
    const file = await open(this.path('progress', target, 'facts'), length === 0 ? 'w' : 'r+', 0o600);
    try {
      await file.write(text, length);
      await file.sync();
      return length + Buffer.byteLength(text);
    } finally {
      await file.close();
    }
  }

  /** The facts that a run which was interrupted had kept. */
  async *facts(target: string, length: number): AsyncIterable<unknown> {
    if (length === 0) return;
    const path = this.path('progress', target, 'facts');
    await truncate(path, length);
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      yield JSON.parse(line);
    }
  }

  private path(kind: string, of: string, extension: string): string {
    const readable = of.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(-60);
    return join(this.folder, `${kind}-${readable}-${hexOf(sha256(Buffer.from(of))).slice(0, 16)}.${extension}`);
  }

  private async readJson<T>(path: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(path, 'utf8')) as T;
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      if (error instanceof SyntaxError) throw new FormatError(`${path} is not JSON`);
      throw error;
    }
  }

  /** Whole or not at all. */
  private async writeJson(path: string, json: object): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(json)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }
}
