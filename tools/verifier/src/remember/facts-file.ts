import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, mkdir, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inWords, isMissing, onDisk } from './on-disk.ts';

/** The facts of one partition as far as a run had written them down: bytes, and their SHA-256 in hex. */
export interface FactsMark {
  readonly partition: number;
  readonly length: number;
  readonly sha256: string;
}

/** Facts about the persons of one partition, one a line, for a run that goes on after an interruption. */
export class FactsFile {
  private waiting: object[] = [];
  private length = 0;
  private hash = createHash('sha256');

  constructor(
    private readonly path: string,
    private readonly partition: number,
  ) {}

  /** How many facts wait in memory to be written down. */
  get waits(): number {
    return this.waiting.length;
  }

  /** What is written down; a progress that is to go on from here has to name it. */
  get mark(): FactsMark {
    const { partition, length, hash } = this;
    return { partition, length, sha256: hash.copy().digest('hex') };
  }

  add(fact: object): void {
    this.waiting.push(fact);
  }

  /** Writes down what waits. @throws StateError */
  async write(): Promise<void> {
    if (this.waiting.length === 0) return;
    const bytes = Buffer.from(this.waiting.map((fact) => `${JSON.stringify(fact)}\n`).join(''));
    this.waiting = [];
    const write = this.length === 0 ? writeFile : appendFile;
    await onDisk(dirname(this.path), async () => {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      await write(this.path, bytes, { mode: 0o600, flush: true });
    });
    this.length += bytes.length;
    this.hash.update(bytes);
  }

  /** Goes back to a mark; false when the file does not hold what was marked. @throws StateError */
  async goBackTo({ length, sha256 }: FactsMark): Promise<boolean> {
    for await (const bytes of this.bytes(length)) {
      this.hash.update(bytes);
      this.length += bytes.length;
    }
    if (this.length !== length || this.mark.sha256 !== sha256) return false;
    if (length > 0) await onDisk(dirname(this.path), () => truncate(this.path, length));
    return true;
  }

  /** The facts that are written down. @throws StateError */
  async *facts(): AsyncIterable<unknown> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const bytes of this.bytes(this.length)) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line);
    }
  }

  /** The first bytes of the file, as many as there are; none of a file that is not there. */
  private async *bytes(length: number): AsyncIterable<Buffer> {
    if (length === 0) return;
    try {
      yield* createReadStream(this.path, { end: length - 1 }) as AsyncIterable<Buffer>;
    } catch (error) {
      if (!isMissing(error)) throw inWords(dirname(this.path), error);
    }
  }
}
