import type { LogRecord, NewRecord, RecordHeader } from '@assent/contracts';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { PreparedRecord } from './append-queue.ts';
import { AppendError } from './event-log.errors.ts';
import { partitionOfKey } from './murmur2.ts';

/**
 * The largest record, in bytes of key, headers and value. A webhook of 3 MB (the platform's limit), sealed and in
 * base64, still fits, so that one that cannot be understood can be quarantined whole. `max.message.bytes` in
 * infra/kafka/topics.yaml is larger, for the batch around it.
 */
export const RECORD_BYTES_MAX = 5_000_000;

/** Lengths, deltas and attributes of one record in a batch: at most 32 bytes; each header adds two lengths. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 10;

/** Number of partitions per topic, as declared. */
export type PartitionCounts = Readonly<Record<string, number>>;

export function partitionCountOf(counts: PartitionCounts, topic: string): number {
  const count = Object.hasOwn(counts, topic) ? counts[topic] : undefined;
  if (count === undefined) throw new AppendError('unknown-partition', `the topic ${topic} is not declared`);
  return count;
}

/** Decides each record's partition and checks its size; throws `AppendError` before anything is queued. */
export function prepareRecords(records: readonly NewRecord[], counts: PartitionCounts): PreparedRecord[] {
  return records.map((record, index) => {
    const partitions = partitionCountOf(counts, record.topic);
    const partition = record.partition ?? partitionOfKey(record.key, partitions);
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions) {
      throw new AppendError('unknown-partition', `${record.topic} has no partition ${partition}`, [index]);
    }
    const bytes = sizeOf(record);
    if (bytes > RECORD_BYTES_MAX) {
      throw new AppendError('record-too-large', `a record holds at most ${RECORD_BYTES_MAX} bytes`, [index]);
    }
    const message = { key: record.key, value: bufferOf(record.value), headers: headersOf(record.headers), partition };
    return { topic: record.topic, partition, message, bytes };
  });
}

function sizeOf({ key, headers, value }: NewRecord): number {
  const inHeaders = headers.reduce(
    (sum, header) => sum + Buffer.byteLength(header.name) + header.value.byteLength + HEADER_OVERHEAD_BYTES,
    0,
  );
  return Buffer.byteLength(key) + value.byteLength + inHeaders + RECORD_OVERHEAD_BYTES;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** kafkajs takes headers by name: repeats keep their order among themselves, names the order of their first use. */
function headersOf(headers: readonly RecordHeader[]): IHeaders {
  const byName = new Map<string, Buffer[]>();
  for (const { name, value } of headers) {
    const values = byName.get(name) ?? [];
    byName.set(name, values);
    values.push(bufferOf(value));
  }
  return Object.fromEntries(byName);
}

/**
 * A record as it stands in the log. Headers are grouped by name with repeats in order (all that kafkajs keeps; a leaf
 * sorts them by name anyway); a header without a value reads as empty.
 */
export function logRecordOf(topic: string, partition: number, message: KafkaMessage): LogRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    headers: Object.entries(message.headers ?? {}).flatMap(([name, values]) => headersNamed(name, values)),
    value: message.value,
  };
}

function headersNamed(name: string, values: unknown): RecordHeader[] {
  const list: unknown[] = Array.isArray(values) ? values : [values];
  // A header named like a member of Object.prototype arrives with that member in front of its values.
  const own = list.filter((value) => typeof value !== 'function' && value !== Object.prototype);
  return own.map((value) => ({ name, value: Buffer.isBuffer(value) ? value : Buffer.alloc(0) }));
}
