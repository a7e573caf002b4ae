import { type TopicName, TOPICS } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** Records listed under one key: a person's or a message's history is a few dozen. */
export const RECORDS_MAX = 1_000;

const FOR_EVER = (Object.keys(TOPICS) as TopicName[]).filter(
  (topic) => TOPICS[topic].keptForEver && TOPICS[topic].owner !== 'audit',
);

/** Topics whose records are looked up by the person, or the address, that is their key. */
export const KEYED_TOPICS = ['consent.events', 'suppression.events', 'dispatch.events'] as const satisfies TopicName[];

/** Where an event is. `_id` is the event's id. */
export interface EventPosition extends ProjectedDocument {
  readonly tenant: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Positions by event id, of the topics that are kept for ever. A pointer to where to look, not a proof: the entry there
 * says its own id.
 */
export const eventPositionsFold: Fold<EventPosition> = {
  collection: 'event-positions',
  topics: FOR_EVER,
  idsOf: (event) => [event.id],
  evolve(document, { tenant, position: { topic, partition, offset } }, id) {
    return document === undefined ? { _id: id, tenant, topic, partition, offset } : undefined;
  },
};

/** Offsets of the records with one key in one topic, in order. `_id` is topic and key. */
export interface KeyedRecords extends ProjectedDocument {
  readonly tenant: string;
  readonly topic: string;
  readonly partition: number;
  readonly offsets: readonly number[];
  /** Records beyond RECORDS_MAX, which are in the log only. */
  readonly notKept: number;
}

/** The `_id` of a key's records. */
export function keyedRecordsId(topic: string, key: string): string {
  return `${topic}|${key}`;
}

export const keyedRecordsFold: Fold<KeyedRecords> = {
  collection: 'keyed-records',
  topics: KEYED_TOPICS,
  idsOf: ({ position: { topic }, partitionKey }) => [keyedRecordsId(topic, partitionKey)],
  evolve(document, { tenant, position: { topic, partition, offset } }, id) {
    const before = document ?? { _id: id, tenant, topic, partition, offsets: [], notKept: 0 };
    if (before.offsets.length >= RECORDS_MAX) return { ...before, notKept: before.notKept + 1 };
    return { ...before, offsets: [...before.offsets, offset] };
  },
};
