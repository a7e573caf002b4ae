import type { Barrier, BarrierResult, Projector } from '@assent/projection';
import type { EventLog, TopicPartition } from '@assent/event-log';
import { partitionKey } from '@assent/event-log';
import type { Recipient } from '@assent/identity';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { Inject } from '@nestjs/common';
import { DB, EVENT_LOG } from '@assent/service-runtime';
import type { Connection } from 'mongoose';
import { type HeldSenderDocument, heldSenderFold, heldSenderKey } from '../held-senders/held-sender.projection.ts';
import { purposeDocumentId, type PurposeDocument, purposeFold } from '../purposes/purpose.projection.ts';
import { everyPartition, type FoundRecipient, RecipientLookup } from '../recipient-lookup/recipient-lookup.ts';
import { BARRIER, SUPPRESSION_PROJECTOR } from '../tokens.ts';
import { type CheckAnswer, type CheckAspects, decideCheck, type HoldReason } from './check.decider.ts';

/** How long a check waits for our read models to catch up before it answers `hold`. */
export const FRESHNESS_TIMEOUT_MS = 1_500;
/** Checks of one call that read the store at the same time; a call must not take every connection of the pool. */
const CHECKS_AT_ONCE = 16;
/** Parked keys looked at to know whether any exists. */
const ANY_PARKED = 1;

export interface Check extends CheckAspects {
  readonly recipient: Recipient;
}

export interface CheckedAnswer extends CheckAnswer {
  /** Next offset, per log, up to which the facts behind this answer were applied. */
  readonly positions: Readonly<Record<string, number>>;
}

export class CheckAddresses {
  constructor(
    readonly tenant: string,
    readonly checks: readonly Check[],
  ) {}
}

/** One barrier for all checks of a call, then a few exact-key reads for each. Writes nothing. */
@QueryHandler(CheckAddresses)
export class CheckAddressesHandler implements IQueryHandler<CheckAddresses, CheckedAnswer[]> {
  constructor(
    @Inject(RecipientLookup) private readonly lookup: RecipientLookup,
    @Inject(BARRIER) private readonly barrier: Barrier,
    @Inject(SUPPRESSION_PROJECTOR) private readonly projector: Projector,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(DB) private readonly db: Connection,
  ) {}

  async execute({ tenant, checks }: CheckAddresses): Promise<CheckedAnswer[]> {
    // A person can have addresses besides the one asked for, so every partition of causes is waited for; each answer
    // then depends only on its own.
    const causes = everyPartition(this.log, 'suppression.events').map((partition) => ({
      topic: 'suppression.events',
      partition,
    }));
    const asked = [...causes, ...checks.flatMap((check) => this.partitionsOf(tenant, check))];
    const unique = [...new Map(asked.map((partition) => [partitionKey(partition), partition])).values()];
    const barrier = await this.barrier.reach(unique, { timeoutMs: FRESHNESS_TIMEOUT_MS });
    const answers: CheckedAnswer[] = [];
    for (let at = 0; at < checks.length; at += CHECKS_AT_ONCE) {
      const some = checks.slice(at, at + CHECKS_AT_ONCE);
      answers.push(...(await Promise.all(some.map((check) => this.answer(tenant, check, barrier)))));
    }
    return answers;
  }

  private partitionsOf(tenant: string, check: Check): TopicPartition[] {
    return [
      ...this.lookup.partitionsOf(tenant, check.recipient),
      ...(check.senderId === undefined ? [] : [this.senderPartition(check.senderId)]),
      ...everyPartition(this.log, 'consent.catalog').map((partition) => ({ topic: 'consent.catalog', partition })),
    ];
  }

  private senderPartition(senderId: string): TopicPartition {
    return { topic: 'consent.events', partition: this.log.partitionFor('consent.events', heldSenderKey(senderId)) };
  }

  private async answer(tenant: string, check: Check, barrier: BarrierResult): Promise<CheckedAnswer> {
    const found = await this.lookup.find(tenant, check.recipient);
    const category = check.category ?? (await this.categoryOf(tenant, check.purposeId));
    const partitions = [...this.partitionsOf(tenant, check), ...this.lookup.causePartitions(found.addressKeys)];
    const doubts = [
      ...behind(partitions, barrier),
      ...(await this.parkedDoubts(found)),
      ...(await this.senderDoubts(check.senderId)),
      ...purposeDoubts(check.purposeId, category),
      ...recipientDoubts(check.recipient, found),
    ];
    const { purposeId, senderId } = check;
    const aspects = {
      ...(purposeId === undefined ? {} : { purposeId }),
      ...(category === undefined ? {} : { category }),
      ...(senderId === undefined ? {} : { senderId }),
    };
    const names = new Set(partitions.map(partitionKey));
    const positions = Object.fromEntries(Object.entries(barrier.reached).filter(([name]) => names.has(name)));
    return { ...decideCheck({ found, aspects, doubts }), positions };
  }

  private async categoryOf(tenant: string, purposeId: string | undefined): Promise<string | undefined> {
    if (purposeId === undefined) return undefined;
    const purpose = await this.db
      .collection<PurposeDocument>(purposeFold.collection)
      .findOne({ _id: purposeDocumentId(tenant, purposeId) }, { readPreference: 'primary' });
    return purpose?.category;
  }

  /** A parked key of this person, or, when nobody is known, any parked key that might hide the person. */
  private async parkedDoubts(found: FoundRecipient): Promise<HoldReason[]> {
    const subjectIds = found.subjects.map(({ _id }) => _id);
    const parked = [
      ...(await this.projector.parked('suppression.events', found.addressKeys)),
      ...(subjectIds.length > 0
        ? await this.projector.parked('consent.events', subjectIds)
        : await this.projector.allParked(ANY_PARKED)),
    ];
    const text = 'An event about this person could not be applied. Mend it, then run ./assent replay.';
    return parked.length > 0 ? [{ code: 'recipient-parked', text }] : [];
  }

  private async senderDoubts(senderId: string | undefined): Promise<HoldReason[]> {
    if (senderId === undefined) return [];
    const parked = await this.projector.parked('consent.events', [heldSenderKey(senderId)]);
    const held = await this.db
      .collection<HeldSenderDocument>(heldSenderFold.collection)
      .findOne({ _id: senderId }, { readPreference: 'primary' });
    const text = 'A withdrawal for this sender could not be given to a person. Resolve the quarantined update first.';
    return held === null && parked.length === 0 ? [] : [{ code: 'sender-held', text }];
  }
}

function behind(partitions: readonly TopicPartition[], barrier: BarrierResult): HoldReason[] {
  const names = new Set(partitions.map(partitionKey));
  const late = [...names].filter((name) => !Object.hasOwn(barrier.reached, name)).sort();
  const text = `Our read model has not applied these logs up to their ends: ${late.join(', ')}.`;
  return late.length > 0 ? [{ code: 'read-model-behind', text }] : [];
}

/** An id names one person; one that names nobody is a mistake, and whom it was meant for can't be told. */
function recipientDoubts(recipient: Recipient, { subjects }: FoundRecipient): HoldReason[] {
  if (!('subjectId' in recipient) || subjects.length > 0) return [];
  const text = 'Nobody is known under this subjectId. Check it, or name the person by phone, waId or bsuid.';
  return [{ code: 'recipient-unknown', text }];
}

function purposeDoubts(purposeId: string | undefined, category: string | undefined): HoldReason[] {
  if (purposeId === undefined || category !== undefined) return [];
  const text = 'The purpose is not published, so its category is not known. Publish it, or name the category.';
  return [{ code: 'purpose-unknown', text }];
}
