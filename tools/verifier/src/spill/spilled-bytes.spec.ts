import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { SpilledBytes } from './spilled-bytes.ts';
import { TemporaryFile } from './temporary-file.ts';

describe('bytes that are kept on disk', () => {
  it('are read back as they were written, though several sequences share the file', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 9_000 }), (one, other) => {
        const file = new TemporaryFile(tmpdir());
        const [a, b] = [new SpilledBytes(file), new SpilledBytes(file)];
        for (let n = 0; n < Math.max(one, other); n += 1) {
          if (n < one) a.push((n * 7) % 256);
          if (n < other) b.push((n * 11) % 256);
        }
        const [readA, readB] = [a.reader(), b.reader()];
        const wrong = Array.from({ length: Math.max(one, other) + 1 }, (_, n) => n).filter(
          (n) =>
            readA(n) !== (n < one ? (n * 7) % 256 : undefined) || readB(n) !== (n < other ? (n * 11) % 256 : undefined),
        );
        file.close();
        expect(wrong).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});
