import { isUtf8 } from 'node:buffer';
import { attributesOf, headersOf, readHeaders } from './attributes.ts';
import type { Attributes } from './attributes.ts';
import { EventEncodeError, InvalidEventError, UnknownEventTypeError } from './event-errors.ts';
import type { EventFault } from './event-errors.ts';
import type { AnyEvent, EventType, LogRecord, NewRecord, RecordedEvent } from './event.ts';
import type { TopicName } from './generated/event-data.ts';
import { PATTERNS } from './generated/schemas.ts';
import { assertJson, canonicalJson, JsonError } from './json.ts';
import { TOPICS } from './topics.ts';
import { attributesViolation, dataSchemaOf, dataViolation, expectedKey, isEventType, topicOf } from './validation.ts';

/** Below Kafka's default message.max.bytes (1 MiB) with room for headers; above a Sealed of the largest size. */
export const VALUE_BYTES_MAX = 524_288;

const CONTENT_TYPE = /^application\/json(; ?charset=utf-8)?$/i;

/**
 * The record of an event: CloudEvents 1.0, Kafka protocol binding, binary mode. Headers in a fixed order; the value is
 * the canonical JSON of the data (canonicalJson), so equal events have equal bytes, which are the bytes the audit log
 * hashes. `topic` must be the one its type belongs to.
 * Throws EventEncodeError: `unknown-event-type`, `wrong-topic`, `schema-violation` (also for a `time` that is not UTC
 * with milliseconds), `key-mismatch`, `value-too-large` (VALUE_BYTES_MAX), or a JsonFault such as `lone-surrogate`.
 */
export function encodeEvent(topic: TopicName, event: AnyEvent): NewRecord {
  const refuse = (fault: EventFault): never => {
    throw new EventEncodeError(fault);
  };
  if (!isEventType(event.type)) refuse({ code: 'unknown-event-type', pointer: '/ce_type' });
  if (topicOf(event.type) !== topic) refuse({ code: 'wrong-topic' });
  const json = guardJson(() => canonicalJson(event.data), refuse);
  const attributes = attributesOf(event);
  checkAttributes(event.type, attributes, refuse);
  if (!PATTERNS.Instant.test(event.time)) refuse(timeFault);
  checkData(event.type, attributes, event.data, refuse);
  const value = Buffer.from(json);
  if (value.length > VALUE_BYTES_MAX) refuse({ code: 'value-too-large' });
  return { topic, key: event.partitionKey, headers: headersOf(attributes), value };
}

/**
 * The event in a record. Data keeps members that this program does not know. `time` may have any offset and is answered
 * in UTC with milliseconds. In dispatch.requests, which other programs write, `partitionkey` and `dataschema` may be
 * missing and every record key will do.
 * Throws UnknownEventTypeError (skip and count) or InvalidEventError (park); both name places, never values.
 */
export function decodeEvent(record: LogRecord): RecordedEvent {
  const at = `${record.topic}/${String(record.partition)}@${String(record.offset)}`;
  const refuse = (fault: EventFault): never => {
    throw new InvalidEventError(fault, at);
  };
  const { attributes, contentType } = readHeaders(record.headers, refuse);
  const type = knownType(attributes.type, refuse, at);
  if (topicOf(type) !== record.topic) refuse({ code: 'wrong-topic' });
  if (contentType === undefined) return refuse({ code: 'missing-header', pointer: '/content-type' });
  if (!CONTENT_TYPE.test(contentType)) refuse({ code: 'unsupported-content-type', pointer: '/content-type' });
  if (isIntake(type)) attributes.dataschema ??= dataSchemaOf(type);
  checkAttributes(type, attributes, refuse);
  const key = record.key === null ? undefined : textOf(record.key);
  if (!isIntake(type) && key !== attributes.partitionkey) refuse({ code: 'key-mismatch' });
  const data = readValue(record.value, refuse);
  checkData(type, attributes, data, refuse);
  return recordedEvent(record, type, attributes, key, data, refuse);
}

type Refuse = (fault: EventFault) => never;

const timeFault: EventFault = { code: 'schema-violation', pointer: '/ce_time', keyword: 'pattern' };

/** Platform teams write its topic with programs of their own. */
function isIntake(type: EventType): boolean {
  return TOPICS[topicOf(type)].owner === 'platform-teams';
}

function knownType(text: string | undefined, refuse: Refuse, at: string): EventType {
  if (text === undefined) return refuse({ code: 'missing-header', pointer: '/ce_type' });
  if (!isEventType(text)) throw new UnknownEventTypeError(at);
  return text;
}

function checkAttributes(type: EventType, attributes: Attributes, refuse: Refuse): void {
  const violation = attributesViolation(attributes);
  if (violation !== undefined) {
    const pointer = violation.pointer.replace('/', '/ce_');
    refuse({ code: violation.keyword === 'required' ? 'missing-header' : 'schema-violation', ...violation, pointer });
  }
  if (attributes.partitionkey === undefined && !isIntake(type)) {
    refuse({ code: 'missing-header', pointer: '/ce_partitionkey' });
  }
  if (attributes.dataschema !== dataSchemaOf(type)) {
    refuse({ code: 'schema-violation', pointer: '/ce_dataschema', keyword: 'const' });
  }
}

function checkData(type: EventType, attributes: Attributes, data: unknown, refuse: Refuse): void {
  const violation = dataViolation(type, data);
  if (violation !== undefined) {
    refuse({ code: 'schema-violation', ...violation, pointer: `/data${violation.pointer}` });
  }
  const key = expectedKey(type, data as Readonly<Record<string, unknown>>);
  if (key !== undefined && key !== attributes.partitionkey) refuse({ code: 'key-mismatch' });
}

function readValue(value: Uint8Array | null, refuse: Refuse): unknown {
  if (value === null) return refuse({ code: 'null-value' });
  if (value.length > VALUE_BYTES_MAX) refuse({ code: 'value-too-large' });
  const text = textOf(value);
  if (text === undefined) return refuse({ code: 'malformed-json' });
  return guardJson(() => {
    const data: unknown = JSON.parse(text);
    assertJson(data);
    return data;
  }, refuse);
}

/** Turns what JSON refuses into a fault. JSON.parse's own message quotes the text, so it is dropped. */
function guardJson<T>(work: () => T, refuse: Refuse): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof JsonError) return refuse({ code: error.code, pointer: '/data' });
    if (error instanceof SyntaxError) return refuse({ code: 'malformed-json', pointer: '/data' });
    throw error;
  }
}

/**
 * The event of a record whose attributes and data were checked against its schemas; only the schemas know that they
 * fit. One literal without spreads, because this runs for every record of a replay.
 */
function recordedEvent(
  record: LogRecord,
  type: EventType,
  attributes: Attributes,
  key: string | undefined,
  data: unknown,
  refuse: Refuse,
): RecordedEvent {
  const event = {
    id: attributes.id,
    source: attributes.source,
    type,
    time: utcOf(attributes.time ?? '') ?? refuse(timeFault),
    tenant: attributes.tenant,
    partitionKey: attributes.partitionkey ?? key ?? '',
    dataSchema: attributes.dataschema,
    data,
    position: { topic: record.topic, partition: record.partition, offset: record.offset },
    recordedAt: recordedAt(record.timestampMs) ?? refuse({ code: 'malformed-timestamp' }),
  } as RecordedEvent;
  if (attributes.causationid !== undefined) event.causationId = attributes.causationid;
  if (attributes.correlationid !== undefined) event.correlationId = attributes.correlationid;
  if (attributes.traceparent !== undefined) event.traceParent = attributes.traceparent;
  return event;
}

/** Text of UTF-8 bytes, or undefined when they are not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : undefined;
}

/** The broker's time stamp as text; Kafka writes -1 where there is none. */
function recordedAt(timestampMs: number): string | undefined {
  return timestampMs < 0 ? undefined : instantOf(timestampMs);
}

/** A valid RFC 3339 instant in UTC with milliseconds. */
function utcOf(time: string): string | undefined {
  return PATTERNS.Instant.test(time) ? time : instantOf(Date.parse(time));
}

/** RFC 3339 in UTC with milliseconds, or undefined when there is no such instant in the years 0 to 9999. */
function instantOf(epochMs: number): string | undefined {
  const instant = new Date(epochMs);
  const text = Number.isNaN(instant.getTime()) ? undefined : instant.toISOString();
  return text !== undefined && PATTERNS.Instant.test(text) ? text : undefined;
}
