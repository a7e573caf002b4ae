import type { Connection } from 'mongoose';
import type { Position } from '@assent/contracts';
import { Problem } from '@assent/service-runtime';
import {
  eventPositionsFold,
  type EventPosition,
  keyedRecordsFold,
  type KeyedRecords,
  keyedRecordsId,
} from './record-positions.projection.ts';

const PRIMARY = { readPreference: 'primary' } as const;

/** A record as a caller names it: by its event's id, or by its position. */
export type AskedRecord = Position | { readonly eventId: string };

/** Positions of a key's records, and how many more there are than are listed. */
export interface FoundRecords {
  readonly positions: readonly Position[];
  readonly notListed: number;
}

/** Finds where records are, within one tenant. */
export class RecordFinder {
  constructor(private readonly db: Connection) {}

  /** Positions by event id; ids that are unknown, or another tenant's, are left out. */
  async byEventIds(tenant: string, ids: readonly string[]): Promise<Map<string, Position>> {
    const found = await this.db
      .collection<EventPosition>(eventPositionsFold.collection)
      .find({ _id: { $in: [...ids] } }, PRIMARY)
      .toArray();
    return new Map(
      found
        .filter((document) => document.tenant === tenant)
        .map(({ _id, topic, partition, offset }) => [_id, { topic, partition, offset }]),
    );
  }

  /**
   * Where a record is that a caller named.
   * @throws Problem 404 `no-such-event`
   */
  async position(tenant: string, record: AskedRecord): Promise<Position> {
    if (!('eventId' in record)) return record;
    const found = (await this.byEventIds(tenant, [record.eventId])).get(record.eventId);
    return found ?? noSuchEvent();
  }

  /** Records whose key is one of these, topic by topic. */
  async byKeys(tenant: string, topics: readonly string[], keys: readonly string[]): Promise<FoundRecords> {
    const ids = topics.flatMap((topic) => keys.map((key) => keyedRecordsId(topic, key)));
    const found = await this.db
      .collection<KeyedRecords>(keyedRecordsFold.collection)
      .find({ _id: { $in: ids } }, PRIMARY)
      .toArray();
    const mine = found.filter((document) => document.tenant === tenant);
    return {
      positions: mine.flatMap(({ topic, partition, offsets }) =>
        offsets.map((offset) => ({ topic, partition, offset })),
      ),
      notListed: mine.reduce((sum, { notKept }) => sum + notKept, 0),
    };
  }
}

/** @throws Problem 404 `no-such-event`, always */
export function noSuchEvent(): never {
  throw new Problem({
    status: 404,
    code: 'no-such-event',
    title: 'There is no such event',
    detail: 'The log has no event with this id in a topic that is kept for ever.',
  });
}
