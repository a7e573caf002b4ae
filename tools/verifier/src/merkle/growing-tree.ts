import { EMPTY_ROOT, type Hash, hexOf, nodeHash } from './hashes.ts';

/** Levels of the tree that a tile spans: C2SP tlog-tiles. */
export const TILE_HEIGHT = 8;

/** What a tree needs to go on later; hashes in hex. */
export interface SavedTree {
  readonly size: number;
  readonly peaks: readonly string[];
}

/**
 * An RFC 6962 tree that grows leaf by leaf and remembers the roots of its perfect subtrees only, largest first: one for
 * each one in the binary form of its size, so at most 53 hashes. One hash is computed for each leaf, on average.
 */
export class GrowingTree {
  private constructor(
    private count: number,
    private readonly peaks: Hash[],
    /** Told of the root of each perfect subtree of 256^level leaves, level 1 and up: a hash of a tile of that level. */
    private readonly onTileHash: (level: number, hash: Hash) => void,
  ) {}

  static empty(onTileHash: (level: number, hash: Hash) => void = () => undefined): GrowingTree {
    return new GrowingTree(0, [], onTileHash);
  }

  static restore({ size, peaks }: SavedTree, onTileHash: (level: number, hash: Hash) => void): GrowingTree {
    return new GrowingTree(
      size,
      peaks.map((hex) => Buffer.from(hex, 'hex')),
      onTileHash,
    );
  }

  get size(): number {
    return this.count;
  }

  append(leaf: Hash): void {
    let hash = leaf;
    let height = 0;
    for (let rest = this.count; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = nodeHash(this.peaks.pop() ?? hash, hash);
      height += 1;
      if (height % TILE_HEIGHT === 0) this.onTileHash(height / TILE_HEIGHT, hash);
    }
    this.peaks.push(hash);
    this.count += 1;
  }

  /** Root of the tree as it is now. */
  root(): Hash {
    let root: Hash | undefined;
    for (const peak of this.peaks.toReversed()) root = root === undefined ? peak : nodeHash(peak, root);
    return root ?? EMPTY_ROOT;
  }

  save(): SavedTree {
    return { size: this.count, peaks: this.peaks.map(hexOf) };
  }
}

/** Root of a tree of these leaves. */
export function rootOf(leaves: Iterable<Hash>): Hash {
  const tree = GrowingTree.empty();
  for (const leaf of leaves) tree.append(leaf);
  return tree.root();
}
