import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkTiles } from './audit-tiles.ts';
import { writeLog } from './written-log.fixture.ts';

const entries = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`));

describe('the checker of tiles', () => {
  let folder = '';
  const at = (path: string): string => join(folder, path);
  const flip = (path: string): void => {
    const bytes = readFileSync(at(path));
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(at(path), bytes);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'soak-tiles-'));
    writeLog(folder, 'heads', entries(700));
    writeLog(folder, 'logs/consent.events/3', entries(5));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('has nothing against logs whose tiles give their checkpoints', () => {
    expect(checkTiles(folder)).toEqual({ violations: [], counts: { treesFromTiles: 2 } });
  });

  it('has nothing against pieces that no checkpoint covers yet', () => {
    writeFileSync(at('heads/tile/0/002.p/200'), Buffer.alloc(200 * 32));
    expect(checkTiles(folder).violations).toEqual([]);
  });

  it('needs no entries of a topic of which hashes only are kept', () => {
    writeLog(folder, 'logs/dispatch.requests/0', entries(5));
    rmSync(at('logs/dispatch.requests/0/tile/entries'), { recursive: true });
    expect(checkTiles(folder).violations).toEqual([]);
  });

  it.each(['heads/tile/0/001', 'heads/tile/0/002.p/188', 'heads/tile/1/000.p/2', 'heads/tile/entries/001'])(
    'finds that %s is not there, or is another',
    (path) => {
      flip(path);
      expect(checkTiles(folder).violations).toHaveLength(1);
      rmSync(at(path));
      expect(checkTiles(folder).violations).toHaveLength(1);
      expect(checkTiles(folder).counts).toEqual({ treesFromTiles: 1 });
    },
  );

  it('finds a checkpoint that is larger than its tiles', () => {
    const note = readFileSync(at('logs/consent.events/3/checkpoint'), 'utf8');
    writeFileSync(at('logs/consent.events/3/checkpoint'), note.replace('\n5\n', '\n6\n'));
    expect(checkTiles(folder).violations).toHaveLength(1);
  });
});
