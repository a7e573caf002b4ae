import {
  bundlePath,
  type Hash,
  leafHash,
  sameHash,
  TILE_WIDTH,
  type TileBytes,
  tilePath,
  TreeBuilder,
} from '@assent/merkle-log';
import type { LogPieces, PieceProblem } from './log-pieces.ts';
import type { Findings } from './verify-result.ts';

/** The tree of one log as the folder shows it, and what is known of it. */
export interface TreeClaim {
  /** `consent.events/3`, for people. */
  readonly name: string;
  readonly pieces: LogPieces;
  readonly size: number;
  /** Roots that were signed, by size; the one of `size` among them. */
  readonly roots: ReadonlyMap<number, Hash>;
  readonly keepsEntries: boolean;
}

/** What becomes of the entries, in order. */
export interface EntryReader {
  /** An entry whose hash is the one in the tree. */
  entry(entry: Uint8Array, index: number): Promise<void>;
  /** A leaf whose entry is missing or does not have that hash. */
  skipped(index: number): Promise<void>;
}

/** What one walk over a tree's leaves found. Faults are kept until it is clear which side is to be believed. */
interface Walk {
  readonly rootsWrong: number[];
  readonly tilesWrong: string[];
  readonly tilesMissing: string[];
  /** Leaves whose entry does not have the hash that the tile has. */
  readonly differing: number[];
  readonly entriesMissing: string[];
  tiles: number;
  entries: number;
}

/**
 * Computes every root and every tile of a log anew and compares. Each leaf has two witnesses, its entry and its hash in
 * the level-0 tile; where they differ, the signed roots say which of the two was changed.
 */
export async function verifyTree(claim: TreeClaim, reader: EntryReader | undefined, findings: Findings): Promise<void> {
  const byTiles = await walk(claim, 'tiles', reader);
  findings.checked.leaves += claim.size;
  findings.checked.tiles += byTiles.tiles;
  findings.checked.entries += byTiles.entries;
  const doubtful = byTiles.rootsWrong.includes(claim.size) && byTiles.differing.length > 0;
  const byEntries = doubtful ? await walk(claim, 'entries', undefined) : undefined;
  if (byEntries?.rootsWrong.length === 0) {
    report(claim, { ...byTiles, rootsWrong: [], tilesWrong: byEntries.tilesWrong }, 'tile-changed', findings);
  } else {
    report(claim, byTiles, 'entry-changed', findings);
  }
}

function report(claim: TreeClaim, found: Walk, differing: 'tile-changed' | 'entry-changed', findings: Findings): void {
  const { name } = claim;
  for (const path of found.tilesMissing) {
    findings.fault(name, 'tile-missing', `${name} ${path}`, 'the tile is missing or not a tile of this width');
  }
  for (const path of found.entriesMissing) {
    findings.fault(
      name,
      'entries-missing',
      `${name} ${path}`,
      'the entry bundle is missing, or holds another number of entries',
    );
  }
  for (const index of found.differing) {
    const text =
      differing === 'entry-changed'
        ? 'the entry does not have the hash that the tree has: it was changed, moved, added or taken away'
        : 'the tile does not have the hash of the entry, and the signed root agrees with the entry';
    findings.fault(name, differing, `${name} index ${index}`, text);
  }
  for (const path of found.tilesWrong) {
    findings.fault(name, 'tile-changed', `${name} ${path}`, 'the hashes in the tile are not those of the level below');
  }
  for (const size of found.rootsWrong) {
    findings.fault(name, 'root-differs', `${name} size ${size}`, 'the leaves do not give the root that was signed');
  }
}

async function walk(claim: TreeClaim, believe: 'tiles' | 'entries', reader: EntryReader | undefined): Promise<Walk> {
  const found: Walk = {
    rootsWrong: [],
    tilesWrong: [],
    tilesMissing: [],
    differing: [],
    entriesMissing: [],
    tiles: 0,
    entries: 0,
  };
  const builder = new TreeBuilder();
  /** The newest partial tile of each level; on the way they are narrower than the tree's own size makes them. */
  const rightEdge = new Map<number, TileBytes>();
  if (claim.roots.has(0)) checkRoot(claim, builder, found);
  for (let first = 0; first < claim.size; first += TILE_WIDTH) {
    const leaves = await leavesOf(claim, first, believe, found, reader);
    for (const leaf of leaves) {
      builder.append(leaf);
      if (claim.roots.has(builder.size)) checkRoot(claim, builder, found);
    }
    for (const changed of builder.takeChangedTiles()) {
      const { level, width } = changed.tile;
      if (width < TILE_WIDTH) {
        rightEdge.set(level, changed);
        continue;
      }
      rightEdge.delete(level);
      await checkTile(claim, changed, found);
    }
  }
  for (const tile of rightEdge.values()) await checkTile(claim, tile, found);
  return found;
}

function checkRoot(claim: TreeClaim, builder: TreeBuilder, found: Walk): void {
  const signed = claim.roots.get(builder.size);
  if (signed !== undefined && !sameHash(signed, builder.root())) found.rootsWrong.push(builder.size);
}

/** The leaves of one level-0 tile, from the side that is believed, else from the other. */
async function leavesOf(
  claim: TreeClaim,
  first: number,
  believe: 'tiles' | 'entries',
  found: Walk,
  reader: EntryReader | undefined,
): Promise<Hash[]> {
  const [index, width] = [first / TILE_WIDTH, Math.min(TILE_WIDTH, claim.size - first)];
  const tile = usable(await claim.pieces.tile({ level: 0, index, width }));
  if (tile === undefined) found.tilesMissing.push(tilePath({ level: 0, index, width }));
  else found.tiles += 1;
  const entries = claim.keepsEntries ? usable(await claim.pieces.bundle(index, width)) : undefined;
  if (entries === undefined && claim.keepsEntries) found.entriesMissing.push(bundlePath(index, width));
  const hashes = entries?.map(leafHash);
  for (let i = 0; i < width; i += 1) {
    const [entry, inTile, ofEntry] = [entries?.[i], tile?.[i], hashes?.[i]];
    const differs = inTile !== undefined && ofEntry !== undefined && !sameHash(inTile, ofEntry);
    if (entry !== undefined) found.entries += 1;
    if (differs) found.differing.push(first + i);
    if (entry === undefined || differs) await reader?.skipped(first + i);
    else await reader?.entry(entry, first + i);
  }
  const unknown: Hash[] = Array.from({ length: width }, () => new Uint8Array(32));
  return (believe === 'tiles' ? (tile ?? hashes) : (hashes ?? tile)) ?? unknown;
}

/** Level 0 is what the leaves were taken from; every tile above must hold the roots of the tiles below it. */
async function checkTile(claim: TreeClaim, { tile, bytes }: TileBytes, found: Walk): Promise<void> {
  if (tile.level === 0) return;
  const there = usable(await claim.pieces.tile(tile));
  if (there === undefined) {
    found.tilesMissing.push(tilePath(tile));
    return;
  }
  found.tiles += 1;
  if (!sameHash(Buffer.concat(there), bytes)) found.tilesWrong.push(tilePath(tile));
}

function usable<T>(piece: T[] | PieceProblem): T[] | undefined {
  return typeof piece === 'string' ? undefined : piece;
}
