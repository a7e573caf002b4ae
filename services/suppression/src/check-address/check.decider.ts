import { activeWithdrawals, covers, isGranted, type ContactAspects } from '@assent/consent-state';
import { formatPosition, type Scope } from '@assent/contracts';
import type { Cause } from '../causes/cause.projection.ts';
import type { FoundRecipient } from '../recipient-lookup/recipient-lookup.ts';

/** What a caller wants to send; what is left out may be anything. */
export interface CheckAspects {
  readonly purposeId?: string;
  readonly category?: string;
  readonly senderId?: string;
}

/** One thing that forbids contact. `id` is what a lift would name; withdrawals can't be lifted by us. */
export interface Forbidding {
  readonly id: string;
  readonly kind: 'withdrawal' | 'platform-stop' | Cause['kind'];
  readonly scope: Scope;
  readonly since: string;
  readonly text: string;
  readonly position?: string;
}

export interface HoldReason {
  readonly code: 'read-model-behind' | 'recipient-parked' | 'sender-held' | 'purpose-unknown' | 'recipient-unknown';
  readonly text: string;
}

/**
 * `block`: something forbids it. `hold`: it can't be known now. `clear`: nothing forbids it, which is not yet consent.
 */
export interface CheckAnswer {
  readonly answer: 'block' | 'hold' | 'clear';
  readonly causes: readonly Forbidding[];
  readonly reasons: readonly HoldReason[];
  readonly text: string;
}

export interface CheckFacts {
  readonly found: FoundRecipient;
  readonly aspects: CheckAspects;
  /** What could not be known: lagging logs, parked keys, held senders, an unpublished purpose. */
  readonly doubts: readonly HoldReason[];
}

/**
 * Does anything forbid contacting this address, in this scope? Any live cause blocks; a block is certain even while
 * other facts are in doubt, because causes only ever add up. Without a block any doubt holds (I3).
 */
export function decideCheck({ found, aspects, doubts }: CheckFacts): CheckAnswer {
  const contact: ContactAspects = { channel: 'whatsapp', ...aspects };
  const causes = [...withdrawalsOf(found, contact), ...liveCausesOf(found, contact)];
  if (causes.length > 0) {
    return { answer: 'block', causes, reasons: doubts, text: 'Something forbids contact: see causes.' };
  }
  if (doubts.length > 0) {
    return { answer: 'hold', causes, reasons: doubts, text: 'It can not be known now; ask again.' };
  }
  const text = 'Nothing forbids contact. This is not yet consent: a grant for the purpose is needed too.';
  return { answer: 'clear', causes, reasons: [], text };
}

/** Every withdrawal that covers the contact, unless a proven grant for the very purpose came after it. */
function withdrawalsOf(found: FoundRecipient, contact: ContactAspects): Forbidding[] {
  return found.subjects.flatMap(({ consent }) => {
    const { purposeId, category, senderId } = contact;
    const known = purposeId !== undefined && category !== undefined && senderId !== undefined;
    if (known && isGranted(consent, { purposeId, category, senderId, channel: 'whatsapp' }).granted) return [];
    return activeWithdrawals(consent)
      .filter((withdrawal) => covers(withdrawal.scope, contact))
      .filter((withdrawal) => !known || !liftedByProvenGrant(consent, withdrawal, purposeId))
      .map((withdrawal) => ({
        id: withdrawal.withdrawalId,
        kind: withdrawal.lane === 'platform' ? ('platform-stop' as const) : ('withdrawal' as const),
        scope: withdrawal.scope,
        since: withdrawal.effectiveAt,
        text: withdrawal.lane === 'platform' ? 'WhatsApp reported a stop.' : 'The person withdrew.',
        ...(withdrawal.position === undefined ? {} : { position: formatPosition(withdrawal.position) }),
      }));
  });
}

type Consent = FoundRecipient['subjects'][number]['consent'];

function liftedByProvenGrant(consent: Consent, withdrawal: Consent['withdrawals'][number], purposeId: string): boolean {
  return consent.grants.some(
    (grant) =>
      grant.basis === 'confirmed' &&
      grant.purposeId === purposeId &&
      Date.parse(grant.requestedAt) > Date.parse(withdrawal.effectiveAt),
  );
}

function liveCausesOf(found: FoundRecipient, contact: ContactAspects): Forbidding[] {
  return found.causes
    .flatMap(({ causes }) => Object.values(causes))
    .filter((cause) => cause.liftedAt === undefined && covers(cause.scope, contact))
    .map(({ causeId, kind, scope, since, reason, position }) => ({
      id: causeId,
      kind,
      scope,
      since,
      text: reason,
      position,
    }));
}
