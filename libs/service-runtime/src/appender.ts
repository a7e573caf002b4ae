import { encodeEvent, formatPosition, topicOf } from '@assent/contracts';
import type { AnyEvent, NewRecord, Position } from '@assent/contracts';
import { partitionKey } from '@assent/event-log';
import type { EventLog } from '@assent/event-log';

/** Writes events to the topic each type belongs to. */
export class Appender {
  readonly #log: EventLog;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** The records of the events, checked against their schemas. Throws `EventEncodeError`. */
  encode(events: readonly AnyEvent[]): NewRecord[] {
    return events.map((event) => encodeEvent(topicOf(event.type), event));
  }

  /**
   * Encodes and appends; resolves when every event is durable in the log, with one position per event.
   *
   * @param options.urgent the producer kept for withdrawals
   * @throws AppendError (the runtime answers 503), EventEncodeError
   */
  append(events: readonly AnyEvent[], options?: { urgent?: boolean }): Promise<Position[]> {
    return this.#log.append(this.encode(events), options);
  }
}

/** The `position` of an answer, as `Assent-Min-Position` accepts it: the last position of each partition. */
export function formatPositions(positions: readonly Position[]): string {
  const last = new Map<string, Position>();
  for (const position of positions) {
    const key = partitionKey(position);
    if (position.offset >= (last.get(key)?.offset ?? 0)) last.set(key, position);
  }
  return [...last.values()].map(formatPosition).join(', ');
}
