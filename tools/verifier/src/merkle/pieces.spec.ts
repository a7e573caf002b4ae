import fc from 'fast-check';
import { hashesOfLevel, itemsOf, offsetOf, pathOf, type Piece, pieceAt, PIECE_WIDTH, widthOf } from './pieces.ts';

describe('the path of a piece', () => {
  it.each<[string, Piece]>([
    ['tile/0/000', { kind: 'tile', level: 0, index: 0, width: 256 }],
    ['tile/2/x001/x234/067', { kind: 'tile', level: 2, index: 1_234_067, width: 256 }],
    ['tile/entries/x001/000.p/7', { kind: 'entries', level: 0, index: 1_000, width: 7 }],
    ['offsets/999.p/255', { kind: 'offsets', level: 0, index: 999, width: 255 }],
  ])('is %s as the specification writes it', (path, piece) => {
    expect(pathOf(piece)).toBe(path);
    expect(pieceAt(path)).toEqual(piece);
  });

  it.each([
    'tile/0/00',
    'tile/00/000',
    'tile/64/000',
    'tile/0/x000/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000/',
    'tile/0/../000',
    'tile/entries/000.p/257',
    'tile/offsets/000',
    'checkpoint',
    'tile/0/x999/x999/x999/x999/x999/999',
  ])('is not %s', (path) => {
    expect(pieceAt(path)).toBeUndefined();
  });

  it('is read back as it was written', () => {
    const piece = fc.record({
      kind: fc.constantFrom<Piece['kind']>('tile', 'entries', 'offsets'),
      level: fc.integer({ min: 0, max: 63 }),
      index: fc.integer({ min: 0, max: 2 ** 45 }),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(piece, (any) => {
        const written = any.kind === 'tile' ? any : { ...any, level: 0 };
        expect(pieceAt(pathOf(written))).toEqual(written);
      }),
    );
  });
});

describe('the pieces of a tree', () => {
  it('hold every hash of every level once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.integer({ min: 0, max: 4 }), (size, level) => {
        const total = hashesOfLevel(size, level);
        const last = Math.floor(total / PIECE_WIDTH);
        expect(last * PIECE_WIDTH + widthOf(size, level, last)).toBe(total);
        if (last > 0) expect(widthOf(size, level, last - 1)).toBe(PIECE_WIDTH);
        expect(widthOf(size, level, last + 1)).toBe(0);
        expect(hashesOfLevel(size, level + 1)).toBe(last);
      }),
    );
  });
});

describe('the items of a piece', () => {
  it('are hashes, offsets, or entries with their lengths', () => {
    expect(itemsOf('tile', Buffer.alloc(64, 1))?.map(({ length }) => length)).toEqual([32, 32]);
    const offsets = itemsOf('offsets', Buffer.from('00000000000000070020000000000000', 'hex'));
    expect(offsets?.map(offsetOf)).toEqual([7, undefined]);
    expect(itemsOf('entries', Buffer.from('000000020a0b', 'hex'))).toEqual([Buffer.of(), Buffer.of(0x0a, 0x0b)]);
  });

  it.each([
    ['tile', Buffer.alloc(33)],
    ['tile', Buffer.alloc(257 * 32)],
    ['offsets', Buffer.alloc(7)],
    ['entries', Buffer.of(0)],
    ['entries', Buffer.of(0, 2, 1)],
    ['entries', Buffer.alloc(257 * 2)],
  ] as const)('are none in %s bytes that are too many or too few', (kind, bytes) => {
    expect(itemsOf(kind, bytes)).toBeUndefined();
  });
});
