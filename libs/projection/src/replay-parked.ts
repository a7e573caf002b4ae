import type { LogRecord } from '@assent/contracts';
import type { EventLog, TopicPartition } from '@assent/event-log';

import { foldsOf, loadHeld, RECORDS_AT_ONCE, writeDocuments } from './apply-records.ts';
import type { ProjectionContext } from './apply-records.ts';
import { foldSteps, readRecord } from './fold-records.ts';
import type { Documents, NewlyHeldKey, Step } from './fold-records.ts';
import { HeldKeysChangedError, ReplayTooLargeError, StaleOwnerError } from './projection.errors.ts';
import { partitionName } from './projection-store.ts';
import type { Checkpoint } from './projection-store.ts';

/** Documents of one key kept in memory while it is replayed; a person or an address feeds a handful. */
const DOCUMENTS_MAX = 10_000;

export type ReplayOutcome =
  /** The key's events are applied up to its partition's checkpoint, and it is held no longer. */
  | { readonly status: 'released'; readonly documents: number }
  /** This event of the key is poison, still or newly found. Those before it are applied, the others remain held. */
  | { readonly status: 'still-parked'; readonly documents: number; readonly offset: number; readonly reason: string }
  | { readonly status: 'not-parked' };

/** See `Projector.replayParked`. `take` makes this process the owner and answers the checkpoints. */
export async function replayParked(
  context: ProjectionContext,
  log: EventLog,
  take: (partitions: readonly TopicPartition[]) => Promise<Checkpoint[]>,
  id: string,
): Promise<ReplayOutcome> {
  const { store, projection, clock } = context;
  const named = await store.parkedById(id);
  const [owner] = named === undefined ? [] : await take([named]);
  // Read again as the owner: `version` covers what earlier owners held back until now.
  const parked = await store.parkedById(id);
  if (owner === undefined || parked === undefined) {
    return { status: 'not-parked' };
  }
  const ids = await idsFedBy(context, log, owner, parked.key);
  const refolded = await refold(context, log, owner, parked.key, ids);
  const others = refolded.parked.filter(({ key }) => key !== parked.key);
  if (others.length > 0) {
    await store.park(owner, others, clock.now());
  }
  // Every document was written under an earlier epoch, so `since` lets this write replace it at any position: one that
  // several keys feed may be ahead of the checkpoint, without this key's events.
  await writeDocuments(store, { ...owner, since: owner.epoch }, refolded.documents);
  // Whoever takes the partition after this sees complete documents. If it holds the key back once more before the
  // release, the version has moved and the release fails; if it tries to do so after, its own compare-and-set fails.
  if (!(await store.advance(owner, owner.next))) {
    throw new StaleOwnerError(projection, partitionName(owner));
  }
  const still = refolded.parked.find(({ key }) => key === parked.key);
  const settled = await (still === undefined ? store.release(parked) : store.repark(parked, still, clock.now()));
  if (!settled) {
    throw new HeldKeysChangedError(partitionName(owner));
  }
  const documents = [...refolded.documents.values()].reduce((sum, byId) => sum + byId.size, 0);
  return still === undefined
    ? { status: 'released', documents }
    : { status: 'still-parked', documents, offset: still.offset, reason: still.reason };
}

/** `collection id` of every document the key's events feed: all of their events are needed to fold them anew. */
async function idsFedBy(
  context: ProjectionContext,
  log: EventLog,
  owner: Checkpoint,
  key: string,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const steps of stepsOf(context, log, owner)) {
    for (const step of steps) {
      for (const target of step.kind === 'event' && step.key === key ? step.targets : []) {
        ids.add(documentName(target.fold.collection, target.id));
      }
    }
    if (ids.size > DOCUMENTS_MAX) {
      throw new ReplayTooLargeError(DOCUMENTS_MAX);
    }
  }
  return ids;
}

interface Refolded {
  readonly documents: Documents;
  /** Keys that are poison in this fold: the replayed one if it still is, and others that were not known to be. */
  readonly parked: readonly NewlyHeldKey[];
}

/** Folds the documents named in `ids` from offset 0 to the checkpoint, as if the key had never been parked. */
async function refold(
  context: ProjectionContext,
  log: EventLog,
  owner: Checkpoint,
  key: string,
  ids: ReadonlySet<string>,
): Promise<Refolded> {
  const documents: Documents = new Map();
  const parked = new Map<string, NewlyHeldKey>();
  for await (const all of stepsOf(context, log, owner)) {
    const steps = all.map((step) => onlyInto(ids, step));
    const held = await loadHeld(context.store, owner, steps);
    held.delete(key);
    parked.forEach((newly) => held.set(newly.key, { ...newly, version: 0 }));
    const outcome = foldSteps(partitionName(owner), steps, documents, held);
    outcome.parked.forEach((newly) => parked.set(newly.key, newly));
    for (const { key: name, lastHeld, more } of outcome.held) {
      const newly = parked.get(name);
      if (newly !== undefined) {
        parked.set(name, { ...newly, lastHeld, held: newly.held + more });
      }
    }
  }
  return { documents, parked: [...parked.values()] };
}

function onlyInto(ids: ReadonlySet<string>, step: Step): Step {
  return step.kind === 'event'
    ? { ...step, targets: step.targets.filter(({ fold, id }) => ids.has(documentName(fold.collection, id))) }
    : step;
}

function documentName(collection: string, id: string): string {
  return `${collection} ${id}`;
}

async function* stepsOf(context: ProjectionContext, log: EventLog, owner: Checkpoint): AsyncIterable<Step[]> {
  const folds = foldsOf(context, owner.topic);
  for await (const records of log.read(owner, 0, owner.next)) {
    for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
      yield records.slice(at, at + RECORDS_AT_ONCE).map((record: LogRecord) => readRecord(record, folds));
    }
  }
}
