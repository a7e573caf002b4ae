import type { LogRecord } from '@assent/contracts';

import type { Fold, FoldedDocument } from './fold.ts';
import { foldSteps, readRecord } from './fold-records.ts';
import type { Documents, FoldOutcome, HeldKey, Step } from './fold-records.ts';
import { HeldKeysChangedError, RecordsMissingError, StaleOwnerError } from './projection.errors.ts';
import { partitionName } from './projection-store.ts';
import type { Checkpoint, ProjectionStore } from './projection-store.ts';

/** Records folded and written together: bounds memory and the time between two heartbeats. */
export const RECORDS_AT_ONCE = 1_000;

/** Rounds when others park or release the keys of these records meanwhile; one more is enough each time. */
const ROUNDS_MAX = 3;

/** What applying and replaying need to know; one per projector. */
export interface ProjectionContext {
  readonly projection: string;
  readonly store: ProjectionStore;
  readonly folds: readonly Fold[];
  /** Wall clock for what people read, epoch milliseconds. */
  readonly clock: { now(): number };
}

interface Applied extends FoldOutcome {
  /** The owner with the checkpoint as it stands now. */
  readonly owner: Checkpoint;
}

/**
 * Applies records of one partition and moves the checkpoint behind the last. They begin at or before the checkpoint and
 * have no gaps: read models are folded from topics that keep every record, so a gap is a record not seen. The order of the
 * writes is what makes a crash harmless: keys are parked first (a document ahead of its key's parking would hide the
 * poison from the replay), then the documents are written, guarded, then the checkpoint moves. Throws
 * `RecordsMissingError`, `StaleOwnerError`, `HeldKeysChangedError`, and failures of the store as they are; then nothing
 * is checkpointed and applying the same records again gives the same documents.
 */
export async function applyRecords(
  context: ProjectionContext,
  owner: Checkpoint,
  records: readonly LogRecord[],
): Promise<Applied> {
  const { store, projection } = context;
  const next = nextAfter(owner, records);
  const steps = records.map((record) => readRecord(record, foldsOf(context, owner.topic)));
  for (let round = 1; round <= ROUNDS_MAX; round += 1) {
    const { documents, held } = await loadState(store, owner, steps);
    const outcome = foldSteps(partitionName(owner), steps, documents, held);
    if ((await parkAll(context, owner, outcome)) && (await holdAll(context, owner, outcome))) {
      await writeDocuments(store, owner, outcome.changed);
      if (!(await store.advance(owner, next))) {
        throw new StaleOwnerError(projection, partitionName(owner));
      }
      return { ...outcome, owner: { ...owner, next } };
    }
  }
  throw new HeldKeysChangedError(partitionName(owner));
}

/**
 * Documents and held keys, read together. An event that a document is already past is not judged again, so whoever wrote
 * that document must have parked the event's key, if it was poison, before the keys are read: then they are read again.
 */
async function loadState(
  store: ProjectionStore,
  owner: Checkpoint,
  steps: readonly Step[],
): Promise<{ documents: Documents; held: Map<string, HeldKey> }> {
  const [documents, held] = await Promise.all([loadDocuments(store, owner, steps), loadHeld(store, owner, steps)]);
  const first = steps[0]?.offset ?? owner.next;
  const isPast = [...documents.values()].some((byId) => [...byId.values()].some(({ _position }) => _position >= first));
  return { documents, held: isPast ? await loadHeld(store, owner, steps) : held };
}

/** False when somebody else parked one of them first: what that one has counted is not known. */
async function parkAll(
  { store, clock }: ProjectionContext,
  owner: Checkpoint,
  { parked }: FoldOutcome,
): Promise<boolean> {
  return parked.length === 0 || (await store.park(owner, parked, clock.now()));
}

/** False when one of them was counted on, released or parked anew by somebody else. */
async function holdAll({ store }: ProjectionContext, owner: Checkpoint, { held }: FoldOutcome): Promise<boolean> {
  return held.length === 0 || (await store.hold(owner, held));
}

function nextAfter(owner: Checkpoint, records: readonly LogRecord[]): number {
  return records.reduce((next, { offset }) => {
    if (offset > next) {
      throw new RecordsMissingError(partitionName(owner), next, offset);
    }
    return Math.max(next, offset + 1);
  }, owner.next);
}

/** The folds that read a topic. */
export function foldsOf(context: ProjectionContext, topic: string): readonly Fold[] {
  return context.folds.filter(({ topics }) => topics.some((own) => own === topic));
}

export async function writeDocuments(store: ProjectionStore, owner: Checkpoint, changed: Documents): Promise<void> {
  const writes = [...changed].map(([collection, byId]) => store.write(collection, [...byId.values()], owner));
  await Promise.all(writes);
}

export function loadHeld(
  store: ProjectionStore,
  owner: Checkpoint,
  steps: readonly Step[],
): Promise<Map<string, HeldKey>> {
  return store.held(owner, [...new Set(steps.map(({ key }) => key))]);
}

async function loadDocuments(store: ProjectionStore, owner: Checkpoint, steps: readonly Step[]): Promise<Documents> {
  const idsByCollection = new Map<string, Set<string>>();
  for (const step of steps) {
    for (const { fold, id } of step.kind === 'event' ? step.targets : []) {
      const ids = idsByCollection.get(fold.collection) ?? new Set();
      idsByCollection.set(fold.collection, ids.add(id));
    }
  }
  const loads = [...idsByCollection].map(async ([collection, ids]): Promise<[string, Map<string, FoldedDocument>]> => [
    collection,
    await store.load(collection, [...ids], owner.since),
  ]);
  return new Map(await Promise.all(loads));
}
