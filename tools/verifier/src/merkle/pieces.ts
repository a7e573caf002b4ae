import { HASH_BYTES } from './hashes.ts';

/** Items of a full tile, entry bundle or piece of the offset index. */
export const PIECE_WIDTH = 256;
const TILE_LEVEL_MAX = 63;
const OFFSET_BYTES = 8;
const ENTRY_BYTES_MAX = 0xffff;

/** What a log is cut into. Hash tiles have a level; the others go with level 0. */
export interface Piece {
  readonly kind: 'tile' | 'entries' | 'offsets';
  readonly level: number;
  readonly index: number;
  /** 1 to 256. */
  readonly width: number;
}

/** Largest file that can be a piece of its kind. */
export const PIECE_BYTES_MAX: Readonly<Record<Piece['kind'], number>> = {
  tile: PIECE_WIDTH * HASH_BYTES,
  entries: PIECE_WIDTH * (2 + ENTRY_BYTES_MAX),
  offsets: PIECE_WIDTH * OFFSET_BYTES,
};

/** Hashes of one tile level that a tree of `size` leaves has. */
export function hashesOfLevel(size: number, level: number): number {
  return Math.floor(size / PIECE_WIDTH ** level);
}

/** How wide the piece at (level, index) of a tree of `size` leaves is; 0 when there is none. */
export function widthOf(size: number, level: number, index: number): number {
  return Math.max(0, Math.min(PIECE_WIDTH, hashesOfLevel(size, level) - index * PIECE_WIDTH));
}

/** Path of a piece below its log: C2SP tlog-tiles, and docs/formats/audit-folder.md for the offset index. */
export function pathOf({ kind, level, index, width }: Piece): string {
  const folder = { tile: `tile/${level}`, entries: 'tile/entries', offsets: 'offsets' }[kind];
  const groups =
    String(index)
      .padStart(Math.ceil(String(index).length / 3) * 3, '0')
      .match(/\d{3}/g) ?? [];
  const number = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `${folder}/${number}${width === PIECE_WIDTH ? '' : `.p/${width}`}`;
}

/** The piece that a path names; undefined for every path that `pathOf` does not write. */
export function pieceAt(path: string): Piece | undefined {
  const match = /^(?:tile\/(\d{1,2}|entries)|(offsets))\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const [, folder, offsets, number = '', partial] = match;
  const kind = offsets !== undefined ? 'offsets' : folder === 'entries' ? 'entries' : 'tile';
  const piece: Piece = {
    kind,
    level: kind === 'tile' ? Number(folder) : 0,
    index: Number(number.replaceAll(/\D/g, '')),
    width: partial === undefined ? PIECE_WIDTH : Number(partial),
  };
  const sensible = piece.level <= TILE_LEVEL_MAX && Number.isSafeInteger(piece.index) && piece.width >= 1;
  return sensible && piece.width <= PIECE_WIDTH && pathOf(piece) === path ? piece : undefined;
}

/** The items of a piece's bytes: hashes, entries, or offsets of 8 bytes. Undefined when the bytes are no such piece. */
export function itemsOf(kind: Piece['kind'], bytes: Uint8Array): Uint8Array[] | undefined {
  if (bytes.length > PIECE_BYTES_MAX[kind]) return undefined;
  if (kind === 'entries') return entriesOf(bytes);
  const length = kind === 'tile' ? HASH_BYTES : OFFSET_BYTES;
  if (bytes.length % length !== 0) return undefined;
  return Array.from({ length: bytes.length / length }, (_, i) => bytes.subarray(i * length, (i + 1) * length));
}

function entriesOf(bytes: Uint8Array): Uint8Array[] | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < view.length;) {
    if (at + 2 > view.length || entries.length === PIECE_WIDTH) return undefined;
    const end = at + 2 + view.readUInt16BE(at);
    if (end > view.length) return undefined;
    entries.push(view.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

/** The number in an item of the offset index; undefined at 2^53 and beyond. */
export function offsetOf(item: Uint8Array): number | undefined {
  const bytes = Buffer.isBuffer(item) ? item : Buffer.from(item.buffer, item.byteOffset, item.length);
  const offset = bytes.readUInt32BE(0) * 2 ** 32 + bytes.readUInt32BE(4);
  return Number.isSafeInteger(offset) ? offset : undefined;
}
