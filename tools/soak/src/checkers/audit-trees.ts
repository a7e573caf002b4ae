import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RawRecord, RecordBytes } from './evidence.ts';

/** Longest entry of a C2SP entry bundle: its length is a uint16. */
const ENTRY_BYTES_MAX = 65_535;

export interface TreeFindings {
  readonly violations: readonly { readonly invariant: string; readonly what: string }[];
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * I9 on raw evidence: the checkpoint of every log in an audit folder has the root that the first `size` records of its
 * partition give, by docs/formats/leaf-encoding.md and RFC 6962. Signatures are not looked at; `./assent verify` is there
 * for them. A log without a checkpoint has no records yet, or is late: that is no violation.
 *
 * @param folder `<AUDIT_DATA_DIR>/public`
 */
export function checkAuditTrees(folder: string, records: readonly RawRecord[]): TreeFindings {
  const logs = grouped(records);
  const violations: { invariant: string; what: string }[] = [];
  let leavesProven = 0;
  for (const path of logsIn(folder).filter((log) => log !== 'heads')) {
    const name = path.slice('logs/'.length);
    const head = headOf(readFileSync(join(folder, path, 'checkpoint'), 'utf8'));
    const log = logs.get(name) ?? [];
    if (head === undefined) violations.push({ invariant: 'I9', what: `the checkpoint of ${name} can't be read` });
    else if (head.size > log.length)
      violations.push({ invariant: 'I9', what: `${name} has ${log.length} records and a tree of ${head.size}` });
    else if (!rootOf(log.slice(0, head.size)).equals(head.root))
      violations.push({ invariant: 'I9', what: `the tree of ${name} at ${head.size} is not that of its records` });
    else leavesProven += head.size;
  }
  return { violations, counts: { leavesProven } };
}

/** Folders of the logs that have a checkpoint: `heads`, `logs/consent.events/3`. */
export function logsIn(folder: string): string[] {
  const logs = join(folder, 'logs');
  const topics = existsSync(logs) ? readdirSync(logs) : [];
  const names = topics.flatMap((topic) => readdirSync(join(logs, topic)).map((part) => `logs/${topic}/${part}`));
  return ['heads', ...names].filter((name) => existsSync(join(folder, name, 'checkpoint')));
}

/** C2SP tlog-checkpoint: origin, size, root. */
export function headOf(note: string): { size: number; root: Buffer } | undefined {
  const [, size, root] = note.split('\n');
  if (size === undefined || root === undefined || !/^\d+$/.test(size)) return undefined;
  return { size: Number(size), root: Buffer.from(root, 'base64') };
}

export function rootOf(records: readonly RawRecord[]): Buffer {
  return rootsAt(records.map(leafHashOf), [records.length]).get(records.length) ?? sha256(Buffer.alloc(0));
}

/**
 * The roots of the trees of the first so many leaves, for each size asked that there are leaves for. RFC 6962, section
 * 2.1: complete subtrees are joined as soon as there are two of a size, the rest from the right.
 */
export function rootsAt(leafHashes: readonly Buffer[], sizes: Iterable<number>): ReadonlyMap<number, Buffer> {
  const asked = new Set(sizes);
  const roots = new Map<number, Buffer>();
  const subtrees: { size: number; hash: Buffer }[] = [];
  for (const [index, hash] of leafHashes.entries()) {
    subtrees.push({ size: 1, hash });
    for (;;) {
      const [left, right] = subtrees.slice(-2);
      if (left === undefined || right === undefined || left.size !== right.size) break;
      subtrees.splice(-2, 2, { size: left.size * 2, hash: nodeHash(left.hash, right.hash) });
    }
    if (!asked.has(index + 1)) continue;
    roots.set(
      index + 1,
      subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left.hash, right), subtrees.at(-1)?.hash ?? hash),
    );
  }
  return roots;
}

/** Records are read once and judged after every run. */
const knownLeafHashes = new WeakMap<RawRecord, Buffer>();

export function leafHashOf(record: RawRecord): Buffer {
  const known = knownLeafHashes.get(record);
  if (known !== undefined) return known;
  const hash = leafHashOfEntry(entryOf(record));
  knownLeafHashes.set(record, hash);
  return hash;
}

export function leafHashOfEntry(entry: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.of(0), entry]));
}

/** docs/formats/leaf-encoding.md. @throws Error when the reader has not kept the bytes */
export function entryOf({ topic, partition, offset, recordedAtMs, bytes }: RawRecord): Buffer {
  if (bytes === undefined) throw new Error('the bytes of a record are needed for its leaf');
  const headers = [...bytes.headers].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const place = Buffer.alloc(20);
  place.writeUInt32BE(partition, 0);
  place.writeBigUInt64BE(BigInt(offset), 4);
  place.writeBigInt64BE(BigInt(recordedAtMs), 12);
  const before = Buffer.concat([
    Buffer.of(1),
    withLength(Buffer.from(topic)),
    place,
    optional(bytes.key),
    uint32(headers.length),
    ...headers.flatMap(([name, value]) => [withLength(Buffer.from(name)), optional(value)]),
  ]);
  return Buffer.concat([before, valueOf(bytes, before.length)]);
}

function valueOf({ value }: RecordBytes, lengthBefore: number): Buffer {
  const inPlace = optional(value);
  if (value === null || lengthBefore + inPlace.length <= ENTRY_BYTES_MAX) return inPlace;
  return Buffer.concat([Buffer.of(2), uint32(value.length), sha256(value)]);
}

function optional(bytes: Buffer | null): Buffer {
  return bytes === null ? Buffer.of(0) : Buffer.concat([Buffer.of(1), withLength(bytes)]);
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.concat([Buffer.of(1), left, right]));
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** The records of each log, by its name, in their order. */
export function grouped(records: readonly RawRecord[]): ReadonlyMap<string, readonly RawRecord[]> {
  const logs = new Map<string, RawRecord[]>();
  for (const record of records) {
    const name = `${record.topic}/${record.partition}`;
    const log = logs.get(name);
    if (log === undefined) logs.set(name, [record]);
    else log.push(record);
  }
  return logs;
}
