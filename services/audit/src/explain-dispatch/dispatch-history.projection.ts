import type { RecordedEvent } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** Events kept of one dispatch: a message has about ten, and retries and statuses are bounded by its expiry. */
export const EVENTS_MAX = 500;

/** One event of a dispatch, its sealed fields left out. */
export interface DispatchHistoryEvent {
  readonly offset: number;
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly recordedAt: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Everything dispatch.events says about one dispatch, in order. `_id` is the dispatchId. */
export interface DispatchHistory extends ProjectedDocument {
  readonly tenant: string;
  readonly events: readonly DispatchHistoryEvent[];
  /** Events beyond EVENTS_MAX, which are in the log only. */
  readonly notKept: number;
}

/** All events of a dispatch have the same key, so one partition feeds its document. */
export const dispatchHistoryFold: Fold<DispatchHistory> = {
  collection: 'dispatch-histories',
  topics: ['dispatch.events'],
  idsOf(event) {
    return 'dispatchId' in event.data ? [event.data.dispatchId] : [];
  },
  evolve(document, event, id) {
    const before = document ?? { _id: id, tenant: event.tenant, events: [], notKept: 0 };
    if (before.events.some((known) => known.id === event.id)) return document;
    if (before.events.length >= EVENTS_MAX) return { ...before, notKept: before.notKept + 1 };
    return { ...before, events: [...before.events, historyEvent(event)] };
  },
};

function historyEvent(event: RecordedEvent): DispatchHistoryEvent {
  const { id, type, time, recordedAt, position } = event;
  return { offset: position.offset, id, type, time, recordedAt, data: withoutSealed(event.data) };
}

/** The data of an event without what is sealed: it says nothing to a reader without the key. */
export function withoutSealed(data: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).filter(([name]) => !name.startsWith('sealed')));
}
