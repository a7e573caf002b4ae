import { evolveConsent, initialConsentState, type ConsentState } from '@assent/consent-state';
import {
  formatPosition,
  type PreferencesChanged,
  type RecordedEvent,
  type SubjectAddressRegistered,
} from '@assent/contracts';
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
  /** Where the person says they live, ISO 3166. */
  readonly region?: string;
  /** The person's own wishes; they only ever narrow what the rules allow. */
  readonly quietHours?: { readonly from: string; readonly to: string };
  readonly frequency?: { readonly attemptsMax: number; readonly windowHours: number };
  /** Newest act that was certainly the person's own: a message that asked to opt in, a confirmation. RFC 3339. */
  readonly lastActAt?: string;
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
      const asked = { ...recipient, requests, ...(timeZone === undefined ? {} : { timeZone }) };
      return selfStarted ? acted(asked, requestedAt) : asked;
    }
    case 'consent.granted.v1':
      return event.data.basis === 'confirmed' ? acted(recipient, event.data.grantedAt) : recipient;
    case 'preferences.changed.v1':
      return preferring(recipient, event.data);
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

function acted(recipient: RecipientDocument, at: string): RecipientDocument {
  return (recipient.lastActAt ?? '') < at ? { ...recipient, lastActAt: at } : recipient;
}

/** What is said counts, what was taken back is forgotten, what is not mentioned stays. */
function preferring(
  recipient: RecipientDocument,
  { timeZone, region, quietHours, frequency, cleared = [] }: PreferencesChanged,
): RecipientDocument {
  const kept = Object.fromEntries(
    Object.entries(recipient).filter(([name]) => !(cleared as readonly string[]).includes(name)),
  ) as unknown as RecipientDocument;
  return {
    ...kept,
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(region === undefined ? {} : { region }),
    ...(quietHours === undefined ? {} : { quietHours }),
    ...(frequency === undefined ? {} : { frequency }),
  };
}

/** The first telling of a fact stays; a repeat changes nothing. */
function keepRecent<T>(list: readonly T[], item: T, isSame: (known: T) => boolean): readonly T[] {
  return list.some(isSame) ? list : [...list, item].slice(-RECENT_KEPT_MAX);
}
