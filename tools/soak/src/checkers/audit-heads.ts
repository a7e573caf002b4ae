import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf } from './audit-tiles.ts';
import { grouped, headOf, leafHashOf, leafHashOfEntry, logsIn, rootsAt, type TreeFindings } from './audit-trees.ts';
import { asFields, fieldsOf, logName, type RawRecord, textAt, typeOf, type Violation } from './evidence.ts';

/** A head of a log that somebody could see, by its log: `heads` or `consent.events/3`. */
export interface PublishedHead {
  readonly log: string;
  readonly size: number;
  readonly root: Buffer;
  /** Where it was seen, for people. */
  readonly seen: string;
}

/** The log of heads of an audit folder, read raw. */
interface HeadEntries {
  readonly size: number;
  readonly entries: readonly Buffer[];
}

/** Pure: what a signed note says; undefined when it says nothing. Signatures are left to `./assent verify`. */
export function publishedHead(note: string, seen: string): PublishedHead | undefined {
  const log = /(?:^|\/)(heads|[a-z][a-z.]*\/\d+)$/.exec(note.split('\n')[0] ?? '')?.[1];
  const head = headOf(note);
  return log === undefined || head === undefined ? undefined : { log, seen, ...head };
}

/** Every checkpoint that a folder shows at this instant. @param folder `<AUDIT_DATA_DIR>/public` */
export function headsIn(folder: string, seen: string): PublishedHead[] {
  return logsIn(folder).flatMap((log) => {
    const head = publishedHead(readFileSync(join(folder, log, 'checkpoint'), 'utf8'), seen);
    return head === undefined ? [] : [head];
  });
}

/** The entries of the log of heads; none before its first checkpoint. Nothing may write the folder meanwhile. @throws Error */
export function headEntriesOf(folder: string): HeadEntries {
  if (!logsIn(folder).includes('heads')) return { size: 0, entries: [] };
  const size = headOf(readFileSync(join(folder, 'heads', 'checkpoint'), 'utf8'))?.size ?? 0;
  return { size, entries: entriesOf(join(folder, 'heads'), size) };
}

/** The newest head of each log that the log of heads binds, by log. */
export function newestBound({ entries }: HeadEntries): ReadonlyMap<string, PublishedHead> {
  return new Map(boundIn(entries).map((head) => [head.log, head]));
}

/**
 * No fork (I9): every head that was ever seen, announced or bound is that of one history. A topic's log is computed anew
 * from its raw records, the log of heads from its entries. A head announced in audit.checkpoints has bound what it says
 * it has, and what is bound never goes back.
 */
export function checkHeads(o: {
  readonly published: readonly PublishedHead[];
  readonly records: readonly RawRecord[];
  readonly heads: HeadEntries;
}): TreeFindings {
  const bound = boundIn(o.heads.entries);
  const announced = o.records.flatMap((record) => announcedIn(record));
  const all = [...o.published, ...announced.flatMap(({ head, logs }) => [head, ...logs]), ...bound];
  const logs = grouped(o.records);
  const leaves = (log: string): Buffer[] =>
    log === 'heads' ? o.heads.entries.map(leafHashOfEntry) : (logs.get(log) ?? []).map(leafHashOf);
  return {
    violations: [
      ...[...new Set(all.map(({ log }) => log))].flatMap((log) =>
        forksOf(
          all.filter((head) => head.log === log),
          leaves(log),
        ),
      ),
      ...wentBack(bound),
      ...announced.flatMap((one) => announcedUnbound(one, bound)),
    ],
    counts: { headsCompared: o.published.length + announced.length, boundHeadsCompared: bound.length },
  };
}

/** Pure: heads of one log in the order in which they were seen in one place; a smaller one after a larger is a fault. */
export function wentBack(heads: readonly PublishedHead[]): Violation[] {
  const largest = new Map<string, number>();
  const violations: Violation[] = [];
  for (const { log, size, seen } of heads) {
    const before = largest.get(log) ?? 0;
    if (size < before)
      violations.push({ invariant: 'I9', what: `${seen}: ${log} went back from ${before} to ${size}` });
    largest.set(log, Math.max(size, before));
  }
  return violations;
}

function forksOf(heads: readonly PublishedHead[], leaves: readonly Buffer[]): Violation[] {
  const roots = rootsAt(
    leaves,
    heads.map(({ size }) => size),
  );
  return heads.flatMap(({ log, size, root, seen }) => {
    if (size === 0 || roots.get(size)?.equals(root) === true) return [];
    const why = size > leaves.length ? `only ${leaves.length} leaves are there` : 'its leaves give another root';
    return [{ invariant: 'I9', what: `fork: ${log} at ${size}, ${seen}: ${why}` }];
  });
}

interface Announced {
  readonly head: PublishedHead;
  readonly logs: readonly PublishedHead[];
}

function announcedIn(record: RawRecord): Announced[] {
  if (typeOf(record) !== 'audit.checkpoint-signed.v1') return [];
  const seen = `announced at ${logName(record)}@${record.offset}`;
  const head = publishedHead(textAt(fieldsOf(record), 'note') ?? '', seen);
  const named = Object.entries(asFields(fieldsOf(record)['logs']));
  const logs = named.map(([log, value]) => {
    const { size, root } = asFields(value);
    return { log, size: Number(size), root: Buffer.from(String(root), 'base64'), seen };
  });
  return head === undefined ? [] : [{ head, logs }];
}

/** What a head is said to have bound must be among the entries it covers. */
function announcedUnbound({ head, logs }: Announced, bound: readonly PublishedHead[]): Violation[] {
  const covered = new Set(bound.slice(0, head.size).map(nameOf));
  return logs
    .filter((log) => !covered.has(nameOf(log)))
    .map(({ log, size, seen }) => ({
      invariant: 'I9',
      what: `${seen}: the head of ${head.size} entries is said to bind ${log} at ${size}, and does not`,
    }));
}

/** The same for heads that say the same, wherever they were seen. */
export function nameOf({ log, size, root }: PublishedHead): string {
  return `${log} ${size} ${root.toString('base64')}`;
}

/** docs/formats/signed-heads.md: an entry begins with the text of a checkpoint. */
function boundIn(entries: readonly Buffer[]): PublishedHead[] {
  return entries.map((entry, index) => {
    const seen = `bound by entry ${index} of heads`;
    return publishedHead(entry.toString('utf8'), seen) ?? { log: '?', size: Number.NaN, root: entry, seen };
  });
}
