import type { RecordedEvent } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';
import { type DispatchState, evolveDispatch } from './dispatch.state.ts';

/** One dispatch, with what the send loop and the searches look it up by. */
export interface DispatchDocument extends DispatchState, ProjectedDocument {
  /**
   * Minute in which it is to be looked at, `YYYY-MM-DDTHH:MM` UTC, while it is planned or held until a time: the send
   * loop asks for exact minutes of its partitions.
   */
  readonly wakeMinute?: string;
  /** `subjectId` while the dispatch can still be cancelled. */
  readonly openFor?: string;
  /** The tenant while the rules hold or delay it: it is looked at again when they change. */
  readonly delayedFor?: string;
}

export const dispatchFold: Fold<DispatchDocument> = {
  collection: 'dispatches',
  topics: ['dispatch.events'],
  indexes: [
    { _partition: 1, wakeMinute: 1 },
    { _partition: 1, status: 1 },
    { openFor: 1 },
    { delayedFor: 1 },
    { subjectId: 1 },
    { tenant: 1, status: 1 },
  ],
  idsOf: (event) => {
    const { data } = event;
    return 'dispatchId' in data && typeof data.dispatchId === 'string' ? [data.dispatchId] : [];
  },
  evolve: (document, event, id) => documentOf(document, event, id),
};

function documentOf(
  before: DispatchDocument | undefined,
  event: RecordedEvent,
  id: string,
): DispatchDocument | undefined {
  const state = evolveDispatch(before, event);
  if (state === undefined) return before;
  const { wakeMinute: _wake, openFor: _open, delayedFor: _delayed, ...rest } = state as DispatchDocument;
  const wakeAt = wakeAtOf(state);
  const isOpen = state.status === 'planned' || state.status === 'held';
  return {
    ...rest,
    _id: id,
    ...(wakeAt === undefined ? {} : { wakeMinute: minuteOf(wakeAt) }),
    ...(isOpen && state.subjectId !== undefined ? { openFor: state.subjectId } : {}),
    ...(state.status === 'held' || state.isDelayed === true ? { delayedFor: state.tenant } : {}),
  };
}

/** When the send loop has to look at it, RFC 3339; undefined when only an event changes it. */
export function wakeAtOf(state: DispatchState): string | undefined {
  if (state.status === 'planned') return state.dueAt ?? state.acceptedAt;
  if (state.status === 'held') return state.retryAt;
  return undefined;
}

/** `YYYY-MM-DDTHH:MM` of an RFC 3339 instant in UTC. */
export function minuteOf(instant: string): string {
  return new Date(instant).toISOString().slice(0, 16);
}
