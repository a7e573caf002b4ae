import {
  BUNDLE_BYTES_MAX,
  encodeBundle,
  encodeTile,
  parseIndexedPath,
  parseTilePath,
  tileAt,
} from '@assent/merkle-log';
import type { AuditFolder } from './audit-folder.ts';
import type { LogPieces } from './log-pieces.ts';
import type { Findings } from './verify-result.ts';

/** Folders within folders that are followed: `tile`, the level, and five groups of three digits. */
const DEPTH_MAX = 8;

export interface FilesClaim {
  readonly name: string;
  readonly pieces: LogPieces;
  readonly size: number;
  readonly keepsEntries: boolean;
  /** Hashes, hex, of the values that leaves give by hash. */
  readonly valuesNamed: ReadonlySet<string>;
}

/** A file that holds a piece of a log: the piece, and how to compare it with what was verified. */
interface PieceFile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  /** The bytes that the first `width` items of the verified piece have; undefined when that piece is faulty itself. */
  bytes(width: number): Promise<Uint8Array | undefined>;
}

/**
 * Looks at every file of a log: a tile that is there in another width must begin like the one that was verified, and a
 * file that has no place in the format does not belong here.
 */
export async function verifyFiles(claim: FilesClaim, folder: AuditFolder, findings: Findings): Promise<void> {
  let [beyond, unnamed] = [0, 0];
  for await (const path of filesBelow(folder, claim.pieces.prefix, '', 0)) {
    const where = `${claim.name} ${path}`;
    const kind = kindOf(claim, path);
    if (kind === 'expected') continue;
    if (kind === 'unnamed-value') unnamed += 1;
    else if (kind === 'stray') findings.fault(claim.name, 'stray-file', where, 'the file has no place in an audit log');
    else if (tileAt(claim.size, kind.level, kind.index) === undefined) beyond += 1;
    else await compare(claim, path, kind, folder, findings);
  }
  if (unnamed > 0) findings.note(`${claim.name} has ${unnamed} values that no checked leaf names`);
  if (beyond > 0) findings.note(`${claim.name} has ${beyond} files of leaves that no checkpoint covers yet`);
}

function kindOf(claim: FilesClaim, path: string): 'expected' | 'unnamed-value' | 'stray' | PieceFile {
  if (path === 'checkpoint') return 'expected';
  const [, value] = /^value\/([0-9a-f]{64})$/.exec(path) ?? [];
  // A crash can leave the value of a leaf that was never signed.
  if (value !== undefined && claim.keepsEntries) return claim.valuesNamed.has(value) ? 'expected' : 'unnamed-value';
  return pieceOf(claim, path) ?? 'stray';
}

function pieceOf({ pieces, keepsEntries, name }: FilesClaim, path: string): PieceFile | undefined {
  const tile = parseTilePath(path);
  if (tile?.kind === 'tile') {
    const { level, index, width } = tile;
    return {
      level,
      index,
      width,
      bytes: async (w) => encoded(await pieces.tile({ level, index, width: w }), encodeTile),
    };
  }
  if (tile?.kind === 'bundle') {
    if (!keepsEntries) return undefined;
    const { index, width } = tile;
    return { level: 0, index, width, bytes: async (w) => encoded(await pieces.bundle(index, w), encodeBundle) };
  }
  const offsets =
    path.startsWith('offsets/') && name !== 'heads' ? parseIndexedPath(path.slice('offsets/'.length)) : undefined;
  if (offsets === undefined) return undefined;
  return { level: 0, ...offsets, bytes: async (w) => encoded(await pieces.offsets(offsets.index, w), encodeOffsets) };
}

async function compare(
  claim: FilesClaim,
  path: string,
  file: PieceFile,
  folder: AuditFolder,
  findings: Findings,
): Promise<void> {
  const verifiedWidth = tileAt(claim.size, file.level, file.index)?.width ?? 0;
  if (file.width === verifiedWidth) return;
  const expected = await file.bytes(verifiedWidth);
  const bytes = await folder.read(`${claim.pieces.prefix}/${path}`, BUNDLE_BYTES_MAX);
  if (expected === undefined || bytes === undefined) return;
  const [longer, shorter] = file.width > verifiedWidth ? [bytes, expected] : [expected, bytes];
  if (Buffer.compare(longer.subarray(0, shorter.length), shorter) === 0) return;
  const text = 'it does not begin like the same piece in the width that was verified';
  findings.fault(claim.name, 'tile-changed', `${claim.name} ${path}`, text);
}

function encoded<T>(items: T[] | string, encode: (items: T[]) => Uint8Array): Uint8Array | undefined {
  return typeof items === 'string' ? undefined : encode(items);
}

function encodeOffsets(offsets: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(offsets.length * 8);
  for (const [i, offset] of offsets.entries()) bytes.writeBigUInt64BE(BigInt(offset), i * 8);
  return bytes;
}

async function* filesBelow(folder: AuditFolder, prefix: string, path: string, depth: number): AsyncGenerator<string> {
  for (const entry of await folder.list(path === '' ? prefix : `${prefix}/${path}`)) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory() && depth < DEPTH_MAX) yield* filesBelow(folder, prefix, below, depth + 1);
    else yield below;
  }
}
