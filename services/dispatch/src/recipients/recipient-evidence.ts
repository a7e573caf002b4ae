import type { Recipient } from '@assent/identity';
import type { RecipientEvidence, RecipientWishes } from '@assent/send-rules';
import type { RecipientDocument } from './recipient.projection.ts';

/**
 * What tells where a person is: their own word, and the address when it could be opened. A business-scoped user id
 * begins with its country. Holds personal data: for deciding only, never for an event or a log.
 */
export function recipientEvidenceOf(
  document: Pick<RecipientDocument, 'timeZone' | 'region'> | undefined,
  address: Recipient | undefined,
): RecipientEvidence {
  return {
    ...(document?.timeZone === undefined ? {} : { declaredZone: document.timeZone }),
    ...(document?.region === undefined ? {} : { declaredRegion: document.region }),
    ...(address === undefined ? {} : addressEvidenceOf(address)),
  };
}

function addressEvidenceOf(address: Recipient): Pick<RecipientEvidence, 'phone' | 'bsuidCountry'> {
  if ('phone' in address) return { phone: address.phone };
  if ('waId' in address) return { phone: address.waId };
  return 'bsuid' in address ? { bsuidCountry: address.bsuid.slice(0, 2) } : {};
}

/** What the person wishes, as the send rules take it. */
export function recipientWishesOf({ quietHours, frequency }: RecipientDocument): RecipientWishes {
  return {
    ...(quietHours === undefined ? {} : { quietHours: [quietHours.from, quietHours.to] as const }),
    ...(frequency === undefined ? {} : { frequency }),
  };
}
