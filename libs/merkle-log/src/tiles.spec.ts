import fc from 'fast-check';
import type { LogFormatCode } from './errors.ts';
import { decodeBundle, encodeBundle } from './entry-bundle.ts';
import { ENTRY_BYTES_MAX } from './leaf-encoding.ts';
import {
  bundlePath,
  decodeTile,
  encodeTile,
  hashesAtLevel,
  indexedPath,
  parseIndexedPath,
  parseTilePath,
  tileAt,
  tilePath,
  tilesOf,
  TILE_WIDTH,
} from './tiles.ts';

const failure = (code: LogFormatCode): Error => expect.objectContaining({ code }) as Error;

const aTile = fc.record({
  level: fc.integer({ min: 0, max: 63 }),
  index: fc.oneof(fc.nat(2000), fc.maxSafeNat()),
  width: fc.integer({ min: 1, max: TILE_WIDTH }),
});
const aSize = fc.oneof(fc.nat(100_000), fc.maxSafeNat());

describe('the path of a tile', () => {
  it('has the form the specification shows', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 1, index: 0, width: 17 })).toBe('tile/1/000.p/17');
    expect(tilePath({ level: 2, index: 1000, width: 256 })).toBe('tile/2/x001/000');
    expect(bundlePath(999, 256)).toBe('tile/entries/999');
    expect(bundlePath(273, 112)).toBe('tile/entries/273.p/112');
  });

  it('names exactly one tile', () => {
    fc.assert(
      fc.property(aTile, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual({ kind: 'tile', ...tile });
        expect(parseTilePath(bundlePath(tile.index, tile.width))).toEqual({
          kind: 'bundle',
          index: tile.index,
          width: tile.width,
        });
        expect(parseIndexedPath(indexedPath(tile.index, tile.width))).toEqual({ index: tile.index, width: tile.width });
      }),
    );
  });

  it.each([
    'tile/0/00',
    'tile/0/0000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001/x002',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/05',
    'tile/0/000.p/257',
    'tile/0/000.p/',
    'tile/0/../000',
    'tile/0/x../000',
    'tile/entries/000/',
    'tile//000',
    '/tile/0/000',
    'tile/0/000\n',
    'tile/0/x999/x999/x999/x999/x999/999',
    'checkpoint',
    '',
  ])('is refused when it is written as %j', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });

  it('never parses to something with another path', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^tile\/[0-9e]{1,2}\/[x0-9./p]{3,14}$/), (path) => {
        const parsed = parseTilePath(path);
        if (parsed?.kind === 'tile') expect(tilePath(parsed)).toBe(path);
      }),
    );
  });
});

describe('the tiles of a tree', () => {
  it('are those of the specification for 70,000 leaves and for 256', () => {
    expect([...tilesOf(70_000)].filter((t) => t.level === 0)).toHaveLength(274);
    expect([...tilesOf(70_000)].at(273)).toEqual({ level: 0, index: 273, width: 112 });
    expect([...tilesOf(70_000)].slice(274)).toEqual([
      { level: 1, index: 0, width: 256 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect([...tilesOf(256)]).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect([...tilesOf(0)]).toEqual([]);
  });

  it('hold each leaf once at level 0, and at level L one hash for each 256^L leaves', () => {
    fc.assert(
      fc.property(fc.nat(300_000), (size) => {
        const tiles = [...tilesOf(size)];
        for (const level of new Set(tiles.map((t) => t.level))) {
          const held = tiles.filter((t) => t.level === level).reduce((sum, t) => sum + t.width, 0);
          expect(held).toBe(Math.floor(size / 256 ** level));
          expect(tiles.filter((t) => t.level === level && t.width < TILE_WIDTH).length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('only grow: a tile of a smaller tree is the beginning of the tile of a larger one', () => {
    fc.assert(
      fc.property(aSize, aSize, fc.nat(3), (a, b, level) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        const index = Math.floor(hashesAtLevel(small, level) / TILE_WIDTH);
        const before = tileAt(small, level, index)?.width ?? 0;
        const after = tileAt(large, level, index)?.width ?? 0;
        expect(before).toBe(hashesAtLevel(small, level) % TILE_WIDTH);
        expect(after).toBeGreaterThanOrEqual(before);
        expect(after).toBeLessThanOrEqual(TILE_WIDTH);
      }),
    );
  });

  it('keep their hashes through encoding', () => {
    const hashes = Array.from({ length: 3 }, (_, i) => Buffer.alloc(32, i));
    expect(decodeTile(encodeTile(hashes))).toEqual(hashes);
  });

  it.each([0, 31, 33, 257 * 32])('are refused when they are %d bytes long', (length) => {
    expect(() => decodeTile(Buffer.alloc(length))).toThrow(failure('malformed-tile'));
  });
});

describe('an entry bundle', () => {
  it('writes each entry after its length in two bytes', () => {
    const bundle = encodeBundle([Buffer.from('ab'), Buffer.alloc(0), Buffer.from('c')]);
    expect(Buffer.from(bundle).toString('hex')).toBe('0002616200000001' + '63');
  });

  it('gives back the entries it was made of', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 256 }), (entries) => {
        expect(decodeBundle(encodeBundle(entries)).map((e) => Uint8Array.from(e))).toEqual(entries);
      }),
      { numRuns: 30 },
    );
    const largest = Buffer.alloc(ENTRY_BYTES_MAX, 7);
    expect(decodeBundle(encodeBundle([largest]))[0]).toEqual(largest);
  });

  it('takes no entry over 65,535 bytes', () => {
    expect(() => encodeBundle([Buffer.alloc(ENTRY_BYTES_MAX + 1)])).toThrow(failure('entry-too-large'));
  });

  it.each(['00', '0001', '000261', '00016100'])('is refused when it is cut off: %s', (hex) => {
    expect(() => decodeBundle(Buffer.from(hex, 'hex'))).toThrow(failure('malformed-bundle'));
  });

  it('is refused with more than 256 entries', () => {
    expect(() => decodeBundle(Buffer.alloc(2 * 257))).toThrow(failure('malformed-bundle'));
  });
});
