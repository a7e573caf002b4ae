import { checkFiles } from '../check-files/check-files.ts';
import type { BoundHeads } from '../check-heads/bound-heads.ts';
import { type HeadsFound, nameWrongHeads } from '../check-heads/check-heads.ts';
import type { KeyChain } from '../check-keys/key-chain.ts';
import { readCheckpoint } from '../check-keys/signed-checkpoint.ts';
import { RecordChecks, type SavedRecords } from '../check-records/check-records.ts';
import { checkTree } from '../check-tree/check-tree.ts';
import { LogPieces } from '../check-tree/log-pieces.ts';
import type { SavedWalk, SignedRoot, TreeClaim } from '../check-tree/walk-leaves.ts';
import { Findings, type Place } from '../findings/findings.ts';
import { sameBytes } from '../merkle/hashes.ts';
import type { LoggedEvent } from '../records/event.ts';
import { factsOf, type LogName } from '../records/topics.ts';
import { rootsSeen, type SeenCheckpoint } from '../remember/remembered.ts';
import type { SeenLog } from '../remember/state-folder.ts';
import type { Source } from '../sources/source.ts';

/** Faults in the records of one log; after that the log is given up. */
const FAULTS_MAX = 10_000;

/** Where the verification of one log stands; plain data. */
export interface SavedLog {
  readonly walk: SavedWalk;
  readonly records: SavedRecords;
}

/** What the verification of a log needs of the run. */
export interface LogContext {
  readonly source: Source;
  readonly chain: KeyChain;
  /** The tree of heads, when there is one that holds. */
  readonly headsClaim: TreeClaim | undefined;
  readonly heads: HeadsFound;
  readonly seen: readonly SeenCheckpoint[];
  readonly findings: Findings;
  readonly onEvent: (event: LoggedEvent, place: Place) => void;
  /** Called after each tile with the leaves done; rejects when the run is interrupted. */
  readonly onTile: (log: string, leaves: number, save: () => SavedLog) => Promise<void>;
}

/**
 * Verifies one log: checkpoint, every root that was ever bound or seen, every tile, entry, offset and event, and every
 * file. Answers what is to be remembered of it; undefined when that does not hold.
 * @throws SourceError
 */
export async function verifyLog(
  log: LogName,
  context: LogContext,
  from: SavedLog | undefined,
): Promise<SeenLog | undefined> {
  const { findings, source } = context;
  const { name } = log;
  const faultsBefore = findings.faultCount;
  // What a run that was interrupted had found of it is in the findings already.
  const claim = await claimOf(log, from === undefined ? context : { ...context, findings: new Findings() });
  if (from === undefined) findings.checked.logs += 1;
  if (claim === undefined) return undefined;
  const { size, pieces, keepsEntries } = claim;
  const { onEvent } = context;
  const partitions = partitionsOf(log, claim, context, from === undefined);
  const options = { log, size, pieces, partitions, onEvent, ...(from === undefined ? {} : { from: from.records }) };
  const records = new RecordChecks(options, findings);
  const { headsClaim, chain } = context;
  const found = await checkTree(
    claim,
    {
      ...(keepsEntries ? { reader: records } : {}),
      ...(from === undefined ? {} : { from: from.walk }),
      onTile: async (leaves, save) => {
        await context.onTile(name, leaves, () => ({ walk: save(), records: records.save() }));
        return findings.faultCount - faultsBefore < FAULTS_MAX;
      },
      nameWrongHeads: async () => {
        if (headsClaim !== undefined) await nameWrongHeads(headsClaim, claim, chain.origin, findings);
      },
    },
    findings,
  );
  if (!keepsEntries && !found.gaveUp) await records.offsetsOnly();
  records.close();
  if (source.lists && !found.gaveUp) {
    const { valuesNamed } = records;
    await checkFiles({ name, pieces, size, keepsEntries, alone: ['checkpoint'], valuesNamed }, findings);
  }
  const root = claim.roots.get(size)?.root;
  const holds = !found.gaveUp && found.rootsWrong.length === 0 && root !== undefined;
  return holds ? { size, root: Buffer.from(root).toString('base64') } : undefined;
}

/** How many partitions the log's topic has; when no head says it, where its records belong cannot be judged. */
function partitionsOf(
  { name, topic }: LogName,
  { size, keepsEntries }: TreeClaim,
  { heads, findings }: LogContext,
  isNew: boolean,
): number | undefined {
  const partitions = heads.partitions.get(topic);
  if (partitions === undefined && keepsEntries && size > 0 && isNew) {
    const text = 'no head says how many partitions its topic has, so whether its records belong here was not checked';
    findings.unchecked('partitions-unknown', { log: name }, text);
  }
  return partitions;
}

/**
 * What the log's checkpoint, the log of heads and what was seen before say about it; where they disagree, the larger size
 * is checked. Undefined when none says anything that holds.
 */
async function claimOf({ name, topic }: LogName, context: LogContext): Promise<TreeClaim | undefined> {
  const { source, chain, findings, heads } = context;
  const checkpoint = await readCheckpoint(source, name, `logs/${name}`, chain, findings);
  const bound = heads.bound.get(name);
  const newest = newestOf(name, checkpoint, bound, findings);
  if (newest === undefined) return undefined;
  const own = (root: Uint8Array): SignedRoot => ({ root, seen: '' });
  const roots = rootsSeen(context.seen, name, newest, findings);
  for (const [size, root] of heads.takenBack.get(name) ?? []) roots.set(size, own(root));
  if (checkpoint !== undefined) roots.set(checkpoint.size, own(checkpoint.root));
  roots.set(newest.size, own(newest.root));
  return {
    name,
    pieces: new LogPieces(source, `logs/${name}`),
    size: newest.size,
    roots,
    bound,
    keepsEntries: !factsOf(topic).hashesOnly,
    firstRetained: bound?.firstRetained ?? 0,
  };
}

function newestOf(
  name: string,
  checkpoint: { size: number; root: Uint8Array } | undefined,
  bound: BoundHeads | undefined,
  findings: Findings,
): { size: number; root: Uint8Array } | undefined {
  const head = bound?.root === undefined ? undefined : { size: bound.size, root: bound.root };
  if (checkpoint === undefined || head === undefined) {
    if (checkpoint !== undefined && checkpoint.size > 0) {
      findings.note(`${name} has ${checkpoint.size} signed leaves that the log of heads does not bind yet`);
    }
    return checkpoint ?? head;
  }
  if (head.size > checkpoint.size) {
    const text = `the log of heads has ${head.size} leaves of it, its checkpoint ${checkpoint.size}: the log was cut or rewound`;
    findings.fault('log-behind-head', { log: name, file: 'checkpoint' }, text);
    return head;
  }
  if (head.size < checkpoint.size) {
    findings.note(`${name} has ${checkpoint.size - head.size} signed leaves that the log of heads does not bind yet`);
  } else if (!sameBytes(head.root, checkpoint.root)) {
    const text = 'the checkpoint and the log of heads have different roots for the same size';
    findings.fault('head-differs', { log: name, size: head.size }, text);
  }
  return checkpoint;
}
