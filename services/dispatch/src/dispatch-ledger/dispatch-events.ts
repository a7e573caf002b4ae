import {
  type AnyEvent,
  type AssentEvent,
  dataSchemaOf,
  deterministicId,
  type EventData,
  type EventType,
} from '@assent/contracts';

/** The types of dispatch.events. */
export type DispatchEventType = Extract<EventType, `dispatch.${string}`>;

export interface DispatchFact<T extends DispatchEventType> {
  readonly type: T;
  readonly tenant: string;
  /** Record key: the subjectId; the address key or the request's id when there is no person. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly data: EventData[T];
  /** What makes the fact this fact: the same parts give the same event id, so a repeat is the same event. */
  readonly idParts: readonly string[];
  readonly causationId?: string;
  readonly correlationId?: string;
  readonly traceParent?: string;
}

/** A fact of dispatch as an event with a deterministic id. */
export function dispatchEvent<T extends DispatchEventType>(fact: DispatchFact<T>): AnyEvent {
  const event: AssentEvent<T> = {
    id: deterministicId(fact.type, fact.tenant, ...fact.idParts),
    source: '/dispatch',
    type: fact.type,
    time: new Date(fact.at).toISOString(),
    tenant: fact.tenant,
    partitionKey: fact.key,
    dataSchema: dataSchemaOf(fact.type),
    ...(fact.causationId === undefined ? {} : { causationId: fact.causationId }),
    ...(fact.correlationId === undefined ? {} : { correlationId: fact.correlationId }),
    ...(fact.traceParent === undefined ? {} : { traceParent: fact.traceParent }),
    data: fact.data,
  };
  return event as unknown as AnyEvent;
}
