import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FactsFile } from './facts-file.ts';
import { StateFolder } from './state-folder.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-remember-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function factsIn(file: FactsFile): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const fact of file.facts()) found.push(fact);
  return found;
}

describe('a folder for what is remembered that takes nothing', () => {
  const seen = { version: 1, origin: 'log.example', at: '', fingerprints: [], logs: {} };
  it.each<[string, (state: StateFolder) => Promise<unknown>]>([
    ['what was seen', (state) => state.saveLastSeen(seen)],
    ['what was seen before', (state) => state.lastSeen(seen.origin)],
    ['progress', (state) => state.saveProgress('target', {}, undefined)],
    ['progress before', (state) => state.progress('target')],
    [
      'facts',
      (state) => {
        const file = state.factsOf('target', 3);
        file.add({ kind: 'grant' });
        return file.write();
      },
    ],
    ['facts before', (state) => state.factsOf('target', 3).goBackTo({ partition: 3, length: 5, sha256: '' })],
  ])('is said to people for %s', async (_, use) => {
    const path = join(folder, 'a-file');
    writeFileSync(path, '');
    await expect(use(new StateFolder(path))).rejects.toMatchObject({
      name: 'StateError',
      message: expect.stringMatching(/cannot be kept in .*a-file \((ENOTDIR|EEXIST)\)$/) as string,
    });
  });
});

describe('facts that are written down', () => {
  it('are those of the mark, in order, whatever was written after it', async () => {
    const path = join(folder, 'facts');
    const file = new FactsFile(path, 3);
    const many = Array.from({ length: 3_000 }, (_, n) => ({ n, text: 'ü\n'.repeat(20) }));
    for (const fact of many) file.add(fact);
    await file.write();
    const { mark } = file;
    file.add({ late: true });
    await file.write();
    const again = new FactsFile(path, 3);
    expect(await again.goBackTo(mark)).toBe(true);
    expect(await factsIn(again)).toEqual(many);
    again.add({ other: true });
    await again.write();
    expect(await factsIn(again)).toEqual([...many, { other: true }]);
    const last = new FactsFile(path, 3);
    expect([await last.goBackTo(again.mark), last.mark]).toEqual([true, again.mark]);
  });

  it('are removed once the progress is about another partition', async () => {
    const state = new StateFolder(folder);
    for (const partition of [3, 4]) {
      const file = state.factsOf('target', partition);
      file.add({ partition });
      await file.write();
    }
    await state.saveProgress('target', {}, 4);
    expect(readdirSync(folder).filter((name) => name.endsWith('.facts'))).toEqual([
      expect.stringMatching(/\.4\.facts$/),
    ]);
    await state.forgetProgress('target');
    expect(readdirSync(folder)).toEqual([]);
  });
});
