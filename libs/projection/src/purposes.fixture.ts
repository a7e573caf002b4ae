import { dataSchemaOf, deterministicId, encodeEvent } from '@assent/contracts';
import type { LogRecord, NewRecord } from '@assent/contracts';
import type { RecordBatch } from '@assent/event-log';

import type { Fold, ProjectedDocument } from './fold.ts';
import { PoisonEventError } from './projection.errors.ts';

export const catalog = 'consent.catalog';

/** A purpose under a name. The folds below take the name `spoilt` for poison until they are mended. */
export function purposePublished(purposeId: string, name: string): NewRecord {
  return encodeEvent(catalog, {
    id: deterministicId('purpose', purposeId, name),
    source: '/consent',
    type: 'purpose.published.v1',
    time: '2026-11-24T09:30:00.000Z',
    tenant: 'acme',
    partitionKey: purposeId,
    dataSchema: dataSchemaOf('purpose.published.v1'),
    data: { purposeId, name, description: 'News', category: 'marketing' },
  });
}

/** A record that can never be decoded. */
export function unreadable(purposeId: string): NewRecord {
  return { ...purposePublished(purposeId, 'unreadable'), value: new TextEncoder().encode('{') };
}

/** An event of a type of some later version. */
export function ofUnknownType(purposeId: string): NewRecord {
  const record = purposePublished(purposeId, 'unknown');
  const type = { name: 'ce_type', value: new TextEncoder().encode('purpose.renamed.v9') };
  return { ...record, headers: record.headers.map((header) => (header.name === 'ce_type' ? type : header)) };
}

interface PurposeNames extends ProjectedDocument {
  names: readonly string[];
}

/** One document per purpose: every name it ever had, in order. */
export const purposeNames: Fold<PurposeNames> = {
  collection: 'purpose_names',
  topics: [catalog],
  idsOf: (event) => (event.type === 'purpose.published.v1' ? [event.data.purposeId] : []),
  evolve: (document, event, id) =>
    event.type === 'purpose.published.v1'
      ? { ...document, _id: id, names: [...(document?.names ?? []), event.data.name] }
      : undefined,
};

interface PartitionHistory extends ProjectedDocument {
  history: string;
}

/** One document per partition, fed by all of its keys: what happened, in order. Refuses `spoilt` unless mended. */
function partitionHistory(options: { mended: boolean }): Fold<PartitionHistory> {
  return {
    collection: 'partition_history',
    topics: [catalog],
    idsOf: ({ position }) => [`history-${String(position.partition)}`],
    evolve: (document, event, id) => {
      if (event.type !== 'purpose.published.v1') {
        return undefined;
      }
      if (event.data.name === 'spoilt' && !options.mended) {
        throw new PoisonEventError('spoilt-name');
      }
      return { ...document, _id: id, history: `${document?.history ?? ''} ${event.data.purposeId}:${event.data.name}` };
    },
  };
}

export function purposeFolds(options = { mended: false }): readonly Fold[] {
  return [purposeNames, partitionHistory(options)];
}

/** What a transport would deliver. */
export function batchOf(records: readonly LogRecord[], changes: Partial<RecordBatch> = {}): RecordBatch {
  const [first] = records;
  return {
    topic: first?.topic ?? catalog,
    partition: first?.partition ?? 0,
    records,
    epoch: 0,
    heartbeat: () => Promise.resolve(),
    isCurrent: () => true,
    ...changes,
  };
}

export const silentLogger = { info: () => undefined, warn: () => undefined };

/** Records as the log would hold them, from offset 0 of partition 0. */
export function inPartition0(records: readonly NewRecord[]): LogRecord[] {
  return records.map(({ topic, key, headers, value }, offset) => ({
    topic,
    partition: 0,
    offset,
    timestampMs: 1_764_000_000_000,
    key: new TextEncoder().encode(key),
    headers,
    value,
  }));
}
