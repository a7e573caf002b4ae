import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { headOf, leafHashOfEntry, logsIn, rootsAt, type TreeFindings } from './audit-trees.ts';

const TILE_WIDTH = 256;
const HASH_BYTES = 32;
/** A checkpoint that is replaced while its tiles are read is read again, so often. */
const LOOKS_MAX = 50;

/**
 * No signed head without its tiles (I9): each checkpoint that an audit folder shows at this instant has tiles of every
 * level there that give its root, and entry bundles whose entries are the leaves, by C2SP tlog-tiles. The folder may be
 * written meanwhile, or may have been left by a process that was killed.
 *
 * @param folder `<AUDIT_DATA_DIR>/public`
 */
export function checkTiles(folder: string): TreeFindings {
  const violations: { invariant: string; what: string }[] = [];
  let treesFromTiles = 0;
  for (const log of logsIn(folder)) {
    const fault = faultOf(join(folder, log), log.startsWith('logs/dispatch.requests/'));
    if (fault === undefined) treesFromTiles += 1;
    else violations.push({ invariant: 'I9', what: `${log}: ${fault}` });
  }
  return { violations, counts: { treesFromTiles } };
}

/** A tile that a newer checkpoint replaced is no fault: whoever finds it gone reads the checkpoint again. */
function faultOf(log: string, isHashesOnly: boolean): string | undefined {
  let fault: string | undefined;
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const note = readFileSync(join(log, 'checkpoint'), 'utf8');
    fault = faultOfCheckpoint(log, note, isHashesOnly);
    if (fault === undefined || readFileSync(join(log, 'checkpoint'), 'utf8') === note) return fault;
  }
  return fault;
}

function faultOfCheckpoint(log: string, note: string, isHashesOnly: boolean): string | undefined {
  const head = headOf(note);
  if (head === undefined) return 'its checkpoint can not be read';
  try {
    const leaves = hashesAt(log, 0, head.size);
    const root = rootsAt(leaves, [head.size]).get(head.size);
    if (root?.equals(head.root) !== true) return `its tiles do not give the root of its checkpoint of ${head.size}`;
    const isWhole = levelsAgree(log, leaves) && (isHashesOnly || entriesAgree(log, leaves));
    return isWhole ? undefined : `tiles or entries below its checkpoint of ${head.size} disagree`;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)} below its checkpoint of ${head.size}`;
  }
}

/** Each hash of the level above is the root of a full tile. */
function levelsAgree(log: string, leaves: readonly Buffer[]): boolean {
  let below = leaves;
  for (let level = 1; below.length >= TILE_WIDTH; level += 1) {
    const hashes = hashesAt(log, level, Math.floor(below.length / TILE_WIDTH));
    for (const [index, hash] of hashes.entries()) {
      const tile = below.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH);
      if (rootsAt(tile, [TILE_WIDTH]).get(TILE_WIDTH)?.equals(hash) !== true) return false;
    }
    below = hashes;
  }
  return true;
}

function entriesAgree(log: string, leaves: readonly Buffer[]): boolean {
  return entriesOf(log, leaves.length).every((entry, index) => leafHashOfEntry(entry).equals(leaves[index] ?? entry));
}

function hashesAt(log: string, level: number, count: number): Buffer[] {
  return pieces(count).flatMap(({ path, width }) => {
    const bytes = readFileSync(join(log, 'tile', String(level), path));
    if (bytes.length !== width * HASH_BYTES) throw new Error(`tile/${level}/${path} is not ${width} hashes`);
    return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  });
}

/** The first `count` entries of a log; each is preceded by its length as a big-endian uint16. @throws Error */
export function entriesOf(log: string, count: number): Buffer[] {
  return pieces(count).flatMap(({ path, width }) => {
    const bytes = readFileSync(join(log, 'tile', 'entries', path));
    const entries: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 2 + bytes.readUInt16BE(at);
      entries.push(bytes.subarray(at + 2, end));
      at = end;
    }
    if (entries.length !== width) throw new Error(`tile/entries/${path} has not ${width} entries`);
    return entries;
  });
}

/** Paths of the tiles of so many items: `000`, `x001/234`, and the last one `234.p/17` when it is not full. */
function pieces(count: number): { path: string; width: number }[] {
  return Array.from({ length: Math.ceil(count / TILE_WIDTH) }, (_, index) => {
    const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
    const groups = digits.match(/\d{3}/g) ?? [];
    const full = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
    const width = Math.min(TILE_WIDTH, count - index * TILE_WIDTH);
    return { path: width === TILE_WIDTH ? full : `${full}.p/${width}`, width };
  });
}
