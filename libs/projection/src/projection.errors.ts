/**
 * Somebody else took the partition, or the group moved it. Nothing after the last checkpoint counts; documents written
 * meanwhile are guarded and therefore harmless. The consumer stops this partition or takes it again; a retry without
 * a new take cannot succeed.
 */
export class StaleOwnerError extends Error {
  override readonly name = 'StaleOwnerError';
  readonly code = 'stale-owner';

  constructor(
    readonly projection: string,
    readonly partition: string,
  ) {
    super(`${projection} no longer owns ${partition}`);
  }
}

/**
 * Thrown by a fold that cannot take an event, now or ever: the event's key is parked. `reason` is a stable kebab-case
 * code and is stored and logged, so it never holds content.
 */
export class PoisonEventError extends Error {
  override readonly name = 'PoisonEventError';
  readonly code = 'poison-event';

  constructor(readonly reason: string) {
    super(`the event cannot be folded: ${reason}`);
  }
}

/**
 * Records between the checkpoint and the batch were never delivered. Applying the batch would let documents skip them
 * for ever, so nothing was written.
 */
export class RecordsMissingError extends Error {
  override readonly name = 'RecordsMissingError';
  readonly code = 'records-missing';

  constructor(
    readonly partition: string,
    readonly expected: number,
    readonly found: number,
  ) {
    super(`${partition} continues at ${String(found)} although ${String(expected)} was not applied yet`);
  }
}

/**
 * A held key was replayed while a batch skipped its events. Nothing was checkpointed; applying the batch again mends
 * it.
 */
export class HeldKeysChangedError extends Error {
  override readonly name = 'HeldKeysChangedError';
  readonly code = 'held-keys-changed';

  constructor(readonly partition: string) {
    super(`the held keys of ${partition} changed meanwhile`);
  }
}

/**
 * The store keeps refusing a document although it holds no newer one: another unique index, or writers that never
 * rest.
 */
export class WriteRefusedError extends Error {
  override readonly name = 'WriteRefusedError';
  readonly code = 'write-refused';

  constructor(readonly collection: string) {
    super(`the store refuses writes to ${collection} although it holds older documents`);
  }
}

/** A digest was asked for while events were being applied. Stop the consumer and ask again. */
export class ProjectionMovingError extends Error {
  override readonly name = 'ProjectionMovingError';
  readonly code = 'projection-moving';

  constructor(readonly projection: string) {
    super(`${projection} is not at a stopped checkpoint`);
  }
}

/** The log no longer holds, or does not answer, what a rebuild needs. Thrown before anything is changed. */
export class SourceIncompleteError extends Error {
  override readonly name = 'SourceIncompleteError';
  readonly code = 'source-incomplete';

  constructor(readonly partition: string) {
    super(`the log does not hold ${partition} from its first record to the checkpoint`);
  }
}

/** A collection is full of documents that no owner wrote: it belongs to somebody else. Nothing was changed. */
export class ForeignDocumentsError extends Error {
  override readonly name = 'ForeignDocumentsError';
  readonly code = 'foreign-documents';

  constructor(readonly collection: string) {
    super(`${collection} holds documents that no projector wrote`);
  }
}

/** One key feeds more documents than a replay keeps in memory. Rebuild the projection instead. */
export class ReplayTooLargeError extends Error {
  override readonly name = 'ReplayTooLargeError';
  readonly code = 'replay-too-large';

  constructor(readonly documentsMax: number) {
    super(`the key feeds more than ${String(documentsMax)} documents; rebuild the projection instead`);
  }
}

/** A fold breaks a rule that replays depend on. A defect of the program; thrown when the projector is made. */
export class FoldDefinitionError extends Error {
  override readonly name = 'FoldDefinitionError';
  readonly code = 'fold-definition';
}
