import type { Findings } from '../findings/findings.ts';
import { sameBytes } from '../merkle/hashes.ts';
import { offsetOf, pathOf, PIECE_WIDTH, widthOf } from '../merkle/pieces.ts';
import { rootOfUpperTiles } from './root-of-upper-tiles.ts';
import { type EntryReader, type SavedWalk, type TreeClaim, walkLeaves, type WalkFound } from './walk-leaves.ts';

export interface CheckTreeOptions {
  readonly reader?: EntryReader;
  readonly from?: SavedWalk;
  readonly onTile?: (leaves: number, save: () => SavedWalk) => Promise<boolean>;
  /** Finds out which of the bound heads do not come out of the leaves, when some do not. */
  readonly nameWrongHeads: () => Promise<void>;
}

/**
 * Computes every root and every tile of a log anew and compares. Each leaf has two witnesses, its entry and its hash in
 * the tile; where they differ, the signed root says which of the two was changed. Where only hashes are there, the tiles
 * above say it.
 */
export async function checkTree(claim: TreeClaim, options: CheckTreeOptions, findings: Findings): Promise<WalkFound> {
  const { nameWrongHeads, ...walking } = options;
  const found = await walkLeaves(claim, { believe: 'tiles', ...walking });
  findings.checked.leaves += found.leaves;
  findings.checked.tiles += found.checked;
  findings.checked.entries += found.entries;
  if (found.pruned > 0)
    findings.note(`${claim.name} has ${found.pruned} leaves whose entries were pruned, as its signed head says`);
  if (found.gaveUp) {
    reportPieces(claim, found, findings);
    await reportDiffering(claim, found.differing, 'entry-changed', findings);
    const text = `what comes after leaf ${found.leaves - 1} was not looked at`;
    findings.fault('too-many-faults', { log: claim.name }, text);
    return found;
  }
  const isWrong = found.rootsWrong.includes(claim.size);
  const byEntries = isWrong && found.differing.length > 0 ? await walkLeaves(claim, { believe: 'entries' }) : undefined;
  const entriesAreRight = byEntries !== undefined && !byEntries.rootsWrong.includes(claim.size);
  if (entriesAreRight) {
    reportPieces(claim, { ...found, mismatches: byEntries.mismatches }, findings);
    await reportDiffering(claim, found.differing, 'tile-changed', findings);
  } else {
    const tilesBelow = isWrong && (await upperTilesAreRight(claim));
    reportPieces(claim, found, findings, tilesBelow);
    await reportDiffering(claim, found.differing, 'entry-changed', findings);
    reportRoots(claim, found.rootsWrong, findings);
  }
  if (byEntries === undefined ? found.boundWrong : byEntries.boundWrong) await nameWrongHeads();
  return found;
}

/** Whether the tiles above the leaves give the root that was signed; then a leaf tile that disagrees is the wrong one. */
async function upperTilesAreRight(claim: TreeClaim): Promise<boolean> {
  const signed = claim.roots.get(claim.size);
  const root = await rootOfUpperTiles(claim);
  return signed !== undefined && root !== undefined && sameBytes(signed.root, root);
}

function reportPieces(claim: TreeClaim, found: WalkFound, findings: Findings, tilesBelow = false): void {
  const log = claim.name;
  for (const file of found.missing) {
    findings.fault('tile-missing', { log, file }, 'the tile is missing, or not a tile of this width');
  }
  for (const file of found.entriesMissing) {
    findings.fault('entries-missing', { log, file }, 'the entry bundle is missing, or holds another number of entries');
  }
  for (const { upper, lower } of found.mismatches) {
    if (tilesBelow) {
      findings.fault(
        'tile-changed',
        { log, file: lower },
        'its hashes are not those that the tile above it stands for',
      );
    } else {
      findings.fault('tile-changed', { log, file: upper }, `it does not hold the root of ${lower}, which is below it`);
    }
  }
}

async function reportDiffering(
  claim: TreeClaim,
  differing: readonly number[],
  code: 'tile-changed' | 'entry-changed',
  findings: Findings,
): Promise<void> {
  const text = {
    'entry-changed': 'the entry does not have the hash that the tree has: it was changed, moved, added or taken away',
    'tile-changed': 'the tile does not have the hash of the entry, and the signed root agrees with the entry',
  }[code];
  for (const index of differing) {
    const piece = { level: 0, index: Math.floor(index / PIECE_WIDTH) };
    const width = widthOf(claim.size, 0, piece.index);
    const file = pathOf({ ...piece, width, kind: code === 'tile-changed' ? 'tile' : 'entries' });
    const offset = findings.lists(claim.name, code) ? await offsetAt(claim, index) : undefined;
    findings.fault(code, { log: claim.name, index, ...(offset === undefined ? {} : { offset }), file }, text);
  }
}

/** The offset of a leaf as the offset index has it. */
async function offsetAt({ pieces, size, name }: TreeClaim, leaf: number): Promise<number | undefined> {
  if (name === 'heads') return undefined;
  const index = Math.floor(leaf / PIECE_WIDTH);
  const items = await pieces.items({ kind: 'offsets', level: 0, index, width: widthOf(size, 0, index) });
  const item = typeof items === 'string' ? undefined : items[leaf % PIECE_WIDTH];
  return item === undefined ? undefined : offsetOf(item);
}

function reportRoots(claim: TreeClaim, sizes: readonly number[], findings: Findings): void {
  for (const size of sizes) {
    const seen = claim.roots.get(size)?.seen ?? '';
    const isOwn = seen === '';
    const place = { log: claim.name, size };
    if (isOwn) findings.fault('root-differs', place, 'the leaves do not give the root that was signed');
    else findings.fault('history-differs', place, `the first ${size} leaves are not those of ${seen}`);
  }
}
