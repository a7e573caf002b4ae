import type { BoundHeads, SavedCursor } from '../check-heads/bound-heads.ts';
import { GrowingTree, type SavedTree } from '../merkle/growing-tree.ts';
import { type Hash, HASH_BYTES, leafHash, sameBytes } from '../merkle/hashes.ts';
import { pathOf, type Piece, PIECE_WIDTH, widthOf } from '../merkle/pieces.ts';
import type { LogPieces } from './log-pieces.ts';
import { type SavedUpperTiles, UpperTiles, type UpperTilesFound } from './upper-tiles.ts';

/** Pieces that are asked for before they are needed, so that reading and hashing overlap. At most 16 MB each. */
const READ_AHEAD = 4;
/** Faults of one kind that a walk remembers; more than that are never listed. */
export const REMEMBERED_MAX = 2_000;

/** A root that somebody signed, or saw signed, for a size of the log. */
export interface SignedRoot {
  readonly root: Hash;
  /** Where it was seen, for people. */
  readonly seen: string;
}

/** The tree of one log as it is claimed to be. */
export interface TreeClaim {
  /** `consent.events/3`, for people. */
  readonly name: string;
  readonly pieces: LogPieces;
  readonly size: number;
  /** Roots by size, the one of `size` among them. */
  readonly roots: ReadonlyMap<number, SignedRoot>;
  /** Every head that the log of heads binds. */
  readonly bound: BoundHeads | undefined;
  readonly keepsEntries: boolean;
  /** Entry bundles that end at or below this leaf may be gone: the signed head says so. */
  readonly firstRetained: number;
}

/** What becomes of the entries, in order. */
export interface EntryReader {
  /** An entry whose hash is the one in the tree. */
  entry(entry: Uint8Array, index: number): Promise<void>;
  /** A leaf whose entry is pruned, missing, or does not have that hash. */
  skipped(index: number): Promise<void>;
}

/** What one walk over a tree's leaves found. Plain data, so that a run that was interrupted can go on with it. */
export interface WalkFound extends UpperTilesFound {
  leaves: number;
  entries: number;
  pruned: number;
  /** Sizes whose root is not the one that was signed. */
  readonly rootsWrong: number[];
  boundWrong: boolean;
  /** Leaves whose entry does not have the hash that the tile has. */
  readonly differing: number[];
  readonly entriesMissing: string[];
  /** So much was wrong that the rest was not looked at. */
  gaveUp: boolean;
}

/** Where a walk stands, after a whole number of tiles. */
export interface SavedWalk {
  readonly tree: SavedTree;
  readonly upper: SavedUpperTiles;
  readonly cursor: SavedCursor | undefined;
  readonly found: WalkFound;
}

export interface WalkOptions {
  /** Which of the two to believe where tile and entry differ. */
  readonly believe: 'tiles' | 'entries';
  readonly reader?: EntryReader;
  readonly from?: SavedWalk;
  /** Called after each tile; answers whether to go on, and rejects when the run is interrupted. */
  readonly onTile?: (leaves: number, save: () => SavedWalk) => Promise<boolean>;
}

function nothingFound(): WalkFound {
  return {
    leaves: 0,
    checked: 0,
    entries: 0,
    pruned: 0,
    missing: [],
    mismatches: [],
    rootsWrong: [],
    boundWrong: false,
    differing: [],
    entriesMissing: [],
    gaveUp: false,
  };
}

/**
 * Goes through a log's leaves once, in order, and computes every root that was signed and every tile above. Keeps a few
 * tiles and the faults in memory, whatever the size of the log.
 */
export async function walkLeaves(claim: TreeClaim, options: WalkOptions): Promise<WalkFound> {
  const { from } = options;
  const found = from === undefined ? nothingFound() : from.found;
  const upper = new UpperTiles(claim.pieces, claim.size, from?.upper);
  const onTileHash = (level: number, hash: Hash): void => {
    upper.add(level, hash, tree.size + 1);
  };
  const tree = from === undefined ? GrowingTree.empty(onTileHash) : GrowingTree.restore(from.tree, onTileHash);
  const cursor = claim.bound?.cursor(from?.cursor);
  const save = (): SavedWalk => ({ tree: tree.save(), upper: upper.save(), cursor: cursor?.save(), found });
  if (tree.size === 0) passRoots(0);
  for await (const chunk of chunksOf(claim, tree.size)) {
    for (const leaf of await leavesOf(claim, chunk, options, found)) {
      tree.append(leaf);
      passRoots(tree.size);
    }
    await upper.compareFull(found);
    const goesOn = tree.size % PIECE_WIDTH > 0 || ((await options.onTile?.(tree.size, save)) ?? true);
    found.gaveUp = !goesOn || wrongPieces(found) >= REMEMBERED_MAX;
    if (found.gaveUp) break;
  }
  found.leaves = tree.size;
  if (found.gaveUp) return found;
  await upper.compareEdge(found);
  const boundChain = claim.bound?.chain;
  found.boundWrong = cursor !== undefined && boundChain !== undefined && !sameBytes(cursor.chain, boundChain);
  return found;

  function passRoots(size: number): void {
    const signed = claim.roots.get(size);
    const isBound = cursor?.next === size;
    if (signed === undefined && !isBound) return;
    const root = tree.root();
    if (isBound) cursor.pass(root);
    if (signed !== undefined && !sameBytes(signed.root, root)) found.rootsWrong.push(size);
  }
}

function wrongPieces({ missing, entriesMissing, mismatches, differing }: WalkFound): number {
  return missing.length + entriesMissing.length + mismatches.length + differing.length;
}

interface Chunk {
  readonly first: number;
  readonly width: number;
  readonly tile: Awaited<ReturnType<LogPieces['items']>>;
  readonly entries: Awaited<ReturnType<LogPieces['items']>> | undefined;
}

/** The tiles of leaves and the bundles that belong to them, read ahead. */
async function* chunksOf(claim: TreeClaim, from: number): AsyncIterable<Chunk> {
  const ahead: Promise<Chunk>[] = [];
  try {
    for (let first = from; first < claim.size || ahead.length > 0; first += PIECE_WIDTH) {
      if (first < claim.size) {
        const chunk = readChunk(claim, first);
        // Waited for in its turn; a failure until then is no unhandled one.
        chunk.catch(() => undefined);
        ahead.push(chunk);
      }
      if (ahead.length <= READ_AHEAD && first + PIECE_WIDTH < claim.size) continue;
      const next = ahead.shift();
      if (next !== undefined) yield await next;
    }
  } finally {
    await Promise.allSettled(ahead);
  }
}

async function readChunk(claim: TreeClaim, first: number): Promise<Chunk> {
  const index = first / PIECE_WIDTH;
  const width = widthOf(claim.size, 0, index);
  const [tile, entries] = await Promise.all([
    claim.pieces.items({ kind: 'tile', level: 0, index, width }),
    claim.keepsEntries ? claim.pieces.items({ kind: 'entries', level: 0, index, width }) : undefined,
  ]);
  return { first, width, tile, entries };
}

/** The hashes of one tile's leaves, from the side that is believed, else from the other. */
async function leavesOf(claim: TreeClaim, chunk: Chunk, options: WalkOptions, found: WalkFound): Promise<Hash[]> {
  const { first, width } = chunk;
  const piece = { level: 0, index: first / PIECE_WIDTH, width };
  const tile = usable(chunk.tile, { ...piece, kind: 'tile' }, found.missing);
  if (tile !== undefined) found.checked += 1;
  const isPruned = chunk.entries === 'missing' && first + width <= claim.firstRetained;
  if (isPruned) found.pruned += width;
  const entries =
    isPruned || chunk.entries === undefined
      ? undefined
      : usable(chunk.entries, { ...piece, kind: 'entries' }, found.entriesMissing);
  const hashes: Hash[] = [];
  for (let i = 0; i < width; i += 1) {
    const [entry, inTile] = [entries?.[i], tile?.[i]];
    const ofEntry = entry === undefined ? undefined : leafHash(entry);
    const differs = inTile !== undefined && ofEntry !== undefined && !sameBytes(inTile, ofEntry);
    if (entry !== undefined) found.entries += 1;
    if (differs && found.differing.length < REMEMBERED_MAX) found.differing.push(first + i);
    if (entry === undefined || differs) await options.reader?.skipped(first + i);
    else await options.reader?.entry(entry, first + i);
    const believed = options.believe === 'tiles' ? (inTile ?? ofEntry) : (ofEntry ?? inTile);
    hashes.push(believed ?? new Uint8Array(HASH_BYTES));
  }
  return hashes;
}

function usable(items: Chunk['tile'], piece: Piece, unusable: string[]): Uint8Array[] | undefined {
  if (typeof items !== 'string') return items;
  if (unusable.length < REMEMBERED_MAX) unusable.push(pathOf(piece));
  return undefined;
}
