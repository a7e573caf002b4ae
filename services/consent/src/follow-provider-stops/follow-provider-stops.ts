import { MILLISECOND_TICK_MS } from '@assent/consent-state';
import { decodeEvent, EventDecodeError, type RecordedEvent } from '@assent/contracts';
import { partitionKey, type RecordBatch, type TopicPartition } from '@assent/event-log';
import { OwnedPartitions, StaleOwnerError } from '@assent/projection';
import type { Appender, BatchConsumer } from '@assent/service-runtime';
import type { CommandBus } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { WithdrawConsent, type WithdrawnConsent } from '../withdraw-consent/withdraw-consent.command.ts';

const READER = 'consent.provider-stops.v1';
/** The person stopped this business's marketing. Source: WhatsApp Cloud API error codes. */
const USER_STOPPED_MARKETING = 131050;

/**
 * A call that WhatsApp answered with 131050 is a withdrawal of the platform's lane. Dispatch's own event holds at once;
 * this makes it part of the consent stream. Has a checkpoint of its own; repeating it repeats the same facts.
 */
export class FollowProviderStops implements BatchConsumer {
  readonly topics = ['dispatch.events'];
  readonly #appender: Appender;
  readonly #commands: CommandBus;
  readonly #partitions: OwnedPartitions;

  constructor(deps: { db: Connection; appender: Appender; commands: CommandBus }) {
    this.#appender = deps.appender;
    this.#commands = deps.commands;
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
    if (!batch.isCurrent()) throw new StaleOwnerError(READER, partitionKey(batch));
    const fresh = batch.records.filter(({ offset }) => offset >= owner.next);
    const last = fresh.at(-1);
    if (last === undefined) return;
    let hasFollowed = false;
    for (const record of fresh) {
      const event = readable(record);
      if (event !== undefined && (await this.#follow(event))) hasFollowed = true;
      await batch.heartbeat();
    }
    if (hasFollowed) await this.#partitions.advance(owner, last.offset + 1);
    else this.#partitions.pass(owner, last.offset + 1);
  }

  /** False for an event that says nothing about a stop. */
  async #follow(event: RecordedEvent): Promise<boolean> {
    if (event.type !== 'dispatch.attempt-failed.v1' || event.data.errorCode !== USER_STOPPED_MARKETING) return false;
    const { events }: WithdrawnConsent = await this.#commands.execute(
      new WithdrawConsent({
        tenant: event.tenant,
        recipients: [{ subjectId: event.data.subjectId }],
        scope: { kind: 'category', id: 'marketing' },
        lane: 'platform',
        method: 'provider-error',
        occurredAt: Date.parse(event.time),
        tickMs: MILLISECOND_TICK_MS,
        source: ['attempt', event.data.attemptId],
        receiptDue: false,
      }),
    );
    await this.#appender.append(events, { urgent: true });
    return true;
  }
}

function readable(record: Parameters<typeof decodeEvent>[0]): RecordedEvent | undefined {
  try {
    return decodeEvent(record);
  } catch (error) {
    if (error instanceof EventDecodeError) return undefined;
    throw error;
  }
}
