/** What a record is made of, byte for byte; headers of one name in their order. */
export interface RecordBytes {
  readonly key: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
  readonly value: Buffer | null;
}

/** One record of a topic, read raw: nothing of the product interprets it. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Recorded time, epoch ms: the broker's LogAppendTime. */
  readonly recordedAtMs: number;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The value as JSON; undefined when it is none. */
  readonly data: unknown;
  /** Kept by the reader; histories that tests write down have none. */
  readonly bytes?: RecordBytes;
}

/** One call that reached the provider, as the simulator logged it. */
export interface CallRecord {
  readonly seq: number;
  /** First byte, epoch ms. */
  readonly receivedAtMs: number;
  /** First byte, CLOCK_MONOTONIC ms. */
  readonly receivedAtMonotonicMs: number;
  readonly template?: string;
  /** attemptId.dispatchId.subjectId, see docs/adr/0010 */
  readonly bizOpaqueCallbackData?: string;
  readonly outcome: 'accepted' | 'refused' | 'broken';
  readonly reply: 'sent' | 'delayed' | 'lost' | 'reset';
}

/** A write that was answered with a 2xx; times are taken right after the answer had arrived. */
export interface AcknowledgedWrite {
  readonly kind: string;
  readonly subjectId?: string;
  /** Ids and positions of the answer. */
  readonly ids: Readonly<Record<string, string>>;
  /** Before the first byte of the request that was acknowledged. */
  readonly begunAtMs: number;
  readonly begunAtMonotonicMs: number;
  readonly acknowledgedAtMs: number;
  readonly acknowledgedAtMonotonicMs: number;
}

/** Something that must not have happened. Holds no personal data. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
}

/** `consent.events/3` */
export function logName({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

/** The type of the event in a record: the CloudEvents attribute `type` in binary mode. */
export function typeOf(record: RawRecord): string {
  return record.headers['ce_type'] ?? '';
}

/** Fields of a record's data; none when it is not an object. */
export function fieldsOf(record: RawRecord): Readonly<Record<string, unknown>> {
  return asFields(record.data);
}

export function asFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function textAt(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}
