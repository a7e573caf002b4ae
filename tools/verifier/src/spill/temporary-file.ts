import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What does not fit memory could not be put on disk either, or not be read back. */
export class SpillError extends Error {
  override readonly name = 'SpillError';
  readonly code = 'no-room';
}

/**
 * A file for what does not fit memory. It has no name any more as soon as it is open, so nothing is left of it however
 * the process ends. Made with the first write.
 */
export class TemporaryFile {
  /** Bytes written so far. */
  length = 0;
  private file: number | undefined;

  constructor(private readonly folder: string) {}

  /** Appends bytes. @throws SpillError */
  append(bytes: Uint8Array): void {
    this.guarded(() => {
      this.file ??= this.open();
      for (let at = 0; at < bytes.length;) {
        const written = writeSync(this.file, bytes, at, bytes.length - at, this.length);
        at += written;
        this.length += written;
      }
    });
  }

  /** Fills `into` with the bytes from a position on; answers how many there were. @throws SpillError */
  read(into: Uint8Array, position: number): number {
    const { file } = this;
    if (file === undefined) return 0;
    return this.guarded(() => readSync(file, into, 0, into.length, position));
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }

  private open(): number {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, `assent-verify-${randomBytes(8).toString('hex')}.tmp`);
    const file = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return file;
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const { code } = error as { code?: unknown };
      throw new SpillError(`temporary files cannot be kept in ${this.folder} (${String(code)})`);
    }
  }
}
