import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { EMPTY_ROOT, leafHash, openCheckpoint, verifyConsistency } from '@assent/merkle-log';
import { LogFiles } from './log-files.ts';
import { LogKey } from './log-key.ts';
import { type Leaf, LogWriter, type LogWriterOptions } from './log-writer.ts';
import type { LogObjects } from './log-store.ts';
import { MemoryLogStore } from './memory-log-store.fixture.ts';

const key = new LogKey(generateKeyPairSync('ed25519').privateKey);
const origin = 'log.example/consent.events/0';
const prefix = 'public/logs/consent.events/0';

const optionsOf = (store: LogObjects, part: Partial<LogWriterOptions> = {}): LogWriterOptions => ({
  store,
  prefix,
  origin,
  key,
  keepsEntries: true,
  keepsOffsets: true,
  ...part,
});

const leafOf = (offset: number): Leaf => {
  const entry = Buffer.from(`record ${String(offset)}`);
  return { hash: leafHash(entry), entry, offset };
};

async function written(count: number, commitAfter: readonly number[] = []): Promise<MemoryLogStore> {
  const store = new MemoryLogStore();
  const writer = await LogWriter.open(optionsOf(store));
  for (let offset = 0; offset < count; offset += 1) {
    writer.add(leafOf(offset));
    if (commitAfter.includes(offset + 1)) await writer.commit();
  }
  await writer.commit();
  return store;
}

/** Everything in the store. */
const lasting = (store: MemoryLogStore): Record<string, string> =>
  Object.fromEntries(
    [...store.objects]
      .map(([path, bytes]) => [path, Buffer.from(bytes).toString('hex')] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

describe('a new log', () => {
  it('is empty and has no checkpoint', async () => {
    const store = new MemoryLogStore();
    const writer = await LogWriter.open(optionsOf(store));
    expect(writer.signed).toEqual({ origin, size: 0, root: EMPTY_ROOT, extensions: [], nextOffset: undefined });
    expect(await writer.commit()).toBeUndefined();
    expect(store.objects.size).toBe(0);
  });
});

describe('a log with leaves', () => {
  it('is signed only after a commit, and then for all of them', async () => {
    const store = new MemoryLogStore();
    const writer = await LogWriter.open(optionsOf(store));
    for (let offset = 0; offset < 300; offset += 1) writer.add(leafOf(offset));
    expect(store.objects.size).toBe(0);
    expect(writer.unsigned.leaves).toBe(300);
    const checkpoint = await writer.commit();
    expect(checkpoint?.size).toBe(300);
    expect(writer.unsigned).toEqual({ leaves: 0, bytes: 0 });
    expect(writer.signed.nextOffset).toBe(300);
    const note = store.objects.get(`${prefix}/checkpoint`)!;
    expect(openCheckpoint(note, origin, [key.verifier(origin)])).toEqual(checkpoint);
    expect([...store.objects.keys()].sort()).toEqual(
      [
        'checkpoint',
        'offsets/000',
        'offsets/001.p/44',
        'tile/0/000',
        'tile/0/001.p/44',
        'tile/1/000.p/1',
        'tile/entries/000',
        'tile/entries/001.p/44',
      ].map((path) => `${prefix}/${path}`),
    );
  });

  it('is the same whatever was committed together', async () => {
    const atOnce = lasting(await written(600));
    expect(lasting(await written(600, [1, 2, 255, 256, 257, 300, 511, 512, 513]))).toEqual(atOnce);
  });

  it('is the same after any number of restarts, each at any point', async () => {
    const atOnce = lasting(await written(520));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 519 }), { maxLength: 5 }), async (restarts) => {
        const store = new MemoryLogStore();
        let writer = await LogWriter.open(optionsOf(store));
        for (const end of [...restarts.sort((a, b) => a - b), 520]) {
          for (let offset = writer.nextOffset ?? 0; offset < end; offset += 1) writer.add(leafOf(offset));
          await writer.commit();
          writer = await LogWriter.open(optionsOf(store));
          expect(writer.size).toBe(end);
          expect(writer.nextOffset).toBe(end);
        }
        expect(lasting(store)).toEqual(atOnce);
      }),
      { numRuns: 15 },
    );
  });

  it('continues where it was signed when the process dies at any object it writes', async () => {
    const atOnce = lasting(await written(300));
    for (let objects = 0; objects <= 8; objects += 1) {
      const store = await written(250);
      const dying = await LogWriter.open(optionsOf(store));
      for (let offset = 250; offset < 300; offset += 1) dying.add(leafOf(offset));
      store.failAfterObjects = objects;
      const result = await dying.commit().catch((error: unknown) => error);
      const after = store.copy();
      const restarted = await LogWriter.open(optionsOf(after));
      expect(restarted.nextOffset).toBe(result instanceof Error ? 250 : 300);
      for (let offset = restarted.nextOffset!; offset < 300; offset += 1) restarted.add(leafOf(offset));
      await restarted.commit();
      expect(lasting(after)).toEqual(atOnce);
    }
  });

  it('is signed though what it no longer needs cannot be removed; that goes with a later commit', async () => {
    const store = await written(10);
    const writer = await LogWriter.open(optionsOf(store));
    writer.add(leafOf(10));
    store.before = (step) => {
      if (step === 'remove') throw new Error('slow down');
    };
    expect((await writer.commit())?.size).toBe(11);
    expect(store.objects.has(`${prefix}/tile/0/000.p/10`)).toBe(true);
    store.before = () => undefined;
    writer.add(leafOf(11));
    await writer.commit();
    expect(lasting(store)).toEqual(lasting(await written(12)));
  });

  it('keeps its leaves through a failed commit and signs them with the next', async () => {
    const store = await written(10);
    const writer = await LogWriter.open(optionsOf(store));
    writer.add(leafOf(10));
    store.failAfterObjects = 1;
    await expect(writer.commit()).rejects.toThrow('no space left');
    expect(writer.signed.size).toBe(10);
    store.failAfterObjects = Infinity;
    writer.add(leafOf(11));
    expect((await writer.commit())?.size).toBe(12);
    expect(lasting(store)).toEqual(lasting(await written(12)));
  });

  it('only ever signs trees that continue each other', async () => {
    const store = new MemoryLogStore();
    const writer = await LogWriter.open(optionsOf(store));
    let old = writer.signed;
    for (let offset = 0; offset < 530; offset += 1) {
      writer.add(leafOf(offset));
      if (offset % 37 !== 0) continue;
      await writer.commit();
      const { size, root } = writer.signed;
      const proof = await new LogFiles(store, prefix).tree(size).consistencyProof(old.size);
      expect(verifyConsistency({ oldSize: old.size, oldRoot: old.root, size, root, proof })).toBe(true);
      old = writer.signed;
    }
  });

  it('takes leaves while a commit runs; they are in the next', async () => {
    const store = new MemoryLogStore();
    const writer = await LogWriter.open(optionsOf(store));
    writer.add(leafOf(0));
    store.before = () => {
      if (writer.size === 1) writer.add(leafOf(1));
    };
    const first = writer.commit();
    const second = writer.commit();
    expect((await first)?.size).toBe(1);
    expect((await second)?.size).toBe(2);
    expect(lasting(store)).toEqual(lasting(await written(2)));
  });

  it('keeps no partial pieces but those of the signed size', async () => {
    const store = await written(700, [10, 20, 300, 310, 690]);
    expect([...store.objects.keys()].filter((path) => path.includes('.p/')).sort()).toEqual(
      ['offsets/002.p/188', 'tile/0/002.p/188', 'tile/1/000.p/2', 'tile/entries/002.p/188'].map(
        (p) => `${prefix}/${p}`,
      ),
    );
  });

  it('keeps a value beside it that its entry gives by hash', async () => {
    const store = new MemoryLogStore();
    const writer = await LogWriter.open(optionsOf(store));
    const value = Buffer.alloc(70_000, 1);
    writer.add({ ...leafOf(0), valueKeptApart: value });
    await writer.commit();
    const path = [...store.objects.keys()].find((p) => p.startsWith(`${prefix}/value/`))!;
    expect(Buffer.from(store.objects.get(path)!)).toEqual(value);
  });

  it('keeps hashes and offsets only where its entries are not kept', async () => {
    const store = new MemoryLogStore();
    const writer = await LogWriter.open(optionsOf(store, { keepsEntries: false }));
    writer.add({ hash: leafHash(Buffer.from('a')), offset: 41 });
    await writer.commit();
    expect([...store.objects.keys()].sort()).toEqual(
      ['checkpoint', 'offsets/000.p/1', 'tile/0/000.p/1'].map((path) => `${prefix}/${path}`),
    );
    expect((await LogWriter.open(optionsOf(store, { keepsEntries: false }))).nextOffset).toBe(42);
  });
});

describe('a writer that is not alone', () => {
  it('writes nothing once somebody else took the log', async () => {
    const store = await written(5);
    const writer = await LogWriter.open(optionsOf(store, { store: await store.take('log') }));
    writer.add(leafOf(5));
    const before = lasting(store);
    await store.take('log');
    await expect(writer.commit()).rejects.toMatchObject({ code: 'stale-owner' });
    expect(lasting(store)).toEqual(before);
  });

  it('removes nothing that a later owner has signed, frozen before it removes', async () => {
    // A crash left the pieces of 300 leaves, which nothing had signed.
    const store = await written(290);
    const crashing = await LogWriter.open(optionsOf(store));
    for (let offset = 290; offset < 300; offset += 1) crashing.add(leafOf(offset));
    store.failAfterObjects = 3;
    await expect(crashing.commit()).rejects.toThrow('no space left');
    store.failAfterObjects = Infinity;
    const old = await LogWriter.open(optionsOf(store, { store: await store.take('log') }));
    for (let offset = 290; offset < 295; offset += 1) old.add(leafOf(offset));
    let later: LogWriter | undefined;
    store.before = async (step) => {
      if (step !== 'remove' || later !== undefined) return;
      const other = store.beside();
      later = await LogWriter.open(optionsOf(other, { store: await other.take('log') }));
      for (let offset = 295; offset < 300; offset += 1) later.add(leafOf(offset));
      await later.commit();
    };
    await old.commit();
    expect(later?.signed.size).toBe(300);
    expect((await LogWriter.open(optionsOf(store))).size).toBe(300);
    expect(await new LogFiles(store, prefix).entry(299, 300)).toEqual(leafOf(299).entry);
  });
});

describe('a log whose leaves are not made of records, such as the log of heads', () => {
  /** Its leaves are other ones in each process: they hold the time. */
  const leavesOf = (process: string, from: number, to: number): Leaf[] =>
    Array.from({ length: to - from }, (_, i) => {
      const entry = Buffer.from(`${process} ${String(from + i)}`);
      return { hash: leafHash(entry), entry };
    });

  it.each([
    ['a full piece', 260],
    ['a wider piece', 230],
  ])(
    'can be read at every size that was signed, also after a crash left %s of leaves never signed',
    async (_, left) => {
      const store = new MemoryLogStore();
      const options = optionsOf(store, { keepsOffsets: false });
      const first = await LogWriter.open(options);
      for (const leaf of leavesOf('first', 0, 200)) first.add(leaf);
      await first.commit();
      for (const leaf of leavesOf('first', 200, left)) first.add(leaf);
      store.before = (step, path) => {
        if (step === 'write' && path.endsWith('/checkpoint')) throw new Error('killed');
      };
      await expect(first.commit()).rejects.toThrow('killed');
      store.before = () => undefined;
      const second = await LogWriter.open(options);
      const signed: { size: number; root: Uint8Array; bundle: Uint8Array }[] = [];
      const files = new LogFiles(store, prefix);
      for (let size = 200; size < 250; size += 7) {
        for (const leaf of leavesOf('second', second.size, size)) second.add(leaf);
        // A crash, or a slow remove, can come between any two of them.
        store.before = (step) => {
          if (step === 'remove' && size % 2 === 1) throw new Error('slow down');
        };
        await second.commit();
        store.before = () => undefined;
        signed.push({ size, root: second.signed.root, bundle: (await files.bundle(0, size)).at(-1)! });
        for (const old of signed) {
          expect(await files.tree(old.size).root()).toEqual(old.root);
          expect((await files.bundle(0, old.size)).at(-1)).toEqual(old.bundle);
        }
      }
    },
  );

  it('is read again when the piece that was found is replaced before it is read', async () => {
    const store = await written(200);
    const reader = new LogFiles(store, prefix);
    const before = await reader.tree(200).root();
    const writer = await LogWriter.open(optionsOf(store));
    let next = 201;
    store.before = async (step, path) => {
      // Each look at the pieces finds one that goes before it is read.
      if (step !== 'read' || !path.endsWith('tile/0/000.p/200') || next > 202) return;
      store.before = () => undefined;
      writer.add(leafOf(next - 1));
      next += 1;
      await writer.commit();
    };
    expect(await reader.tree(200).root()).toEqual(before);
    expect(store.objects.has(`${prefix}/tile/0/000.p/200`)).toBe(false);
  });
});

describe('a folder that does not hold what it should', () => {
  it('is refused when its checkpoint is signed by another key', async () => {
    const store = await written(5);
    const other = new LogKey(generateKeyPairSync('ed25519').privateKey);
    await expect(LogWriter.open(optionsOf(store, { key: other }))).rejects.toMatchObject({ code: 'log-damaged' });
  });

  it('is refused when its tiles give another root', async () => {
    const store = await written(5);
    const path = `${prefix}/tile/0/000.p/5`;
    const tile = Buffer.from(store.objects.get(path)!);
    tile[0] = tile[0]! ^ 1;
    store.objects.set(path, tile);
    await expect(LogWriter.open(optionsOf(store))).rejects.toMatchObject({ code: 'log-damaged' });
  });

  it('is refused when a tile of its right edge is missing', async () => {
    const store = await written(300);
    store.objects.delete(`${prefix}/tile/1/000.p/1`);
    await expect(LogWriter.open(optionsOf(store))).rejects.toMatchObject({ code: 'log-damaged' });
  });
});
