import { type AnyEvent, encodeEvent, topicOf } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import type { AppendedRecord } from './written-log.fixture.ts';

export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** The record of an event, as its topic would hold it. */
export function recordOf(event: AnyEvent): AppendedRecord {
  const { key, headers, value } = encodeEvent(topicOf(event.type), event);
  return { key: Buffer.from(key), headers: headers.map(({ name, value: bytes }) => [name, bytes] as const), value };
}

/** Small events that say nothing about messages, numbered. */
export function preferences(count: number, from = 0): AppendedRecord[] {
  return Array.from({ length: count }, (_, n) =>
    recordOf(exampleEvent('preferences.changed.v1', { id: uuid(from + n) })),
  );
}
