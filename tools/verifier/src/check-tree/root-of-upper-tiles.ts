import { rootOf } from '../merkle/growing-tree.ts';
import { type Hash, nodeHash } from '../merkle/hashes.ts';
import { hashesOfLevel, PIECE_WIDTH, widthOf } from '../merkle/pieces.ts';
import type { TreeClaim } from './walk-leaves.ts';

/**
 * Root of the tree as the partial tiles of its right edge give it, one of each level; every full tile stands in the tile
 * above it. Undefined when one is missing.
 */
export async function rootOfUpperTiles({ pieces, size }: TreeClaim): Promise<Hash | undefined> {
  let root: Hash | undefined;
  for (let level = 0; hashesOfLevel(size, level) > 0; level += 1) {
    const index = Math.floor(hashesOfLevel(size, level) / PIECE_WIDTH);
    const width = widthOf(size, level, index);
    if (width === 0) continue;
    const hashes = await pieces.items({ kind: 'tile', level, index, width });
    if (typeof hashes === 'string') return undefined;
    root = foldedWith(hashes, root);
  }
  return root;
}

/** Root of the hashes followed by a smaller tree: RFC 6962 puts that under the last place on the right. */
function foldedWith(hashes: readonly Hash[], right: Hash | undefined): Hash {
  if (right === undefined) return rootOf(hashes);
  let root = right;
  let end = hashes.length;
  // From the right: the smallest perfect subtree first.
  for (let width = 1; end > 0; width *= 2) {
    if (Math.floor(end / width) % 2 === 0) continue;
    root = nodeHash(rootOf(hashes.slice(end - width, end)), root);
    end -= width;
  }
  return root;
}
