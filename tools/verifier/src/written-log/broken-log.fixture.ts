import { tmpdir } from 'node:os';
import { itemsOf } from '../merkle/pieces.ts';
import { verifyAuditLog, type VerifyOptions, type VerifyResult } from '../verify-log/verify-audit-log.ts';
import { MemorySource } from './memory-source.fixture.ts';

/** A copy of an audit log in memory, and the ways to spoil it. */
export class BrokenLog {
  readonly files: Map<string, Uint8Array>;

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.files = new Map(files);
  }

  paths(): string[] {
    return [...this.files.keys()].sort();
  }

  bytes(path: string): Buffer {
    const bytes = this.files.get(path);
    if (bytes === undefined) throw new RangeError(`there is no ${path}`);
    return Buffer.from(bytes);
  }

  text(path: string): string {
    return this.bytes(path).toString();
  }

  write(path: string, bytes: Uint8Array | string): this {
    this.files.set(path, Buffer.from(bytes));
    return this;
  }

  change(path: string, change: (bytes: Buffer) => Uint8Array | string): this {
    return this.write(path, change(this.bytes(path)));
  }

  flip(path: string, bit: number): this {
    return this.change(path, (bytes) => {
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes;
    });
  }

  /** Changes the items of a tile, an entry bundle or a piece of the offset index. */
  changeItems(path: string, change: (items: Uint8Array[]) => Uint8Array[]): this {
    const kind = path.includes('/tile/entries/') ? 'entries' : path.includes('/offsets/') ? 'offsets' : 'tile';
    return this.change(path, (bytes) => {
      const items = change(itemsOf(kind, bytes) ?? []);
      return Buffer.concat(kind === 'entries' ? items.flatMap(counted) : items);
    });
  }

  /** Removes a file, or all files of a folder. */
  remove(path: string): this {
    for (const file of this.paths()) if (file === path || file.startsWith(`${path}/`)) this.files.delete(file);
    return this;
  }

  /** Takes the files of another log over those of this one. */
  replace(folder: string, by: ReadonlyMap<string, Uint8Array>): this {
    this.remove(folder);
    for (const [path, bytes] of by) if (path.startsWith(`${folder}/`)) this.files.set(path, bytes);
    return this;
  }

  verify(options: Partial<VerifyOptions> = {}): Promise<VerifyResult> {
    const source = new MemorySource(this.files);
    return verifyAuditLog({
      source,
      temporaryFolder: tmpdir(),
      now: () => new Date(0),
      monotonicMs: () => 0,
      ...options,
    });
  }

  /** What was found, as `code where`. */
  async faults(options: Partial<VerifyOptions> = {}): Promise<string[]> {
    const { faults } = await this.verify(options);
    return faults.map(({ code, where }) => `${code} ${where}`);
  }
}

function counted(entry: Uint8Array): Uint8Array[] {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(entry.length);
  return [length, entry];
}
