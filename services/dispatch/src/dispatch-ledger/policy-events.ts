import {
  type AnyEvent,
  type AssentEvent,
  dataSchemaOf,
  deterministicId,
  type EventData,
  type EventType,
} from '@assent/contracts';
import type { RequestTrace } from '@assent/service-runtime';

/** The types of dispatch.policy. */
export type PolicyEventType = Extract<
  EventType,
  `sender.${string}` | `template.${string}` | `rule-set.${string}` | `blackout.${string}` | `holiday.${string}`
>;

/** A fact of dispatch.policy. Its id derives from its content and time, so a repeated append is the same fact. */
export function policyEvent<T extends PolicyEventType>(fact: {
  readonly type: T;
  readonly tenant: string;
  /** Record key: the id of what it is about. */
  readonly key: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly data: EventData[T];
  readonly trace: RequestTrace;
}): AnyEvent {
  const time = new Date(fact.at).toISOString();
  const event: AssentEvent<T> = {
    id: deterministicId(fact.type, fact.tenant, fact.key, time, JSON.stringify(fact.data)),
    source: '/dispatch',
    type: fact.type,
    time,
    tenant: fact.tenant,
    partitionKey: fact.key,
    dataSchema: dataSchemaOf(fact.type),
    ...fact.trace,
    data: fact.data,
  };
  return event as unknown as AnyEvent;
}
