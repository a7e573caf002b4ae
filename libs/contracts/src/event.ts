import type { EventData } from './generated/event-data.ts';
import type { Position } from './position.ts';

export type EventType = keyof EventData;

/** A CloudEvents 1.0 event with Assent's extensions. */
export interface AssentEvent<T extends EventType = EventType> {
  /** Unique with tenant and source; a repeat is the same fact. */
  id: string;
  /** Who wrote it, as a URI reference. */
  source: string;
  type: T;
  /** When it happened (valid time): RFC 3339, UTC, milliseconds. */
  time: string;
  tenant: string;
  /** The record's key. Empty only for a record of dispatch.requests that was written without a key. */
  partitionKey: string;
  /** `$id` of the schema of the data. */
  dataSchema: string;
  /** Id of the event that caused this one. */
  causationId?: string;
  correlationId?: string;
  /** W3C trace context. */
  traceParent?: string;
  data: EventData[T];
}

/** Any event; narrows by `type`. */
export type AnyEvent = { [T in EventType]: AssentEvent<T> }[EventType];

/** An event as it stands in the log. */
export type RecordedEvent = AnyEvent & {
  position: Position;
  /** When the log took it (recorded time): RFC 3339, UTC, milliseconds. */
  recordedAt: string;
};

export interface RecordHeader {
  name: string;
  value: Uint8Array;
}

/** A record as Kafka holds it. */
export interface LogRecord {
  topic: string;
  partition: number;
  /** below 2^53 */
  offset: number;
  /** LogAppendTime, epoch milliseconds */
  timestampMs: number;
  key: Uint8Array | null;
  headers: readonly RecordHeader[];
  value: Uint8Array | null;
}

/** A record that is not yet appended. Its partition is murmur2(key) modulo partitions, unless it is given. */
export interface NewRecord {
  topic: string;
  key: string;
  partition?: number;
  headers: readonly RecordHeader[];
  value: Uint8Array;
}
