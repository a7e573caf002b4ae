import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { ExternalSort } from './external-sort.ts';
import { SpillError, TemporaryFile } from './temporary-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-sort-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('sorting more than fits memory', () => {
  const anything = fc.array(fc.tuple(fc.constantFrom('a', 'b/c', 'ü\n', ''), fc.integer({ min: -3, max: 3 })), {
    maxLength: 200,
  });

  it.each([
    ['in memory', 1_000, 64],
    ['through runs on disk', 7, 64],
    ['through runs that are merged in several passes', 3, 2],
  ])('gives what a stable sort in memory gives, %s', (_, itemsMax, runsAtOnce) => {
    fc.assert(
      fc.property(anything, (given) => {
        const sort = new ExternalSort<number>(folder, { itemsMax, runsAtOnce });
        for (const [i, [key, order]] of given.entries()) sort.add(key, order, i);
        const expected = given
          .map(([key, order], item) => ({ key, order, item }))
          .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.order - b.order));
        expect([...sort.sorted()]).toEqual(expected);
        expect([...sort.sorted()]).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves no file behind, not even while it sorts', () => {
    const sort = new ExternalSort<string>(folder, { itemsMax: 10, runsAtOnce: 3 });
    for (let n = 0; n < 1_000; n += 1) sort.add(String(n % 37), n, 'x'.repeat(300));
    let seen = 0;
    for (const { item } of sort.sorted()) {
      if (seen % 100_000 === 0) expect(readdirSync(folder)).toEqual([]);
      seen += item.length;
    }
    expect(seen).toBe(300_000);
  });

  it('reads lines back that are longer than what it reads at once', () => {
    const sort = new ExternalSort<string>(folder, { itemsMax: 2, runsAtOnce: 2 });
    const long = ['b', 'a', 'c'].map((letter) => letter.repeat(200_000));
    for (const item of long) sort.add(item[0]!, 0, item);
    expect([...sort.sorted()].map(({ item }) => item)).toEqual([...long].sort());
  });
});

describe('a temporary file that cannot be made', () => {
  it('is said, with the folder', () => {
    expect(() => {
      new TemporaryFile('/dev/null/folder').append(Buffer.of(1));
    }).toThrow(SpillError);
  });
});
