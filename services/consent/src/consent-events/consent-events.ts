import { type AnyEvent, type AssentEvent, dataSchemaOf, type EventData, type EventType } from '@assent/contracts';
import type { RequestTrace } from '@assent/service-runtime';

/** The types that the consent service writes. */
export type ConsentEventType = Extract<
  EventType,
  | `consent.${string}`
  | `subject.${string}`
  | `preferences.${string}`
  | `purpose.${string}`
  | `notice.${string}`
  | `capture-point.${string}`
  | `whatsapp.${string}`
>;

export interface ConsentFactInput<T extends ConsentEventType> {
  readonly id: string;
  readonly type: T;
  readonly tenant: string;
  /** Record key. */
  readonly key: string;
  /** When it happened, epoch milliseconds. */
  readonly at: number;
  readonly data: EventData[T];
  readonly causationId?: string;
  readonly trace?: RequestTrace;
}

/** A fact of consent as an event. */
export function consentEvent<T extends ConsentEventType>(fact: ConsentFactInput<T>): AnyEvent {
  const event: AssentEvent<T> = {
    id: fact.id,
    source: '/consent',
    type: fact.type,
    time: new Date(fact.at).toISOString(),
    tenant: fact.tenant,
    partitionKey: fact.key,
    dataSchema: dataSchemaOf(fact.type),
    ...(fact.causationId === undefined ? {} : { causationId: fact.causationId }),
    ...fact.trace,
    data: fact.data,
  };
  return event as unknown as AnyEvent;
}
