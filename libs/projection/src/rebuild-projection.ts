import { setTimeout as sleep } from 'node:timers/promises';

import type { EventLog, TopicPartition } from '@assent/event-log';

import { applyRecords, RECORDS_AT_ONCE } from './apply-records.ts';
import type { ProjectionContext } from './apply-records.ts';
import { digestDocuments } from './digest-documents.ts';
import type { DigestedDocuments } from './digest-documents.ts';
import {
  ForeignDocumentsError,
  ProjectionMovingError,
  SourceIncompleteError,
  StaleOwnerError,
} from './projection.errors.ts';
import { partitionName } from './projection-store.ts';
import type { Checkpoint, StoredDocument } from './projection-store.ts';

/**
 * Longer than a gate's whole decision (2,000 ms, design.md I2): a gate that passed its barrier before the checkpoints
 * went back to 0 has read its documents, or has given up, before they are written anew.
 */
export const REBUILD_GRACE_MS = 2_500;

/** Partitions replayed at a time: enough to hide the waits for the store's journal. */
const PARTITIONS_AT_ONCE = 4;

/** Rounds of catching up to documents written ahead of their checkpoint; every zombie can cause one more. */
const SETTLE_ROUNDS_MAX = 3;

/**
 * Documents that no owner wrote, remembered until they may be removed; more of them, and the collection is another's.
 */
const FOREIGN_MAX = 10_000;

/** Documents removed with one write. */
const REMOVED_AT_ONCE = 1_000;

export interface RebuildProgress {
  readonly partition: string;
  /** Offset of the next record to be replayed. */
  readonly next: number;
  /** Offset at which the replay ends. */
  readonly target: number;
}

export interface RebuildOptions {
  readonly progress?: (progress: RebuildProgress) => void;
  /** How long readers that are under way get before documents change; REBUILD_GRACE_MS unless told. */
  readonly graceMs?: number;
}

export interface RebuildResult {
  /** Digest of the documents as they were found. */
  readonly before: string;
  /** Digest of the documents replayed from the log. */
  readonly after: string;
  readonly equal: boolean;
  readonly documents: number;
  /** Per `topic/partition` the offset up to which both were folded. */
  readonly positions: Readonly<Record<string, number>>;
  readonly parkedBefore: number;
  readonly parkedAfter: number;
}

/**
 * See `Projector.rebuild`. `take` makes this process the owner and answers the checkpoints.
 *
 * Nothing is dropped as a whole, because a drop cannot be fenced: it would also take what another process wrote that
 * took a partition meanwhile. Instead `reset` makes everything written so far count as absent, the replay writes over
 * it, and what is left of it is removed one by one at the end.
 */
export async function rebuildProjection(
  context: ProjectionContext,
  log: EventLog,
  take: (partitions: readonly TopicPartition[]) => Promise<Checkpoint[]>,
  { progress = () => undefined, graceMs = REBUILD_GRACE_MS }: RebuildOptions,
): Promise<RebuildResult> {
  const { store, folds } = context;
  const partitions = partitionsOf(context, log);
  const ends = await endsOf(log, partitions);
  const { owners, before, foreign } = await settle(context, log, await take(partitions), ends);
  const parkedBefore = await countParked(context, owners);
  for (const owner of owners) {
    if (!(await store.reset(owner))) {
      throw new StaleOwnerError(context.projection, partitionName(owner));
    }
  }
  // Still the owner after they were read: so no later owner had written them, but somebody else.
  for (const [collection, documents] of foreign) {
    await store.remove(collection, documents);
  }
  await sleep(graceMs);

  const rebuilding = owners.map((owner) => ({ ...owner, next: 0, since: owner.epoch }));
  await eachOf(owners, PARTITIONS_AT_ONCE, async (owner) => {
    await replay(context, log, { ...owner, next: 0, since: owner.epoch }, owner.next, progress);
  });
  // The next batch in this process works as the owner of the rebuilt documents.
  await take(partitions);
  await removeRemains(context, rebuilding);
  const after = await digestDocuments(store, folds);
  if (isAhead(owners, after)) {
    throw new ProjectionMovingError(context.projection);
  }
  return {
    before: before.digest,
    after: after.digest,
    equal: before.digest === after.digest,
    documents: after.documents,
    positions: Object.fromEntries(owners.map((owner) => [partitionName(owner), owner.next])),
    parkedBefore,
    parkedAfter: await countParked(context, rebuilding),
  };
}

function partitionsOf({ folds }: ProjectionContext, log: EventLog): TopicPartition[] {
  const topics = [...new Set(folds.flatMap((fold) => fold.topics))];
  return topics.flatMap((topic) =>
    Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ topic, partition })),
  );
}

/** The ends of the partitions, each of which the log must hold from its first record on. */
async function endsOf(log: EventLog, partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
  const [starts, ends] = await Promise.all([log.startOffsets(partitions), log.endOffsets(partitions)]);
  for (const partition of partitions.map(partitionName)) {
    if (starts.get(partition) !== 0 || !ends.has(partition)) {
      throw new SourceIncompleteError(partition);
    }
  }
  return ends;
}

type Foreign = ReadonlyMap<string, readonly StoredDocument[]>;

interface Settled {
  readonly owners: readonly Checkpoint[];
  readonly before: DigestedDocuments;
  readonly foreign: Foreign;
}

/**
 * A consumer that died between writing documents and moving its checkpoint leaves them ahead. Applying the log up to
 * the highest of them makes documents and checkpoints agree, so that the digests are taken at equal positions.
 */
async function settle(
  context: ProjectionContext,
  log: EventLog,
  taken: readonly Checkpoint[],
  ends: ReadonlyMap<string, number>,
): Promise<Settled> {
  let owners = taken;
  for (let round = 1; round <= SETTLE_ROUNDS_MAX; round += 1) {
    const { digested, foreign } = await inspect(context, owners);
    const settled: Checkpoint[] = [];
    for (const owner of owners) {
      const writtenUpTo = digested.writtenUpTo.get(partitionName(owner)) ?? 0;
      const target = Math.min(writtenUpTo, ends.get(partitionName(owner)) ?? 0);
      settled.push(await replay(context, log, owner, Math.max(owner.next, target), () => undefined));
    }
    if (settled.every(({ next }, index) => next === owners[index]?.next)) {
      return { owners, before: digested, foreign };
    }
    owners = settled;
  }
  throw new ProjectionMovingError(context.projection);
}

/** Digests the documents and finds those that no owner wrote. */
async function inspect(
  { store, folds }: ProjectionContext,
  owners: readonly Checkpoint[],
): Promise<{ digested: DigestedDocuments; foreign: Foreign }> {
  const epochs = new Map(owners.map((owner) => [partitionName(owner), owner.epoch]));
  const foreign = new Map<string, StoredDocument[]>();
  const digested = await digestDocuments(store, folds, (collection, document) => {
    const { _id, _position, _partition, _epoch } = document;
    if (typeof _epoch !== 'number' || _epoch > (epochs.get(_partition) ?? 0)) {
      const found = foreign.get(collection) ?? [];
      if (found.length >= FOREIGN_MAX) {
        throw new ForeignDocumentsError(collection);
      }
      found.push({ _id, _position, _partition, _epoch });
      foreign.set(collection, found);
    }
  });
  return { digested, foreign };
}

function isAhead(owners: readonly Checkpoint[], { writtenUpTo }: DigestedDocuments): boolean {
  return owners.some((owner) => (writtenUpTo.get(partitionName(owner)) ?? 0) > owner.next);
}

/** Removes what was written before the rebuild and not written again since. */
async function removeRemains({ store, folds }: ProjectionContext, rebuilt: readonly Checkpoint[]): Promise<void> {
  const since = new Map(rebuilt.map((owner) => [partitionName(owner), owner.since]));
  for (const { collection } of folds) {
    let remains: StoredDocument[] = [];
    for await (const document of store.scan(collection)) {
      const { _partition, _epoch } = document;
      if (typeof _epoch !== 'number' || _epoch < (since.get(_partition) ?? Infinity)) {
        remains.push(document);
      }
      if (remains.length >= REMOVED_AT_ONCE) {
        await store.remove(collection, remains);
        remains = [];
      }
    }
    await store.remove(collection, remains);
  }
  for await (const parked of store.scanParked()) {
    if (parked.epoch < (since.get(partitionName(parked)) ?? Infinity)) {
      await store.release(parked);
    }
  }
}

async function countParked({ store }: ProjectionContext, owners: readonly Checkpoint[]): Promise<number> {
  const since = new Map(owners.map((owner) => [partitionName(owner), owner.since]));
  let parked = 0;
  for await (const key of store.scanParked()) {
    parked += key.epoch >= (since.get(partitionName(key)) ?? 0) ? 1 : 0;
  }
  return parked;
}

/** Applies the log from `owner.next` to `target`; answers the owner with its new `next`. */
async function replay(
  context: ProjectionContext,
  log: EventLog,
  from: Checkpoint,
  target: number,
  progress: (progress: RebuildProgress) => void,
): Promise<Checkpoint> {
  const partition = partitionName(from);
  let owner = from;
  if (owner.next < target) {
    for await (const records of log.read(owner, owner.next, target)) {
      for (let at = 0; at < records.length; at += RECORDS_AT_ONCE) {
        const applied = await applyRecords(context, owner, records.slice(at, at + RECORDS_AT_ONCE));
        owner = applied.owner;
        progress({ partition, next: owner.next, target });
      }
    }
  }
  if (owner.next < target) {
    throw new SourceIncompleteError(partition);
  }
  return owner;
}

/** Works on some items at a time. After a failure nothing new is begun, and nothing is under way when it rejects. */
async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const workers = Array.from({ length: atOnce }, async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  });
  await Promise.allSettled(workers);
  await Promise.all(workers);
}
