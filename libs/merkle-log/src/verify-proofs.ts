import { splitPoint } from './arithmetic.ts';
import { nodeHash, sameHash, type Hash } from './hashing.ts';

/**
 * Checks an inclusion proof: is the leaf with this hash number `index` of the tree of `size` leaves with this root?
 * RFC 6962, section 2.1.1. Answers false for any proof that is too long, too short or does not lead to the root.
 */
export function verifyInclusion(o: {
  leaf: Hash;
  index: number;
  size: number;
  root: Hash;
  proof: readonly Hash[];
}): boolean {
  if (!Number.isSafeInteger(o.index) || !Number.isSafeInteger(o.size) || o.index < 0 || o.index >= o.size) return false;
  const turns = turnsTo(o.index, o.size);
  if (turns.length !== o.proof.length) return false;
  let hash = o.leaf;
  for (const [i, sibling] of o.proof.entries()) {
    hash = turns[turns.length - 1 - i] === 'left' ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
  }
  return sameHash(hash, o.root);
}

/** The way from the root to a leaf. */
function turnsTo(index: number, size: number): ('left' | 'right')[] {
  const turns: ('left' | 'right')[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + splitPoint(high - low);
    if (index < middle) {
      turns.push('left');
      high = middle;
    } else {
      turns.push('right');
      low = middle;
    }
  }
  return turns;
}

/**
 * Checks a consistency proof: are the first `oldSize` leaves of the tree (size, root) those of the tree (oldSize,
 * oldRoot)? RFC 6962, section 2.1.2. Every tree continues the empty one; equal sizes need equal roots.
 */
export function verifyConsistency(o: {
  oldSize: number;
  oldRoot: Hash;
  size: number;
  root: Hash;
  proof: readonly Hash[];
}): boolean {
  if (!Number.isSafeInteger(o.oldSize) || !Number.isSafeInteger(o.size) || o.oldSize < 0 || o.oldSize > o.size) {
    return false;
  }
  if (o.oldSize === o.size) return o.proof.length === 0 && sameHash(o.oldRoot, o.root);
  if (o.oldSize === 0) return o.proof.length === 0;
  const turns = turnsToEdge(o.oldSize, o.size);
  const [first, ...rest] = turns.onTheLeftEdge ? [o.oldRoot, ...o.proof] : o.proof;
  if (first === undefined || rest.length !== turns.path.length) return false;
  let [oldHash, hash] = [first, first];
  for (const [i, sibling] of rest.entries()) {
    if (turns.path[turns.path.length - 1 - i] === 'left') {
      hash = nodeHash(hash, sibling);
    } else {
      oldHash = nodeHash(sibling, oldHash);
      hash = nodeHash(sibling, hash);
    }
  }
  return sameHash(oldHash, o.oldRoot) && sameHash(hash, o.root);
}

/** The way from the root to the largest subtree that ends where the old tree ended. */
function turnsToEdge(oldSize: number, size: number): { path: ('left' | 'right')[]; onTheLeftEdge: boolean } {
  const path: ('left' | 'right')[] = [];
  let [low, high] = [0, size];
  while (oldSize < high) {
    const middle = low + splitPoint(high - low);
    if (oldSize <= middle) {
      path.push('left');
      high = middle;
    } else {
      path.push('right');
      low = middle;
    }
  }
  return { path, onTheLeftEdge: low === 0 };
}
