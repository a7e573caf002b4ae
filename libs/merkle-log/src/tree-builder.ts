import { LogFormatError } from './errors.ts';
import { EMPTY_ROOT, nodeHash, type Hash } from './hashing.ts';
import { encodeTile, hashesAtLevel, type Tile, TILE_WIDTH } from './tiles.ts';

/** A tile and its bytes. */
export interface TileBytes {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

/**
 * Root of consecutive hashes of one level as RFC 6962 combines them.
 * Takes 1 to 256 hashes; 256 of them give the hash that stands for this tile one level up.
 */
export function rootOfHashes(hashes: readonly Hash[]): Hash {
  let level = [...hashes];
  while (level.length > 1) {
    const above: Hash[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(nodeHash(at(level, i), at(level, i + 1)));
    if (level.length % 2 === 1) above.push(at(level, level.length - 1));
    level = above;
  }
  return at(level, 0);
}

function at(hashes: readonly Hash[], i: number): Hash {
  const hash = hashes[i];
  if (hash === undefined) throw new LogFormatError('range-outside-tree', `there is no hash ${i}`);
  return hash;
}

/**
 * A growing RFC 6962 tree that remembers only its right edge: for each tile level the hashes of the tile that is not
 * full yet (at most 255). Appending costs one leaf's push and, spread over 256 leaves, 255 inner hashes.
 */
export class TreeBuilder {
  private readonly edges: Hash[][] = [];
  private fullTiles: TileBytes[] = [];
  private count = 0;
  private countAtLastTake = 0;

  /**
   * Continues a tree of `size` leaves from its partial tiles. `edge(level)` gives the hashes of the partial tile of
   * that level; it is asked only where the size says there is one.
   * @throws LogFormatError `malformed-tile` when an edge is not as wide as the size says
   */
  static resume(size: number, edge: (level: number) => readonly Hash[]): TreeBuilder {
    const builder = new TreeBuilder();
    for (let level = 0; hashesAtLevel(size, level) > 0; level += 1) {
      const width = hashesAtLevel(size, level) % TILE_WIDTH;
      const hashes = width === 0 ? [] : edge(level).slice(0, width);
      if (hashes.length !== width) {
        throw new LogFormatError('malformed-tile', `the partial tile of level ${level} is not ${width} hashes wide`);
      }
      builder.edges.push([...hashes]);
    }
    builder.count = size;
    builder.countAtLastTake = size;
    return builder;
  }

  /** Leaves so far. */
  get size(): number {
    return this.count;
  }

  append(leaf: Hash): void {
    this.count += 1;
    this.push(0, leaf);
  }

  private push(level: number, hash: Hash): void {
    const edge = (this.edges[level] ??= []);
    edge.push(hash);
    if (edge.length < TILE_WIDTH) return;
    const index = hashesAtLevel(this.count, level) / TILE_WIDTH - 1;
    this.fullTiles.push({ tile: { level, index, width: TILE_WIDTH }, bytes: encodeTile(edge) });
    this.edges[level] = [];
    this.push(level + 1, rootOfHashes(edge));
  }

  /** Root of the tree as it is now: at most 255 hashes for each of its tile levels. */
  root(): Hash {
    let right: Hash | undefined;
    for (const edge of this.edges) {
      if (edge.length === 0) continue;
      right = rootOfHashes(right === undefined ? edge : [...edge, right]);
    }
    return right ?? EMPTY_ROOT;
  }

  /**
   * The tiles that changed since the last call (or since `resume`): every tile that became full, then the partial
   * tiles of the right edge. Together with the tiles taken before they are all tiles of a tree of `size` leaves.
   */
  takeChangedTiles(): TileBytes[] {
    const before = this.countAtLastTake;
    const partial = this.edges.flatMap((edge, level) => {
      const total = hashesAtLevel(this.count, level);
      if (edge.length === 0 || total === hashesAtLevel(before, level)) return [];
      const tile = { level, index: Math.floor(total / TILE_WIDTH), width: edge.length };
      return [{ tile, bytes: encodeTile(edge) }];
    });
    const changed = [...this.fullTiles, ...partial];
    this.fullTiles = [];
    this.countAtLastTake = this.count;
    return changed;
  }
}
