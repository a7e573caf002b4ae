import { TOPICS } from '@assent/contracts';
import type { RecordedEvent, TopicName } from '@assent/contracts';

import { FoldDefinitionError } from './projection.errors.ts';

/** What every read-model document has. The two underscored fields are set by the library; a fold may read them. */
export interface ProjectedDocument {
  _id: string;
  /** Offset of the last event that fed this document. */
  _position?: number;
  /** `topic/partition` that feeds it. */
  _partition?: string;
}

/**
 * One read model: how events become the documents of one collection. Pure, plain JSON only (no dates, no undefined in
 * lists), deterministic: dropped and replayed, it must give the same documents. `evolve` is a method, so that folds of
 * different documents fit in one list.
 */
export interface Fold<D extends ProjectedDocument = ProjectedDocument> {
  /** Owned by one projector alone. */
  readonly collection: string;
  readonly topics: readonly TopicName[];
  /**
   * Non-unique secondary indexes for queries; made at `init` and after a rebuild. Unique ones are not offered: they
   * would refuse what the log has already accepted.
   */
  readonly indexes?: readonly Readonly<Record<string, 1 | -1>>[];
  /**
   * Top-level fields that hold wall-clock times or other things a replay does not reproduce; left out of the digest.
   */
  readonly digestOmit?: readonly string[];
  /**
   * Ids of the documents this event feeds; empty = not interested. A document is fed by exactly one partition of one
   * topic: where a key can turn up in several, name the partition in the id.
   */
  idsOf(event: RecordedEvent): readonly string[];
  /**
   * The document after the event. `undefined` leaves things as they are; a document is never removed, because a replay
   * from the middle would bring it back: write a marker instead. Throws `PoisonEventError` to park the event's key; so
   * does any other error, with the reason `fold-failed`.
   */
  evolve(document: D | undefined, event: RecordedEvent, id: string): D | undefined;
}

/** A document as the store holds it, without `_epoch`. */
export interface FoldedDocument extends ProjectedDocument {
  _position: number;
  _partition: string;
}

/** Throws `FoldDefinitionError` for what would make a rebuild impossible or mix two read models. */
export function assertFolds(folds: readonly Fold[]): void {
  const collections = new Set<string>();
  for (const { collection, topics } of folds) {
    if (collections.has(collection)) {
      throw new FoldDefinitionError(`two folds write ${collection}`);
    }
    collections.add(collection);
    const limited = topics.find((topic) => !TOPICS[topic].keptForEver);
    if (limited !== undefined) {
      throw new FoldDefinitionError(`${collection} is folded from ${limited}, which is not kept for ever`);
    }
  }
}
