export { Barrier } from './barrier.ts';
export type { BarrierOptions, BarrierResult, LogEnds } from './barrier.ts';
export { Checkpoints } from './checkpoints.ts';
export type { Fold, ProjectedDocument } from './fold.ts';
export { OwnedPartitions } from './owned-partitions.ts';
export {
  FoldDefinitionError,
  ForeignDocumentsError,
  HeldKeysChangedError,
  PoisonEventError,
  ProjectionMovingError,
  RecordsMissingError,
  ReplayTooLargeError,
  SourceIncompleteError,
  StaleOwnerError,
  WriteRefusedError,
} from './projection.errors.ts';
export type { Checkpoint, ParkedKey } from './projection-store.ts';
export { Projector } from './projector.ts';
export type { ProjectionCounts, ProjectionDigest, ProjectionLogger, ProjectorOptions } from './projector.ts';
export { REBUILD_GRACE_MS } from './rebuild-projection.ts';
export type { RebuildOptions, RebuildProgress, RebuildResult } from './rebuild-projection.ts';
export type { ReplayOutcome } from './replay-parked.ts';
