import type { LogStore, StoredObject } from './log-store.ts';

/** A log store in memory that can fail like a disk: whole objects only, but any part of a write may have happened. */
export class MemoryLogStore implements LogStore {
  readonly objects = new Map<string, Uint8Array>();
  /** Fails the write of this many objects from now on; those before it in the same call are there. */
  failAfterObjects = Infinity;

  read(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.objects.get(path));
  }

  write(objects: readonly StoredObject[]): Promise<void> {
    for (const { path, bytes } of objects) {
      if (this.failAfterObjects <= 0) return Promise.reject(new Error('no space left on device'));
      this.failAfterObjects -= 1;
      this.objects.set(path, Uint8Array.from(bytes));
    }
    return Promise.resolve();
  }

  create(path: string): Promise<boolean> {
    const created = !this.objects.has(path);
    if (created) this.objects.set(path, new Uint8Array());
    return Promise.resolve(created);
  }

  list(path: string): Promise<string[]> {
    const below = [...this.objects.keys()].filter((key) => key.startsWith(`${path}/`));
    return Promise.resolve([...new Set(below.map((key) => key.slice(path.length + 1).split('/')[0] ?? ''))].sort());
  }

  remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.objects.delete(path);
    return Promise.resolve();
  }

  modifiedAtMs(path: string): Promise<number | undefined> {
    return Promise.resolve(this.objects.has(path) ? 0 : undefined);
  }

  /** The same objects, for a process that starts again. */
  copy(): MemoryLogStore {
    const copy = new MemoryLogStore();
    for (const [path, bytes] of this.objects) copy.objects.set(path, bytes);
    return copy;
  }
}
