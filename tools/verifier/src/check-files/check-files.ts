import type { LogPieces } from '../check-tree/log-pieces.ts';
import type { Findings } from '../findings/findings.ts';
import { sameBytes } from '../merkle/hashes.ts';
import { itemsOf, pathOf, type Piece, pieceAt, PIECE_BYTES_MAX, widthOf } from '../merkle/pieces.ts';
import type { Listed, Source } from '../sources/source.ts';

/** Folders within folders that are followed: `tile`, the level, and five groups of three digits. */
const DEPTH_MAX = 8;
/** Files without a place that are looked at in one log; after that it is given up. */
const STRAY_MAX = 1_000;

/** A log of which everything that its checkpoint covers was verified. */
export interface FilesClaim {
  readonly name: string;
  readonly pieces: LogPieces;
  readonly size: number;
  readonly keepsEntries: boolean;
  /** Files directly in the log's folder, beside its pieces. */
  readonly alone: readonly string[];
  /** Hashes, hex, of the values that leaves give by hash; undefined when they are too many to compare. */
  readonly valuesNamed: ReadonlySet<string> | undefined;
}

/**
 * Looks at every file of a log: a piece that is there in another width must begin like the one that was verified, and a
 * file that has no place in the format does not belong here. Nothing to do for a source that does not list.
 * @throws SourceError
 */
export async function checkFiles(claim: FilesClaim, findings: Findings): Promise<void> {
  const { source, prefix } = claim.pieces;
  let [beyond, unnamed, stray] = [0, 0, 0];
  for await (const path of filesBelow(source, prefix, '', 0)) {
    const kind = kindOf(claim, path);
    if (kind === 'expected') continue;
    if (kind === 'unnamed-value') unnamed += 1;
    else if (kind === 'stray') {
      stray += 1;
      findings.fault('stray-file', { log: claim.name, file: path }, 'the file has no place in an audit log');
      if (stray === STRAY_MAX) {
        findings.fault('too-many-faults', { log: claim.name }, 'its other files were not looked at');
        break;
      }
    } else if (widthOf(claim.size, kind.level, kind.index) === 0) beyond += 1;
    else await compare(claim, path, kind, findings);
  }
  if (claim.valuesNamed === undefined)
    findings.note(`${claim.name} has so many values kept apart that they were not compared with the files of values`);
  if (unnamed > 0) findings.note(`${claim.name} has ${unnamed} values that no checked leaf names`);
  if (beyond > 0) findings.note(`${claim.name} has ${beyond} files of leaves that no checkpoint covers yet`);
}

function kindOf(claim: FilesClaim, path: string): 'expected' | 'unnamed-value' | 'stray' | Piece {
  if (claim.alone.includes(path)) return 'expected';
  const [, value] = /^value\/([0-9a-f]{64})$/.exec(path) ?? [];
  // A crash can leave the value of a leaf that was never signed, and pruning one whose leaf was.
  if (value !== undefined && claim.keepsEntries && claim.name !== 'heads')
    return claim.valuesNamed?.has(value) === false ? 'unnamed-value' : 'expected';
  const piece = pieceAt(path);
  const belongs =
    piece !== undefined &&
    (piece.kind === 'tile' || (piece.kind === 'entries' ? claim.keepsEntries : claim.name !== 'heads'));
  return belongs ? piece : 'stray';
}

async function compare(claim: FilesClaim, path: string, piece: Piece, findings: Findings): Promise<void> {
  const verifiedWidth = widthOf(claim.size, piece.level, piece.index);
  if (piece.width === verifiedWidth) return;
  const expected = await claim.pieces.items({ ...piece, width: verifiedWidth });
  if (typeof expected === 'string' || pathOf({ ...piece, width: verifiedWidth }) === path) return;
  const bytes = await claim.pieces.source.read(`${claim.pieces.prefix}/${path}`, PIECE_BYTES_MAX[piece.kind]);
  const items = bytes && itemsOf(piece.kind, bytes);
  const place = { log: claim.name, file: path };
  if (items?.length !== piece.width) {
    findings.fault('tile-changed', place, 'it does not hold as many items as its name says');
    return;
  }
  const both = Math.min(piece.width, verifiedWidth);
  const beginsAlike = items.slice(0, both).every((item, i) => sameBytes(item, expected[i] ?? new Uint8Array()));
  if (!beginsAlike)
    findings.fault('tile-changed', place, 'it does not begin like the same piece in the width that was verified');
}

/** The files below a folder, by their paths in it. */
async function* filesBelow(source: Source, prefix: string, path: string, depth: number): AsyncIterable<string> {
  for await (const entry of source.list(path === '' ? prefix : `${prefix}/${path}`)) {
    yield* below(source, prefix, path, depth, entry);
  }
}

async function* below(
  source: Source,
  prefix: string,
  path: string,
  depth: number,
  entry: Listed,
): AsyncIterable<string> {
  const here = path === '' ? entry.name : `${path}/${entry.name}`;
  if (entry.isFolder && depth < DEPTH_MAX) yield* filesBelow(source, prefix, here, depth + 1);
  else yield here;
}
