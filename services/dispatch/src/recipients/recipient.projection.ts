import { evolveConsent, initialConsentState, type ConsentState } from '@assent/consent-state';
import { formatPosition, type RecordedEvent, type SubjectAddressRegistered } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

export interface RecipientAddress {
  readonly addressKey: string;
  readonly kind: SubjectAddressRegistered['kind'];
  readonly sealedAddress: string;
}

/** A request to opt in, as its double-opt-in question needs it. */
export interface RecordedRequest {
  readonly requestId: string;
  readonly selfStarted: boolean;
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly position: string;
}

/** A withdrawal that is owed a receipt. */
export interface RecordedWithdrawal {
  readonly withdrawalId: string;
  readonly recordedAt: string;
  readonly position: string;
}

/** What the consent stream says about one person, as far as sending needs it. */
export interface RecipientDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly consent: ConsentState;
  readonly addresses: readonly RecipientAddress[];
  /** The zone the person declared last. */
  readonly timeZone?: string;
  /** The newest ones, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** The newest ones that are owed a receipt, oldest first. */
  readonly withdrawals: readonly RecordedWithdrawal[];
}

/** Questions and receipts are due within minutes; what is pushed out by so many newer ones is too late anyway. */
const RECENT_KEPT_MAX = 50;

/** One document per person; consent.events is keyed by the person, so one partition feeds it. */
export const recipientFold: Fold<RecipientDocument> = {
  collection: 'recipients',
  topics: ['consent.events'],
  idsOf: ({ data }) => ('subjectId' in data && typeof data.subjectId === 'string' ? [data.subjectId] : []),
  evolve: (document, event, id) => {
    // A person belongs to the tenant that registered them; what another tenant says of that id is not about them.
    if (document !== undefined && document.tenant !== event.tenant) return document;
    return evolveRecipient(document ?? unknownRecipient(id, event.tenant), event);
  },
};

function unknownRecipient(subjectId: string, tenant: string): RecipientDocument {
  return { _id: subjectId, tenant, consent: initialConsentState, addresses: [], requests: [], withdrawals: [] };
}

function evolveRecipient(before: RecipientDocument, event: RecordedEvent): RecipientDocument {
  const recipient = { ...before, consent: evolveConsent(before.consent, event) };
  switch (event.type) {
    case 'subject.address-registered.v1': {
      const { addressKey, kind, sealedAddress } = event.data;
      if (recipient.addresses.some((address) => address.addressKey === addressKey)) return recipient;
      return { ...recipient, addresses: [...recipient.addresses, { addressKey, kind, sealedAddress }] };
    }
    case 'consent.requested.v1': {
      const { requestId, selfStarted, requestedAt, expiresAt, timeZone } = event.data;
      const request = { requestId, selfStarted, requestedAt, expiresAt, position: formatPosition(event.position) };
      const requests = keepRecent(recipient.requests, request, (known) => known.requestId === requestId);
      return { ...recipient, requests, ...(timeZone === undefined ? {} : { timeZone }) };
    }
    case 'preferences.changed.v1':
      return event.data.timeZone === undefined ? recipient : { ...recipient, timeZone: event.data.timeZone };
    case 'consent.withdrawn.v1': {
      if (!event.data.receiptDue) return recipient;
      const { withdrawalId } = event.data;
      const withdrawal = { withdrawalId, recordedAt: event.recordedAt, position: formatPosition(event.position) };
      const withdrawals = keepRecent(recipient.withdrawals, withdrawal, (known) => known.withdrawalId === withdrawalId);
      return { ...recipient, withdrawals };
    }
    default:
      return recipient;
  }
}

/** The first telling of a fact stays; a repeat changes nothing. */
function keepRecent<T>(list: readonly T[], item: T, isSame: (known: T) => boolean): readonly T[] {
  return list.some(isSame) ? list : [...list, item].slice(-RECENT_KEPT_MAX);
}
