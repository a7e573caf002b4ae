import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { leafHash } from '@assent/merkle-log';
import { LogFiles } from './log-files.ts';
import { LogKey } from './log-key.ts';
import { LogWriter } from './log-writer.ts';
import { MemoryLogStore } from './memory-log-store.fixture.ts';

const key = new LogKey(generateKeyPairSync('ed25519').privateKey);

async function filesWith(offsets: readonly number[]): Promise<LogFiles> {
  const options = {
    store: new MemoryLogStore(),
    prefix: 'log',
    origin: 'o',
    key,
    keepsEntries: true,
    keepsOffsets: true,
  };
  const writer = await LogWriter.open(options);
  for (const offset of offsets) {
    const entry = Buffer.from(String(offset));
    writer.add({ hash: leafHash(entry), entry, offset });
  }
  await writer.commit();
  return new LogFiles(options.store, 'log');
}

describe('the files of a log', () => {
  it('find the leaf of any offset, with gaps anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 800 }),
        fc.nat(50),
        async (steps, start) => {
          const offsets = steps.reduce<number[]>((all, step) => [...all, (all.at(-1) ?? start) + step], []);
          const files = await filesWith(offsets);
          const index = new Map(offsets.map((offset, i) => [offset, i]));
          const asked = [
            0,
            offsets[0]!,
            offsets[0]! - 1,
            offsets.at(-1)!,
            offsets.at(-1)! + 1,
            ...offsets.filter((_, i) => i % 97 === 0),
          ];
          for (const offset of asked.flatMap((o) => [o, o + 1])) {
            expect(await files.indexOf(offset, offsets.length)).toBe(index.get(offset));
          }
          expect(await files.nextOffset()).toBe(offsets.at(-1)! + 1);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('give the entry of each leaf', async () => {
    const files = await filesWith(Array.from({ length: 300 }, (_, i) => i));
    for (const index of [0, 255, 256, 299]) {
      expect(Buffer.from(await files.entry(index, 300)).toString()).toBe(String(index));
    }
    await expect(files.entry(300, 300)).rejects.toMatchObject({ code: 'log-damaged' });
  });

  it('know nothing of a log without leaves', async () => {
    const files = new LogFiles(new MemoryLogStore(), 'log');
    expect(await files.head()).toBeUndefined();
    expect(await files.nextOffset()).toBe(0);
    expect(await files.indexOf(0, 0)).toBeUndefined();
  });
});
