import { exactLog2, splitPoint } from './arithmetic.ts';
import { LogFormatError } from './errors.ts';
import { EMPTY_ROOT, nodeHash, type Hash } from './hashing.ts';
import { decodeTile, type Tile, tileAt, TILE_HEIGHT, TILE_WIDTH } from './tiles.ts';
import { rootOfHashes } from './tree-builder.ts';

/**
 * Where tiles come from. Called with a tile of the tree's own size; answers at least `tile.width` hashes (a wider tile
 * of the same place holds the same hashes first).
 */
export type TileReader = (tile: Tile) => Promise<Uint8Array>;

/**
 * A tree of `size` leaves read from its tiles: roots and proofs of it and of every smaller size.
 *
 * Reads O(log size) tiles for an answer and keeps what it read for its own life, so make one for each request.
 * Rejects with what the reader rejects with, or with LogFormatError `malformed-tile` for a tile that is too narrow.
 */
export class TileTree {
  private readonly tiles = new Map<string, Promise<Hash[]>>();
  private readonly subtrees = new Map<string, Promise<Hash>>();

  constructor(
    readonly size: number,
    private readonly read: TileReader,
  ) {}

  /** Root of the first `size` leaves. RFC 6962, section 2.1. */
  async root(size = this.size): Promise<Hash> {
    this.check(size <= this.size);
    return size === 0 ? EMPTY_ROOT : this.range(0, size);
  }

  /** Hash of leaf `index`. */
  async leaf(index: number): Promise<Hash> {
    this.check(index < this.size);
    return this.range(index, index + 1);
  }

  /** Audit path of leaf `index` in the tree of the first `size` leaves, from the leaf up. RFC 6962, section 2.1.1. */
  async inclusionProof(index: number, size = this.size): Promise<Hash[]> {
    this.check(index < size && size <= this.size);
    const path: Promise<Hash>[] = [];
    let [low, high] = [0, size];
    while (high - low > 1) {
      const middle = low + splitPoint(high - low);
      if (index < middle) {
        path.push(this.range(middle, high));
        high = middle;
      } else {
        path.push(this.range(low, middle));
        low = middle;
      }
    }
    return (await Promise.all(path)).reverse();
  }

  /**
   * Proof that the tree of the first `oldSize` leaves is a prefix of the one of the first `size`. Empty when the sizes
   * are equal or the old one is 0. RFC 6962, section 2.1.2.
   */
  async consistencyProof(oldSize: number, size = this.size): Promise<Hash[]> {
    this.check(oldSize <= size && size <= this.size);
    if (oldSize === 0 || oldSize === size) return [];
    const path: Promise<Hash>[] = [];
    let [low, high] = [0, size];
    while (oldSize < high) {
      const middle = low + splitPoint(high - low);
      if (oldSize <= middle) {
        path.push(this.range(middle, high));
        high = middle;
      } else {
        path.push(this.range(low, middle));
        low = middle;
      }
    }
    // The old tree's own root is known to whoever asks; any other old subtree has to be named.
    if (low !== 0) path.push(this.range(low, high));
    return (await Promise.all(path)).reverse();
  }

  /** MTH(D[low:high]) for a range that starts where a subtree starts. */
  private async range(low: number, high: number): Promise<Hash> {
    const count = high - low;
    const level = exactLog2(count);
    if (level !== undefined && low % count === 0) return this.knownSubtree(level, low / count);
    const middle = low + splitPoint(count);
    const [left, right] = await Promise.all([this.range(low, middle), this.range(middle, high)]);
    return nodeHash(left, right);
  }

  private knownSubtree(level: number, number: number): Promise<Hash> {
    const key = `${level}/${number}`;
    const known = this.subtrees.get(key);
    if (known !== undefined) return known;
    const computed = this.subtree(level, number);
    this.subtrees.set(key, computed);
    return computed;
  }

  /** Root of the full subtree number `number` of 2^level leaves. */
  private async subtree(level: number, number: number): Promise<Hash> {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level % TILE_HEIGHT);
    const first = number * count;
    const tile = tileAt(this.size, tileLevel, Math.floor(first / TILE_WIDTH));
    if (tile === undefined) throw new LogFormatError('range-outside-tree', 'the tree has no such subtree');
    const hashes = await this.tile(tile);
    return rootOfHashes(hashes.slice(first % TILE_WIDTH, (first % TILE_WIDTH) + count));
  }

  private tile(tile: Tile): Promise<Hash[]> {
    const key = `${tile.level}/${tile.index}`;
    const known = this.tiles.get(key);
    if (known !== undefined) return known;
    const loaded = this.read(tile).then((bytes) => {
      const hashes = decodeTile(bytes);
      if (hashes.length < tile.width) throw new LogFormatError('malformed-tile', `tile ${key} is too narrow`);
      return hashes;
    });
    this.tiles.set(key, loaded);
    return loaded;
  }

  private check(inside: boolean): void {
    if (!inside) throw new LogFormatError('range-outside-tree', `the tree has ${this.size} leaves`);
  }
}
