import type { Position } from '@assent/contracts';
import { type DecodedLeaf, decodeLeaf, parseCheckpoint, readNote, TILE_WIDTH, type TileTree } from '@assent/merkle-log';
import { Problem } from '@assent/service-runtime';
import type { PlacedHead } from '../merkle-logs/bound-heads.ts';
import type { LogFiles } from '../merkle-logs/log-files.ts';
import { keepsEntries, originOf } from '../merkle-logs/log-layout.ts';
import { base64, headerOf, type PublishedLogs, tenantOf } from '../merkle-logs/published-logs.ts';

const FORMAT = 'assent-proof-bundle/v1';
/** Bytes of entries and values in one bundle; records beyond it are counted, not shown. */
const BUNDLE_BYTES_MAX = 16_777_216;

/** One record of a bundle. Hashes, entries and values are base64. */
export interface BundledRecord {
  readonly log: string;
  readonly index: number;
  readonly offset: number;
  readonly eventId?: string;
  readonly entry?: string;
  readonly leafHash?: string;
  readonly value?: string;
  readonly proof: readonly string[];
}

/** Records with everything it takes to verify them without this service: docs/formats/proofs.md. */
export interface ProofBundle {
  readonly format: typeof FORMAT;
  readonly origin: string;
  readonly about: Readonly<Record<string, string | number>>;
  readonly madeAt: string;
  readonly keys: readonly string[];
  readonly keyStatements: readonly string[];
  readonly heads: string;
  readonly logs: readonly {
    readonly name: string;
    readonly entry: string;
    readonly index: number;
    readonly proof: readonly string[];
  }[];
  readonly records: readonly BundledRecord[];
  readonly notShown: number;
}

/** A signed checkpoint of the log of heads. */
export interface BindingHeads {
  readonly note: string;
  readonly size: number;
}

/** A log at a head that is bound, and the numbers of its leaves that are asked for. */
export interface BoundLog {
  readonly name: string;
  readonly topic: string;
  readonly files: LogFiles;
  readonly placed: PlacedHead;
  readonly leaves: readonly { readonly index: number; readonly offset: number }[];
}

/**
 * Finds the heads that bind records: the newest checkpoint of the log of heads that reached the quorum of witnesses when
 * it binds all of them, else the newest.
 *
 * @throws Problem 404 `not-yet-signed`, `no-such-record` or `no-such-log`
 */
export async function bindRecords(
  logs: PublishedLogs,
  positions: readonly Position[],
): Promise<{ heads: BindingHeads; bound: BoundLog[] }> {
  const candidates = await bindingHeads(logs);
  for (const heads of candidates) {
    const bound = await boundBy(logs, heads, positions);
    if (bound !== undefined) return { heads, bound };
  }
  throw new Problem({
    status: 404,
    code: 'not-yet-signed',
    title: 'There is no proof of that yet',
    detail: 'The newest head does not bind this record; try again in a second.',
  });
}

/** Checkpoints of the log of heads that a proof may lead to: the newest with the quorum of witnesses, then the newest. */
export async function bindingHeads(logs: PublishedLogs): Promise<BindingHeads[]> {
  const notes = [await logs.heads.cosignedCheckpoint(), await logs.heads.checkpoint()];
  return notes.flatMap((note) =>
    note === undefined
      ? []
      : [{ note: Buffer.from(note).toString('utf8'), size: parseCheckpoint(readNote(note).text).size }],
  );
}

async function boundBy(
  logs: PublishedLogs,
  heads: BindingHeads,
  positions: readonly Position[],
): Promise<BoundLog[] | undefined> {
  await logs.boundHeads.readUpTo(heads.size);
  const bound: BoundLog[] = [];
  for (const [name, inLog] of byLog(positions)) {
    const { topic, files } = logs.files(inLog[0]?.topic ?? '', inLog[0]?.partition ?? -1);
    const placed = logs.boundHeads.newest(originOf(logs.origin, name), heads.size);
    const size = placed?.head.size ?? 0;
    if (placed === undefined || size === 0) return undefined;
    const last = await files.offsetOf(size - 1);
    if (inLog.some(({ offset }) => offset > last)) return undefined;
    const leaves = await Promise.all(
      inLog.map(async ({ offset }) => ({ offset, index: (await files.indexOf(offset, size)) ?? noSuchRecord() })),
    );
    bound.push({ name, topic, files, placed, leaves });
  }
  return bound;
}

/** Positions by log, each in order and once. */
function byLog(positions: readonly Position[]): [string, Position[]][] {
  const logs = new Map<string, Map<number, Position>>();
  for (const position of positions) {
    const name = `${position.topic}/${position.partition}`;
    logs.set(name, (logs.get(name) ?? new Map<number, Position>()).set(position.offset, position));
  }
  return [...logs]
    .map(([name, inLog]): [string, Position[]] => [name, [...inLog.values()].sort((a, b) => a.offset - b.offset)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function noSuchRecord(): never {
  throw new Problem({
    status: 404,
    code: 'no-such-record',
    title: 'There is no proof of that',
    detail: 'The log has no record at this offset.',
  });
}

/**
 * Bundles records with their proofs. Entries are shown to the controller whose records they are.
 * @throws Problem as `bindRecords` does
 */
export async function bundleProofs(
  logs: PublishedLogs,
  asked: {
    readonly tenant: string;
    readonly about: ProofBundle['about'];
    readonly positions: readonly Position[];
    readonly notListed?: number;
    readonly nowMs: number;
  },
): Promise<ProofBundle> {
  const { heads, bound } = await bindRecords(logs, asked.positions);
  const headTree = logs.heads.tree(heads.size);
  const records: BundledRecord[] = [];
  let bytesLeft = BUNDLE_BYTES_MAX;
  let notShown = asked.notListed ?? 0;
  for (const log of bound) {
    const reader = new RecordReader(log, asked.tenant);
    for (const leaf of log.leaves) {
      if (bytesLeft <= 0) notShown += 1;
      else {
        const record = await reader.record(leaf);
        bytesLeft -= (record.entry?.length ?? 0) + (record.value?.length ?? 0);
        records.push(record);
      }
    }
  }
  const { keys, statements } = await logs.succession();
  return {
    format: FORMAT,
    origin: logs.origin,
    about: asked.about,
    madeAt: new Date(asked.nowMs).toISOString(),
    keys,
    keyStatements: statements,
    heads: heads.note,
    logs: await Promise.all(
      bound.map(async ({ name, placed }) => ({
        name,
        entry: base64(placed.entry),
        index: placed.index,
        proof: (await headTree.inclusionProof(placed.index)).map(base64),
      })),
    ),
    records,
    notShown,
  };
}

/** Reads the records of one log at one size; neighbours share what is read. */
export class RecordReader {
  private readonly tree: TileTree;
  private bundle: { readonly number: number; readonly entries: Promise<readonly Uint8Array[]> } | undefined;

  constructor(
    private readonly log: BoundLog,
    private readonly tenant: string,
  ) {
    this.tree = log.files.tree(log.placed.head.size);
  }

  async record({ index, offset }: { index: number; offset: number }): Promise<BundledRecord> {
    const { name, files } = this.log;
    const [proof, entry] = [(await this.tree.inclusionProof(index)).map(base64), await this.visibleEntry(index)];
    if (entry === undefined) return { log: name, index, offset, leafHash: base64(await this.tree.leaf(index)), proof };
    const leaf = decodeLeaf(entry);
    const eventId = headerOf(leaf, 'ce_id');
    const value = await valueOf(files, leaf);
    return {
      log: name,
      index,
      offset,
      ...(eventId === undefined ? {} : { eventId }),
      entry: base64(entry),
      ...(value === undefined ? {} : { value: base64(value) }),
      proof,
    };
  }

  /** The entry, unless it is another controller's, not kept, or pruned. */
  async visibleEntry(index: number): Promise<Uint8Array | undefined> {
    const { topic, files, placed } = this.log;
    if (!keepsEntries(topic as never) || index < placed.head.firstRetained) return undefined;
    const number = Math.floor(index / TILE_WIDTH);
    if (this.bundle?.number !== number) {
      const width = Math.min(TILE_WIDTH, placed.head.size - number * TILE_WIDTH);
      this.bundle = { number, entries: files.bundle(number, width) };
    }
    const entry = (await this.bundle.entries)[index % TILE_WIDTH];
    return entry !== undefined && tenantOf(decodeLeaf(entry)) === this.tenant ? entry : undefined;
  }
}

async function valueOf(files: LogFiles, { value }: DecodedLeaf): Promise<Uint8Array | undefined> {
  return value.form === 'by-hash' ? files.value(value.sha256) : undefined;
}
