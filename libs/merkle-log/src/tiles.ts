import { LogFormatError } from './errors.ts';
import { HASH_BYTES, type Hash } from './hashing.ts';

/** Tree levels a tile spans; the C2SP tlog-tiles specification fixes it. */
export const TILE_HEIGHT = 8;
/** Hashes of a full tile, and entries of a full bundle. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;
/** Highest tile level the specification allows in a path. */
const TILE_LEVEL_MAX = 63;
/** Digits of one path element of a tile's index. */
const INDEX_GROUP = 1000;

/**
 * A tile of C2SP tlog-tiles: `width` consecutive hashes of tree level `8 × level`, from number `256 × index` on.
 * Hash i of it is MTH(D[(256 × index + i) × 256^level : (256 × index + i + 1) × 256^level]).
 */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number;
}

/** How many hashes of tile level `level` a tree of `size` leaves has: one for each full subtree of 256^level leaves. */
export function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** The tile at (level, index) as wide as a tree of `size` leaves makes it; undefined when the tree has none there. */
export function tileAt(size: number, level: number, index: number): Tile | undefined {
  const width = Math.min(TILE_WIDTH, hashesAtLevel(size, level) - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : undefined;
}

/** Every tile of a tree of `size` leaves, level by level from the leaves up, left to right. */
export function* tilesOf(size: number): Generator<Tile> {
  for (let level = 0; hashesAtLevel(size, level) > 0; level += 1) {
    for (let index = 0; ; index += 1) {
      const tile = tileAt(size, level, index);
      if (tile === undefined) break;
      yield tile;
    }
  }
}

/** Path below the log's prefix: `tile/<L>/<N>[.p/<W>]`. */
export function tilePath(tile: Tile): string {
  return `tile/${tile.level}/${indexedPath(tile.index, tile.width)}`;
}

/** Path of the entry bundle below the log's prefix: `tile/entries/<N>[.p/<W>]`. */
export function bundlePath(index: number, width: number): string {
  return `tile/entries/${indexedPath(index, width)}`;
}

/** `<N>[.p/<W>]`: three digits an element, all but the last with an `x`; 1234067 is `x001/x234/067`. */
export function indexedPath(index: number, width: number): string {
  let path = (index % INDEX_GROUP).toString().padStart(3, '0');
  for (let rest = Math.floor(index / INDEX_GROUP); rest > 0; rest = Math.floor(rest / INDEX_GROUP)) {
    path = `x${(rest % INDEX_GROUP).toString().padStart(3, '0')}/${path}`;
  }
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** Reads `<N>[.p/<W>]`; undefined for anything `indexedPath` would not write. */
export function parseIndexedPath(path: string): { index: number; width: number } | undefined {
  const match = /^((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (match?.[1] === undefined) return undefined;
  const index = Number(match[1].replaceAll(/[x/]/g, ''));
  const width = match[2] === undefined ? TILE_WIDTH : Number(match[2]);
  if (!Number.isSafeInteger(index) || width > TILE_WIDTH) return undefined;
  return indexedPath(index, width) === path ? { index, width } : undefined;
}

/** What a path below `tile/` names: a hash tile or an entry bundle. */
export type TileResource =
  ({ readonly kind: 'tile' } & Tile) | { readonly kind: 'bundle'; index: number; width: number };

/** Reads a path as `tilePath` and `bundlePath` write them; undefined for anything else, so no path can escape a log. */
export function parseTilePath(path: string): TileResource | undefined {
  const match = /^tile\/(entries|0|[1-9]\d?)\/(.+)$/.exec(path);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const position = parseIndexedPath(match[2]);
  if (position === undefined) return undefined;
  if (match[1] === 'entries') return { kind: 'bundle', ...position };
  const level = Number(match[1]);
  return level > TILE_LEVEL_MAX ? undefined : { kind: 'tile', level, ...position };
}

/** The bytes of a tile: its hashes one after the other. */
export function encodeTile(hashes: readonly Hash[]): Uint8Array {
  return Buffer.concat(hashes);
}

/**
 * The hashes of a tile's bytes.
 * @throws LogFormatError `malformed-tile` when the bytes are not 1 to 256 hashes
 */
export function decodeTile(bytes: Uint8Array): Hash[] {
  const width = bytes.length / HASH_BYTES;
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw new LogFormatError('malformed-tile', `${bytes.length} bytes are not 1 to ${TILE_WIDTH} hashes`);
  }
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}
