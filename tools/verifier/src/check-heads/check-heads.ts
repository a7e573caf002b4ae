import type { KeyChain } from '../check-keys/key-chain.ts';
import type { SignedCheckpoint } from '../check-keys/signed-checkpoint.ts';
import { checkTree } from '../check-tree/check-tree.ts';
import { LogPieces } from '../check-tree/log-pieces.ts';
import {
  type EntryReader,
  REMEMBERED_MAX,
  type SignedRoot,
  type TreeClaim,
  walkLeaves,
} from '../check-tree/walk-leaves.ts';
import type { Findings } from '../findings/findings.ts';
import { GrowingTree } from '../merkle/growing-tree.ts';
import { type Hash, sameBytes } from '../merkle/hashes.ts';
import { PIECE_WIDTH, widthOf } from '../merkle/pieces.ts';
import { ifWellFormed } from '../notes/format-error.ts';
import { factsOf, isAboutPersons, logNamed, PERSON_TOPICS } from '../records/topics.ts';
import type { Source } from '../sources/source.ts';
import type { TemporaryFile } from '../spill/temporary-file.ts';
import { BoundHeads } from './bound-heads.ts';
import { type HeadEntry, parseHeadEntry } from './head-entry.ts';

const HEADS = 'heads';
/** How much of what heads say is kept; a head of any further log is a fault. */
export interface HeadsLimits {
  /** Topics have some thousands of partitions at most. */
  readonly logs: number;
  /** Heads that take something back, whose roots are compared too. */
  readonly takenBack: number;
}

const LIMITS: HeadsLimits = { logs: 100_000, takenBack: 100_000 };

/** What the log of heads says about the other logs. */
export interface HeadsFound {
  readonly bound: ReadonlyMap<string, BoundHeads>;
  /** Heads that take back what was bound before; their roots are compared too. By log, size and root. */
  readonly takenBack: ReadonlyMap<string, ReadonlyMap<number, Hash>>;
  /** How many partitions a topic has, as far as a head says so. */
  readonly partitions: ReadonlyMap<string, number>;
}

/** The tree of heads as a checkpoint claims it. */
export function headsClaim(
  source: Source,
  checkpoint: SignedCheckpoint,
  roots: ReadonlyMap<number, SignedRoot>,
): TreeClaim {
  const own: SignedRoot = { root: checkpoint.root, seen: '' };
  return {
    name: HEADS,
    pieces: new LogPieces(source, HEADS),
    size: checkpoint.size,
    roots: new Map([...roots, [checkpoint.size, own]]),
    bound: undefined,
    keepsEntries: true,
    firstRetained: 0,
  };
}

/**
 * Verifies the log of heads and reads from it which heads of which logs are bound.
 * @param file for what does not fit memory
 * @throws SourceError
 */
export async function checkHeads(
  claim: TreeClaim,
  chain: KeyChain,
  file: TemporaryFile,
  findings: Findings,
  limits = LIMITS,
): Promise<HeadsFound> {
  const reader = new HeadReader(chain.origin, file, findings, limits);
  const { checked } = findings;
  const { leaves, entries } = checked;
  await checkTree(claim, { reader, nameWrongHeads: () => Promise.resolve() }, findings);
  // Heads are counted as heads, not as records.
  Object.assign(checked, { leaves, entries, heads: checked.heads + checked.leaves - leaves });
  return reader;
}

class HeadReader implements EntryReader, HeadsFound {
  readonly bound = new Map<string, BoundHeads>();
  readonly takenBack = new Map<string, Map<number, Hash>>();
  readonly partitions = new Map<string, number>();
  private takenBackCount = 0;

  constructor(
    private readonly origin: string,
    private readonly file: TemporaryFile,
    private readonly findings: Findings,
    private readonly limits: HeadsLimits,
  ) {}

  entry(entry: Uint8Array, index: number): Promise<void> {
    const head = ifWellFormed(() => parseHeadEntry(entry, this.origin));
    if (head === undefined || !isAboutALog(head)) this.invalid(index, 'the entry is not the head of a log');
    else if (!this.bound.has(head.name) && this.bound.size >= this.limits.logs)
      this.invalid(
        index,
        `more than ${this.limits.logs} logs have heads; this one and what follows of it is not looked at`,
      );
    else this.bind(head, index);
    return Promise.resolve();
  }

  skipped(): Promise<void> {
    return Promise.resolve();
  }

  private bind({ name, size, root, firstRetained, partitions }: HeadEntry, index: number): void {
    const place = { log: HEADS, index };
    const known = this.bound.get(name) ?? new BoundHeads(this.file);
    this.bound.set(name, known);
    if (partitions !== undefined) this.partitionsAre(name, partitions, index);
    if (firstRetained < known.firstRetained) this.invalid(index, `${name} retains entries again that were given up`);
    known.firstRetained = Math.max(known.firstRetained, firstRetained);
    if (known.root === undefined || size > known.size) {
      known.add(size, root);
      return;
    }
    if (size === known.size && sameBytes(known.root, root)) return;
    if (size === known.size) {
      this.findings.fault('head-differs', place, `${name} had another root at ${size} leaves before`);
      return;
    }
    const text = `${name} had ${known.size} leaves before and has ${size} here`;
    this.findings.fault('head-went-back', place, text);
    const back = this.takenBack.get(name) ?? new Map<number, Hash>();
    if (back.size >= REMEMBERED_MAX || this.takenBackCount >= this.limits.takenBack) return;
    this.takenBackCount += 1;
    this.takenBack.set(name, back.set(size, root));
  }

  /** Partitions are never added: another number would send a person's facts to another partition. */
  private partitionsAre(name: string, partitions: number, index: number): void {
    const log = logNamed(name);
    if (log === undefined) return;
    const known = this.partitions.get(log.topic) ?? partitions;
    for (const topic of isAboutPersons(log) ? PERSON_TOPICS : [log.topic]) this.partitions.set(topic, known);
    if (partitions !== known)
      this.invalid(index, `${name} says that its topic has ${partitions} partitions; ${known} were said before`);
    if (log.partition >= partitions)
      this.invalid(index, `${name} lies outside the ${partitions} partitions of its topic`);
  }

  private invalid(index: number, text: string): void {
    this.findings.fault('head-invalid', { log: HEADS, index }, text);
  }
}

/** A topic that this verifier does not know is said to be missing or stray, not to be no head. */
function isAboutALog({ name, firstRetained }: HeadEntry): boolean {
  const log = logNamed(name);
  return log === undefined || firstRetained === 0 || !factsOf(log.topic).keptForEver;
}

/**
 * Names the bound heads of a log whose root does not come out of its leaves: reads the log of heads and the leaves once
 * more. Only so many are named.
 */
export async function nameWrongHeads(
  heads: TreeClaim,
  log: TreeClaim,
  origin: string,
  findings: Findings,
): Promise<void> {
  const said = new Map<number, { root: Hash; index: number }>();
  const reader: EntryReader = {
    entry(entry, index) {
      const head = ifWellFormed(() => parseHeadEntry(entry, origin));
      if (head?.name === log.name && said.size < REMEMBERED_MAX * 10 && !said.has(head.size))
        said.set(head.size, { root: head.root, index });
      return Promise.resolve();
    },
    skipped: () => Promise.resolve(),
  };
  await walkLeaves(heads, { believe: 'tiles', reader });
  let lastRight = 0;
  for await (const { size, root } of rootsAt(log, new Set(said.keys()))) {
    const head = said.get(size);
    if (head === undefined || sameBytes(head.root, root)) {
      lastRight = size;
      continue;
    }
    const text = `the leaves do not give the root that heads index ${head.index} binds; what was changed lies between leaf ${lastRight} and leaf ${size - 1}`;
    if (!log.roots.has(size)) findings.fault('root-differs', { log: log.name, size }, text);
  }
}

/** The roots of a log at some sizes, as its tiles give them. */
async function* rootsAt(log: TreeClaim, sizes: ReadonlySet<number>): AsyncIterable<{ size: number; root: Hash }> {
  const tree = GrowingTree.empty();
  if (sizes.has(0)) yield { size: 0, root: tree.root() };
  for (let index = 0; index * PIECE_WIDTH < log.size; index += 1) {
    const width = widthOf(log.size, 0, index);
    const hashes = await log.pieces.items({ kind: 'tile', level: 0, index, width });
    if (typeof hashes === 'string') return;
    for (const hash of hashes) {
      tree.append(hash);
      if (sizes.has(tree.size)) yield { size: tree.size, root: tree.root() };
    }
  }
}
