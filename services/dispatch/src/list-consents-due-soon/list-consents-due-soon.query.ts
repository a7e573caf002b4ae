import { isGranted } from '@assent/consent-state';
import type { Category } from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { dueSoon, type HeldConsent } from '@assent/send-rules';
import { type Clock, CLOCK, DB } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { consentEvidenceOf } from '../gate/send-question.ts';
import { purposeDocumentId, type PurposeDocument, purposeFold } from '../purposes/purpose.projection.ts';
import { preferredAddress } from '../recipients/preferred-address.ts';
import { recipientEvidenceOf } from '../recipients/recipient-evidence.ts';
import { recipientFold, type RecipientDocument } from '../recipients/recipient.projection.ts';
import { ruleSetsOf } from '../rule-sets/find-rule-sets.ts';
import { ruleSetInForce } from '../rule-sets/rule-set.projection.ts';
import { SealedFields } from '../sealed-fields/sealed-fields.ts';
import { type SendingHistoryDocument, sendingHistoryFold } from '../sending-history/sending-history.projection.ts';

const DAY_MS = 86_400_000;
const PRIMARY = { readPreference: 'primary' } as const;

export class ListConsentsDueSoon {
  constructor(
    readonly tenant: string,
    readonly withinDays: number,
    readonly people: number,
    readonly after: string | undefined,
  ) {}
}

export interface ConsentDueSoon {
  readonly subjectId: string;
  readonly purposeId: string;
  readonly lapsesAt: string;
  readonly hasLapsed: boolean;
  /** The rule that lets it lapse, in words and by its name. */
  readonly text: string;
  readonly ref?: string;
}

export interface ConsentsDueSoon {
  readonly consents: readonly ConsentDueSoon[];
  /** Where to go on; absent at the end. */
  readonly next?: string;
}

/**
 * Consents to ask for again, page by page over the people of a tenant, each page sorted by when they lapse. Where an
 * address can't be opened now, only what the person declared tells the place, so the list may lack somebody: the gate
 * refuses what has lapsed in any case.
 */
@QueryHandler(ListConsentsDueSoon)
export class ListConsentsDueSoonHandler implements IQueryHandler<ListConsentsDueSoon, ConsentsDueSoon> {
  constructor(
    @Inject(DB) private readonly db: Connection,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SealedFields) private readonly sealed: SealedFields,
  ) {}

  async execute({ tenant, withinDays, people, after }: ListConsentsDueSoon): Promise<ConsentsDueSoon> {
    const page = await this.db
      .collection<RecipientDocument>(recipientFold.collection)
      .find({ tenant, ...(after === undefined ? {} : { _id: { $gt: after } }) }, PRIMARY)
      .sort({ _id: 1 })
      .limit(people)
      .toArray();
    const histories = await this.historiesOf(page);
    const categories = await this.categoriesOf(tenant, page);
    const held: HeldConsent[] = [];
    for (const recipient of page) {
      held.push(...(await this.consentsOf(recipient, categories, histories.get(recipient._id))));
    }
    const at = this.clock.now();
    const ruleSet = ruleSetInForce(await ruleSetsOf(this.db, tenant), at);
    const consents = dueSoon(held, { at, withinMs: withinDays * DAY_MS, ruleSet }).map(({ id, lapsesAt, reason }) => {
      const [subjectId = '', purposeId = ''] = id.split('|');
      const { text, ref } = reason;
      const times = { lapsesAt: new Date(lapsesAt).toISOString(), hasLapsed: lapsesAt <= at };
      return { subjectId, purposeId, ...times, text, ...(ref === undefined ? {} : { ref }) };
    });
    const last = page.at(-1);
    return { consents, ...(last === undefined || page.length < people ? {} : { next: last._id }) };
  }

  private async consentsOf(
    document: RecipientDocument,
    categories: ReadonlyMap<string, Category>,
    history: SendingHistoryDocument | undefined,
  ): Promise<HeldConsent[]> {
    const granted = purposesOf(document).flatMap((purposeId) => {
      const category = categories.get(purposeId);
      if (category === undefined) return [];
      const question = { purposeId, category, channel: 'whatsapp', senderId: '' } as const;
      const answer = isGranted(document.consent, question);
      return answer.granted && answer.grant !== undefined ? [{ purposeId, category, grant: answer.grant }] : [];
    });
    if (granted.length === 0) return [];
    const recipient = recipientEvidenceOf(document, await this.addressOf(document));
    return granted.map(({ purposeId, category, grant }) => ({
      id: `${document._id}|${purposeId}`,
      class: 'message',
      category,
      purposeId,
      recipient,
      consent: consentEvidenceOf(grant, history?.lastUsedAt[purposeId], document.lastActAt),
    }));
  }

  private async addressOf(document: RecipientDocument): Promise<Recipient | undefined> {
    const address = preferredAddress(document);
    if (address === undefined) return undefined;
    const person = { tenant: document.tenant, subjectId: document._id };
    const opened = await this.sealed.open(person, new Map([['address', address.sealedAddress]]));
    const text = opened.kind === 'opened' ? opened.texts.get('address') : undefined;
    if (text === undefined) return undefined;
    return address.kind === 'phone' || address.kind === 'waId' ? { phone: text } : { bsuid: text };
  }

  private async historiesOf(page: readonly RecipientDocument[]): Promise<Map<string, SendingHistoryDocument>> {
    const found = await this.db
      .collection<SendingHistoryDocument>(sendingHistoryFold.collection)
      .find({ _id: { $in: page.map(({ _id }) => _id) } }, PRIMARY)
      .toArray();
    return new Map(found.map((history) => [history._id, history]));
  }

  private async categoriesOf(tenant: string, page: readonly RecipientDocument[]): Promise<Map<string, Category>> {
    const ids = [...new Set(page.flatMap(purposesOf))].map((purposeId) => purposeDocumentId(tenant, purposeId));
    const found = await this.db
      .collection<PurposeDocument>(purposeFold.collection)
      .find({ _id: { $in: ids } }, PRIMARY)
      .toArray();
    return new Map(found.map(({ _id, category }) => [_id.slice(tenant.length + 1), category]));
  }
}

function purposesOf({ consent }: RecipientDocument): string[] {
  return [...new Set(consent.grants.map(({ purposeId }) => purposeId))];
}
