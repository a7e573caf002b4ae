import type { LogStore, OwnedObjects, StoredObject } from './log-store.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** A step of the store in memory: what it does, and to which object or log. */
export type MemoryStep = 'read' | 'list' | 'write' | 'remove' | 'take';

/** What several processes share: objects, and the newest owner of each log. */
interface Shared {
  readonly objects: Map<string, Uint8Array>;
  readonly epochs: Map<string, number>;
}

/** A log store in memory that can fail like a disk: whole objects only, but any part of a write may have happened. */
export class MemoryLogStore implements LogStore {
  /** Fails the write of this many objects from now on; those before it in the same call are there. */
  failAfterObjects = Infinity;
  /** Called before each step: it may throw, or wait for as long as a frozen process does. */
  before: (step: MemoryStep, path: string) => Promise<void> | void = () => undefined;
  /** Called after each step that changes something: what it throws is a reply that was lost. */
  after: (step: MemoryStep, path: string) => Promise<void> | void = () => undefined;

  constructor(private readonly shared: Shared = { objects: new Map(), epochs: new Map() }) {}

  get objects(): Map<string, Uint8Array> {
    return this.shared.objects;
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    await this.before('read', path);
    return this.objects.get(path);
  }

  write(objects: readonly StoredObject[]): Promise<void> {
    return this.writeAs(objects, () => undefined);
  }

  private async writeAs(objects: readonly StoredObject[], assertMay: () => void): Promise<void> {
    for (const { path, bytes } of objects) {
      await this.before('write', path);
      assertMay();
      if (this.failAfterObjects <= 0) throw new Error('no space left on device');
      this.failAfterObjects -= 1;
      this.objects.set(path, Uint8Array.from(bytes));
      await this.after('write', path);
    }
  }

  async list(path: string): Promise<string[]> {
    await this.before('list', path);
    const below = [...this.objects.keys()].filter((key) => key.startsWith(`${path}/`));
    return [...new Set(below.map((key) => key.slice(path.length + 1).split('/')[0] ?? ''))].sort();
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      await this.before('remove', path);
      this.objects.delete(path);
      await this.after('remove', path);
    }
  }

  modifiedAtMs(path: string): Promise<number | undefined> {
    return Promise.resolve(this.objects.has(path) ? 0 : undefined);
  }

  async take(name: string): Promise<OwnedObjects> {
    await this.before('take', name);
    const epoch = (this.shared.epochs.get(name) ?? 0) + 1;
    this.shared.epochs.set(name, epoch);
    await this.after('take', name);
    const assertOwner = (): void => {
      if (this.shared.epochs.get(name) !== epoch) throw new MerkleLogError('stale-owner', `${name} has another owner`);
    };
    return {
      epoch,
      read: (path) => this.read(path),
      list: (path) => this.list(path),
      modifiedAtMs: (path) => this.modifiedAtMs(path),
      remove: (paths) => this.remove(paths),
      write: (objects) => this.writeAs(objects, assertOwner),
    };
  }

  /** The same objects, for a process that starts again when no other one is left. */
  copy(): MemoryLogStore {
    return new MemoryLogStore({ objects: new Map(this.objects), epochs: new Map(this.shared.epochs) });
  }

  /** The same store, as another process that runs at the same time sees it. */
  beside(): MemoryLogStore {
    return new MemoryLogStore(this.shared);
  }
}
