import { parsePosition, type SenderRegistered } from '@assent/contracts';
import { partitionKey, type EventLog, type TopicPartition } from '@assent/event-log';
import type { Barrier, LogEnds, Projector } from '@assent/projection';
import type { Recipient } from '@assent/identity';
import type { Connection } from 'mongoose';
import { blackoutFold, blackoutOf, type BlackoutDocument, BLACKOUTS_KEY } from '../blackouts/blackout.projection.ts';
import type { DispatchDocument } from '../dispatch-ledger/dispatch.projection.ts';
import {
  type HolidayDocument,
  holidayEntryOf,
  holidayFold,
  HOLIDAYS_KEY,
  tenantYearOf,
} from '../holidays/holiday.projection.ts';
import { purposeDocumentId, type PurposeDocument, purposeFold } from '../purposes/purpose.projection.ts';
import { addressCausesFold, type AddressCausesDocument } from '../recipients/address-causes.projection.ts';
import { type HeldSenderDocument, heldSenderFold, heldSenderKey } from '../recipients/held-sender.projection.ts';
import { type ProviderStopDocument, providerStopFold } from '../recipients/provider-stop.projection.ts';
import type { RecipientDocument } from '../recipients/recipient.projection.ts';
import { everyPartition, type RecipientLookup } from '../recipients/recipient-lookup.ts';
import { recipientEvidenceOf, recipientWishesOf } from '../recipients/recipient-evidence.ts';
import { ruleSetsOf } from '../rule-sets/find-rule-sets.ts';
import { ruleSetInForce, ruleSetInShadow } from '../rule-sets/rule-set.projection.ts';
import { type SendingHistoryDocument, sendingHistoryFold } from '../sending-history/sending-history.projection.ts';
import { findSender } from '../senders/sender.projection.ts';
import { templateDocumentId, type TemplateDocument, templateFold } from '../templates/template.projection.ts';
import { dispatchesTo, lastFormAskAt } from './form-asks.ts';
import type { DispatchWish, GateFacts, RecipientFacts, SuppressionCause } from './gate.facts.ts';

/** How long a gate waits for our read models; well inside gateValidMs, so that a call can still follow. */
export const BARRIER_TIMEOUT_MS = 1_000;
/** The recipient is resolved again after the barrier; if it changed twice in that time, it is held. */
const RESOLVE_ROUNDS_MAX = 2;
const PRIMARY = { readPreference: 'primary' } as const;

/** Topics that a gate's facts come from. */
const GATE_TOPICS = ['consent.events', 'suppression.events', 'dispatch.events', 'dispatch.policy', 'consent.catalog'];

/** Whom a wish is for. */
export interface WishedRecipient {
  readonly tenant: string;
  readonly subjectId: string;
  /**
   * The address in the clear, when it could be opened: it tells a zone, and under which keys of other peppers causes of
   * suppression may stand.
   */
  readonly address?: Recipient;
}

/** What a caller that had to find the recipient first knows of the instant it is about. */
export interface KnownBefore {
  readonly ends: LogEnds;
  readonly document: RecipientDocument | undefined;
}

/** Documents about the person and what the message is judged by, with the record keys among them that are parked. */
interface GateDocuments {
  readonly parked: readonly string[];
  readonly document: RecipientDocument | undefined;
  readonly causes: readonly AddressCausesDocument[];
  readonly stop: ProviderStopDocument | null;
  readonly history: SendingHistoryDocument | null;
  readonly asks: readonly DispatchDocument[];
  readonly sender: SenderRegistered | undefined;
  readonly held: HeldSenderDocument | null;
  readonly template: TemplateDocument | null;
  readonly purpose: PurposeDocument | null;
}

/** The facts, and the vector of positions they were waited for. */
export interface GateReading {
  readonly facts: GateFacts;
  readonly reached: Readonly<Record<string, number>>;
  readonly document?: RecipientDocument;
}

/**
 * Reads everything a verdict rests on, after a barrier over every partition it comes from (I2). What did not answer or
 * catch up in `BARRIER_TIMEOUT_MS` is named in `facts.behind`, which holds. Reads the primary; appends nothing.
 */
export class GateReader {
  readonly #db: Connection;
  readonly #log: Pick<EventLog, 'partitionFor' | 'partitionCount'>;
  readonly #barrier: Pick<Barrier, 'reach'>;
  readonly #projector: Pick<Projector, 'parked' | 'parkedAmong'>;
  readonly #recipients: Pick<RecipientLookup, 'byId' | 'lookupKeysOf'>;

  constructor(deps: {
    db: Connection;
    log: Pick<EventLog, 'partitionFor' | 'partitionCount'>;
    barrier: Pick<Barrier, 'reach'>;
    projector: Pick<Projector, 'parked' | 'parkedAmong'>;
    recipients: Pick<RecipientLookup, 'byId' | 'lookupKeysOf'>;
  }) {
    this.#db = deps.db;
    this.#log = deps.log;
    this.#barrier = deps.barrier;
    this.#projector = deps.projector;
    this.#recipients = deps.recipients;
  }

  /** Everything that the facts about anybody can come from: of these a caller can ask the ends before it knows who it is. */
  partitions(): TopicPartition[] {
    return GATE_TOPICS.flatMap((topic) => everyPartition(this.#log, topic));
  }

  /**
   * @param at epoch milliseconds the verdict is about; the rule set is the one in force then
   * @param known ends of `partitions()`: the facts hold every record acknowledged before those were asked for, rather
   *   than before this call; and the recipient as it was found at those ends
   */
  async read(wish: DispatchWish, recipient: WishedRecipient, at: number, known?: KnownBefore): Promise<GateReading> {
    const { tenant, subjectId } = recipient;
    let before = known === undefined ? await this.#recipients.byId(tenant, subjectId) : known.document;
    for (let round = 1; ; round += 1) {
      const causeKeys = this.#causeKeysOf(recipient, before);
      const partitions = this.#partitionsOf(wish, recipient, causeKeys);
      const limits = { timeoutMs: BARRIER_TIMEOUT_MS, ...(known === undefined ? {} : { ends: known.ends }) };
      const { reached, behind } = await this.#barrier.reach(partitions, limits);
      const [policy, documents] = await Promise.all([
        this.#policyOf(tenant, at),
        this.#documentsOf(wish, recipient, causeKeys),
      ]);
      const { document: after } = documents;
      const moved = addressKeysOf(before) !== addressKeysOf(after);
      if (!moved || round === RESOLVE_ROUNDS_MAX) {
        const facts: GateFacts = {
          at,
          wish,
          ...policy.facts,
          ...factsOf(wish, recipient, documents),
          behind: moved ? partitions.map(partitionKey) : behind,
          parked: [...documents.parked, ...policy.parked],
        };
        return { facts, reached, ...(after === undefined ? {} : { document: after }) };
      }
      before = after;
    }
  }

  /** Everything the recipient lives in; the policy part covers every partition of dispatch.policy and consent.catalog. */
  #partitionsOf(wish: DispatchWish, { subjectId }: WishedRecipient, causeKeys: readonly string[]): TopicPartition[] {
    const at = (topic: string, key: string): TopicPartition => ({
      topic,
      partition: this.#log.partitionFor(topic, key),
    });
    const partitions = [
      at('consent.events', subjectId),
      at('consent.events', heldSenderKey(wish.senderId)),
      at('dispatch.events', subjectId),
      ...causeKeys.map((addressKey) => at('suppression.events', addressKey)),
      ...everyPartition(this.#log, 'dispatch.policy'),
      ...everyPartition(this.#log, 'consent.catalog'),
    ];
    return [...new Map(partitions.map((partition) => [partitionKey(partition), partition])).values()];
  }

  /** What is parked is read first: whoever releases a key has written its documents before. */
  async #documentsOf(
    wish: DispatchWish,
    recipient: WishedRecipient,
    causeKeys: readonly string[],
  ): Promise<GateDocuments> {
    const { tenant, subjectId } = recipient;
    const { senderId, purposeId } = wish;
    const parked = await this.#parkedKeys(wish, subjectId, causeKeys);
    const [document, causes, stop, history, asks, sender, held, template, purpose] = await Promise.all([
      this.#recipients.byId(tenant, subjectId),
      this.#db
        .collection<AddressCausesDocument>(addressCausesFold.collection)
        .find({ _id: { $in: [...causeKeys] } }, PRIMARY)
        .toArray(),
      this.#one<ProviderStopDocument>(providerStopFold.collection, subjectId),
      this.#one<SendingHistoryDocument>(sendingHistoryFold.collection, subjectId),
      wish.class === 'opt-in-ask' ? dispatchesTo(this.#db, subjectId) : [],
      findSender(this.#db, tenant, senderId),
      this.#one<HeldSenderDocument>(heldSenderFold.collection, senderId),
      this.#one<TemplateDocument>(templateFold.collection, templateDocumentId(tenant, wish.template)),
      purposeId === undefined
        ? null
        : this.#one<PurposeDocument>(purposeFold.collection, purposeDocumentId(tenant, purposeId)),
    ]);
    return { parked, document, causes, stop, history, asks, sender, held, template, purpose };
  }

  /** What the tenant's rules are at an instant, with what operators said about days and places. */
  async #policyOf(
    tenant: string,
    at: number,
  ): Promise<{
    facts: Pick<GateFacts, 'ruleSet' | 'shadowRuleSet' | 'holidays' | 'blackouts'>;
    parked: readonly string[];
  }> {
    const year = new Date(at).getUTCFullYear();
    const years = [-1, 0, 1, 2].map((ahead) => tenantYearOf(tenant, year + ahead));
    const [ruleSets, holidays, blackouts] = await Promise.all([
      ruleSetsOf(this.#db, tenant),
      this.#db
        .collection<HolidayDocument>(holidayFold.collection)
        .find({ tenantYear: { $in: years } }, PRIMARY)
        .toArray(),
      this.#db
        .collection<BlackoutDocument>(blackoutFold.collection)
        .find({ tenant, isEnded: false }, PRIMARY)
        .toArray(),
    ]);
    const shadowRuleSet = ruleSetInShadow(ruleSets, at);
    const keys = [BLACKOUTS_KEY, HOLIDAYS_KEY, ...new Set(ruleSets.map(({ rules }) => rules.id))];
    const parked = await this.#projector.parked('dispatch.policy', keys);
    return {
      facts: {
        ruleSet: ruleSetInForce(ruleSets, at),
        ...(shadowRuleSet === undefined ? {} : { shadowRuleSet }),
        holidays: holidays.map(holidayEntryOf),
        blackouts: blackouts.map(blackoutOf),
      },
      parked: parked.map(({ _id }) => _id),
    };
  }

  /** Record keys whose events are not all applied, of the person and of what the message is judged by. */
  async #parkedKeys(wish: DispatchWish, subjectId: string, causeKeys: readonly string[]): Promise<string[]> {
    const { senderId, template, purposeId } = wish;
    const parked = await this.#projector.parkedAmong([
      { topic: 'consent.events', key: subjectId },
      { topic: 'consent.events', key: heldSenderKey(senderId) },
      { topic: 'dispatch.policy', key: senderId },
      { topic: 'dispatch.policy', key: template.name },
      ...(purposeId === undefined ? [] : [{ topic: 'consent.catalog' as const, key: purposeId }]),
      { topic: 'dispatch.events', key: subjectId },
      ...causeKeys.map((key) => ({ topic: 'suppression.events' as const, key })),
    ]);
    return parked.map(({ _id }) => _id);
  }

  /**
   * Every key under which causes about this person can stand: those the person is registered under, and those that the
   * other live peppers make of the address, since a cause needs no person and is written under the pepper of its day.
   */
  #causeKeysOf({ tenant, address }: WishedRecipient, document: RecipientDocument | undefined): string[] {
    const registered = (document?.addresses ?? []).map(({ addressKey }) => addressKey);
    const made = address === undefined ? [] : this.#recipients.lookupKeysOf(tenant, address);
    return [...new Set([...registered, ...made])];
  }

  #one<D extends { _id: string }>(collection: string, id: string): Promise<D | null> {
    return this.#db
      .collection<{ _id: string }>(collection)
      .findOne({ _id: id }, PRIMARY) as unknown as Promise<D | null>;
  }
}

function factsOf(
  wish: DispatchWish,
  recipient: WishedRecipient,
  documents: GateDocuments,
): Pick<GateFacts, 'recipient' | 'sender' | 'template' | 'purpose' | 'withdrawal'> {
  const { document, sender, held, template, purpose } = documents;
  const withdrawal = document?.withdrawals.find(({ withdrawalId }) => withdrawalId === wish.cause.id);
  return {
    ...(document === undefined ? {} : { recipient: recipientFactsOf(wish, recipient, document, documents) }),
    ...(sender === undefined ? {} : { sender: { held: held !== null, displayName: sender.displayName } }),
    ...(template === null ? {} : { template: template.template }),
    ...(purpose === null ? {} : { purpose: { category: purpose.category } }),
    ...(withdrawal === undefined
      ? {}
      : {
          withdrawal: {
            withdrawalId: withdrawal.withdrawalId,
            recordedAt: Date.parse(withdrawal.recordedAt),
            position: parsePosition(withdrawal.position),
          },
        }),
  };
}

function recipientFactsOf(
  wish: DispatchWish,
  { subjectId, address }: WishedRecipient,
  document: RecipientDocument,
  { causes, stop, history, asks }: GateDocuments,
): RecipientFacts {
  const formAskAt = wish.class === 'opt-in-ask' ? lastFormAskAt(asks, document, wish.dispatchId) : undefined;
  const request = document.requests.find(({ requestId }) => requestId === wish.cause.id);
  const lastUsedAt = history?.lastUsedAt[wish.purposeId ?? ''];
  return {
    subjectId,
    consent: document.consent,
    evidence: recipientEvidenceOf(document, address),
    wishes: recipientWishesOf(document),
    attempts: history?.attempts ?? [],
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    ...(document.lastActAt === undefined ? {} : { lastActAt: document.lastActAt }),
    causes: [...causes.flatMap(({ live }) => live.map(suppressionCauseOf)), ...providerStops(stop, document)],
    ...(request === undefined
      ? {}
      : {
          request: {
            requestId: request.requestId,
            selfStarted: request.selfStarted,
            requestedAt: Date.parse(request.requestedAt),
            expiresAt: Date.parse(request.expiresAt),
          },
        }),
    ...(formAskAt === undefined ? {} : { lastFormAskAt: formAskAt }),
  };
}

function addressKeysOf(document: RecipientDocument | undefined): string {
  return (document?.addresses ?? []).map(({ addressKey }) => addressKey).join(',');
}

function suppressionCauseOf({ since, ...cause }: AddressCausesDocument['live'][number]): SuppressionCause {
  return { ...cause, since: Date.parse(since) };
}

/**
 * WhatsApp's own stop, from the reply of a call, until the consent stream has it as a withdrawal of the platform's lane:
 * from then on that lane, which WhatsApp can also resume, decides.
 */
function providerStops(stop: ProviderStopDocument | null, { consent }: RecipientDocument): SuppressionCause[] {
  if (stop === null) return [];
  const copied = consent.withdrawals.some(
    ({ lane, occurredAt }) => lane === 'platform' && Date.parse(occurredAt) >= Date.parse(stop.stoppedAt) - 1_000,
  );
  if (copied) return [];
  return [
    {
      causeId: stop.position,
      kind: 'provider-verdict',
      scope: { kind: 'category', id: 'marketing' },
      since: Date.parse(stop.stoppedAt),
      position: parsePosition(stop.position),
    },
  ];
}
