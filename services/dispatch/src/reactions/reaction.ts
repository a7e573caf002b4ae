import type { AnyEvent, EventType, RecordedEvent } from '@assent/contracts';

/** A recorded event of one type. */
export type EventOf<T extends EventType> = Extract<RecordedEvent, { type: T }>;

/**
 * Facts that follow from a fact. The ids of the answer derive from the event, so reacting twice appends the same facts
 * again, which changes nothing. Never waits for our own read models: the consumer that calls it is the one that would
 * have to bring them up to date.
 */
export interface Reaction<T extends EventType = EventType> {
  readonly to: T;
  /** A list, or one fact after the other where there may be very many. */
  react(event: EventOf<T>): Promise<readonly AnyEvent[]> | AsyncIterable<AnyEvent>;
}
