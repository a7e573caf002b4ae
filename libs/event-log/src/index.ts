export type { IntakeStatus, OwnedPartition, PartitionState, PartitionStatus, RecordBatch } from './batch-intake.ts';
export { partitionKey, type AppendOptions, type EventLog, type TopicPartition } from './event-log.ts';
export {
  AppendError,
  KafkaUnreachableError,
  ReadError,
  RetryableHandlerError,
  TopicDeclarationError,
  TopicsDifferError,
  type AppendErrorCode,
  type ReadErrorCode,
} from './event-log.errors.ts';
export { InMemoryEventLog, type InMemoryEventLogOptions } from './in-memory-event-log.ts';
export { KafkaBatchStrategy, RethrowRpcErrors, type KafkaBatchStrategyOptions } from './kafka-batch-strategy.ts';
export { KafkaEventLog, type KafkaEventLogOptions } from './kafka-event-log.ts';
export { type KafkaSettings } from './kafka-settings.ts';
export { type EventLogLogger } from './logger.ts';
export { RECORD_BYTES_MAX, type PartitionCounts } from './log-record.ts';
export { murmur2, partitionOfKey } from './murmur2.ts';
export {
  loadTopicDeclaration,
  partitionCounts,
  type DeclaredTopic,
  type TopicDeclaration,
  type TopicEnvironment,
} from './topic-declaration.ts';
export { RestoreError, restoreTopic, type RestoredPartition } from './restore-topic.ts';
export { provisionTopics, verifyTopics } from './topic-provisioning.ts';
