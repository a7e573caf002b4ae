import { type Listed, type Source, SourceError } from '../sources/source.ts';

/** An audit log in memory; reads, and can be told to be one that does not list. */
export class MemorySource implements Source {
  readonly name = 'memory';
  bytesRead = 0;

  constructor(
    private readonly files: ReadonlyMap<string, Uint8Array>,
    readonly lists = true,
  ) {}

  read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    const bytes = this.files.get(path);
    if (bytes !== undefined && bytes.length > bytesMax) return Promise.reject(new SourceError('too-large', path));
    this.bytesRead += bytes?.length ?? 0;
    return Promise.resolve(bytes);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async *list(path: string): AsyncIterable<Listed> {
    const below = path === '' ? '' : `${path}/`;
    const names = new Map<string, boolean>();
    for (const file of this.files.keys()) {
      if (!file.startsWith(below)) continue;
      const [name = '', ...rest] = file.slice(below.length).split('/');
      names.set(name, rest.length > 0);
    }
    for (const [name, isFolder] of names) yield { name, isFolder };
  }

  close(): void {
    // Nothing is kept open.
  }
}
