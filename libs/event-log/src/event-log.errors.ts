/** Why an append was refused or failed. */
export type AppendErrorCode =
  /** Not acknowledged after all attempts: the records at `failed` are ambiguous, the others are in the log. */
  | 'append-failed'
  /** Too much is waiting already. Nothing was sent; try later. */
  | 'append-queue-full'
  /** One call holds more than the queue may ever hold. Nothing was sent; split it. */
  | 'append-too-large'
  /** A record is larger than a record may be. Nothing was sent. */
  | 'record-too-large'
  /** The topic is not declared, or the partition is outside it. Nothing was sent. */
  | 'unknown-partition'
  | 'closed';

export class AppendError extends Error {
  override readonly name = 'AppendError';
  readonly code: AppendErrorCode;
  /** Indexes into the records of the call that are not known to be in the log. */
  readonly failed: readonly number[];

  constructor(code: AppendErrorCode, message: string, failed: readonly number[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.failed = failed;
  }
}

export type ReadErrorCode = 'offset-out-of-range' | 'read-stalled' | 'closed';

export class ReadError extends Error {
  override readonly name = 'ReadError';
  readonly code: ReadErrorCode;

  constructor(code: ReadErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The broker could not be reached when a connection was first needed. */
export class KafkaUnreachableError extends Error {
  override readonly name = 'KafkaUnreachableError';
  readonly code = 'kafka-unreachable';

  constructor(brokers: readonly string[], cause: unknown) {
    super(`no Kafka broker answers at ${brokers.join(', ')}; start the stack or correct KAFKA_BROKERS`, { cause });
  }
}

/**
 * What a handler threw, wrapped so that kafkajs may retry it: a bare TypeError, SyntaxError, RangeError or
 * ReferenceError ends a kafkajs consumer for good.
 */
export class RetryableHandlerError extends Error {
  override readonly name = 'RetryableHandlerError';
  readonly code = 'handler-failed';
  readonly retriable = true;

  constructor(partition: string, cause: unknown) {
    super(`the handler of ${partition} failed`, { cause });
  }
}

/** The declared topics cannot be read: every fault is listed. */
export class TopicDeclarationError extends Error {
  override readonly name = 'TopicDeclarationError';
  readonly code = 'topic-declaration-invalid';

  constructor(readonly faults: readonly string[]) {
    super(`the topic declaration is invalid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

/** The topics on the broker differ from the declaration: every difference is listed with what to do about it. */
export class TopicsDifferError extends Error {
  override readonly name = 'TopicsDifferError';
  readonly code = 'topics-differ';

  constructor(readonly differences: readonly string[]) {
    super(`the topics differ from the declaration:\n${differences.map((item) => `  - ${item}`).join('\n')}`);
  }
}
