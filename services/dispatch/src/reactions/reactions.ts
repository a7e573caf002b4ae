import {
  type AnyEvent,
  decodeEvent,
  EventDecodeError,
  EventEncodeError,
  formatPosition,
  type LogRecord,
  type RecordedEvent,
  UnknownEventTypeError,
} from '@assent/contracts';
import { partitionKey, type RecordBatch, type TopicPartition } from '@assent/event-log';
import { OwnedPartitions, StaleOwnerError } from '@assent/projection';
import type { Appender, BatchConsumer } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import type { Reaction } from './reaction.ts';

const READER = 'dispatch.reactions.v1';
/** Events appended at once: bounds memory and the time between two heartbeats. */
const APPEND_AT_ONCE = 500;

/**
 * Runs every reaction over the topics it follows, with a checkpoint of its own: a rebuild of the read models does not
 * repeat them. Order: react, append, checkpoint; a crash in between reacts again, with the same ids. The checkpoint of a
 * batch that nothing came of is written a moment later.
 */
export class Reactions implements BatchConsumer {
  readonly topics = ['consent.events', 'whatsapp.inbound', 'dispatch.requests', 'dispatch.policy'];
  readonly #reactions: readonly Reaction[];
  readonly #refuseUnreadable: (record: LogRecord, error: Pick<EventDecodeError, 'fault'>) => AnyEvent;
  readonly #appender: Appender;
  readonly #partitions: OwnedPartitions;

  constructor(deps: {
    db: Connection;
    appender: Appender;
    reactions: readonly Reaction[];
    refuseUnreadable: (record: LogRecord, error: Pick<EventDecodeError, 'fault'>) => AnyEvent;
  }) {
    this.#reactions = deps.reactions;
    this.#refuseUnreadable = deps.refuseUnreadable;
    this.#appender = deps.appender;
    this.#partitions = new OwnedPartitions({ db: deps.db, reader: READER });
  }

  take(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, { next: number; epoch: number }>> {
    return this.#partitions.take(partitions);
  }

  next(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return this.#partitions.next(partitions);
  }

  onLost(listener: (partition: TopicPartition) => void): void {
    this.#partitions.onLost(listener);
  }

  async apply(batch: RecordBatch): Promise<void> {
    const owner = this.#partitions.ownerOf(batch);
    const fresh = batch.records.filter(({ offset }) => offset >= owner.next);
    const last = fresh.at(-1);
    if (last === undefined) return;
    let caused: AnyEvent[] = [];
    let appended = 0;
    const append = async (): Promise<void> => {
      if (!batch.isCurrent()) throw new StaleOwnerError(READER, partitionKey(batch));
      if (caused.length > 0) {
        await this.#appender.append(caused);
        appended += caused.length;
      }
      caused = [];
      await batch.heartbeat();
    };
    for (const record of fresh) {
      for await (const event of this.#reactTo(record)) {
        caused.push(event);
        if (caused.length >= APPEND_AT_ONCE) await append();
      }
      await batch.heartbeat();
    }
    await append();
    if (appended > 0) await this.#partitions.advance(owner, last.offset + 1);
    else this.#partitions.pass(owner, last.offset + 1);
  }

  /** An unreadable request is refused with an event; an unreadable fact of ours is parked by the projector. */
  async *#reactTo(record: LogRecord): AsyncIterable<AnyEvent> {
    let event: RecordedEvent;
    try {
      event = decodeEvent(record);
    } catch (error) {
      if (!(error instanceof EventDecodeError)) throw error;
      if (record.topic === 'dispatch.requests') yield this.#refuseUnreadable(record, error);
      return;
    }
    if (record.topic === 'dispatch.requests' && event.type !== 'dispatch.requested.v1') {
      yield this.#refuseUnreadable(record, new UnknownEventTypeError(formatPosition(event.position)));
      return;
    }
    if (record.topic === 'dispatch.requests') yield* await this.#answer(record, event);
    else yield* this.#react(event);
  }

  async *#react(event: RecordedEvent): AsyncIterable<AnyEvent> {
    for (const reaction of this.#reactions) {
      if (reaction.to === event.type) yield* await reaction.react(event);
    }
  }

  /**
   * A request is other people's input: one that no valid fact can be made of is refused, so that it can't hold up the
   * ones behind it. Our own facts are never skipped: what is wrong with them is a defect, and the partition waits.
   */
  async #answer(record: LogRecord, event: RecordedEvent): Promise<readonly AnyEvent[]> {
    try {
      const caused: AnyEvent[] = [];
      for await (const answer of this.#react(event)) caused.push(answer);
      this.#appender.encode(caused);
      return caused;
    } catch (error) {
      if (error instanceof EventEncodeError) return [this.#refuseUnreadable(record, error)];
      if (error instanceof RangeError || error instanceof TypeError)
        return [this.#refuseUnreadable(record, { fault: { code: 'schema-violation' } })];
      throw error;
    }
  }
}
