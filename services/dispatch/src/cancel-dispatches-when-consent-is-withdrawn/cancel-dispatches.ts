import { isGranted } from '@assent/consent-state';
import { type AnyEvent, formatPosition } from '@assent/contracts';
import type { Connection } from 'mongoose';
import type { Claims } from '../claims/claims.ts';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import { type DispatchDocument, dispatchFold } from '../dispatch-ledger/dispatch.projection.ts';
import type { EventOf, Reaction } from '../reactions/reaction.ts';
import type { RecipientDocument } from '../recipients/recipient.projection.ts';
import type { RecipientLookup } from '../recipients/recipient-lookup.ts';

/**
 * Ends what was planned for a person whose consent is gone, so that people see it at once. What this misses (a dispatch
 * accepted a moment ago, one that is at the gate) the gate refuses when it is due.
 */
export class CancelDispatches implements Reaction<'consent.withdrawn.v1'> {
  readonly to = 'consent.withdrawn.v1';
  readonly #db: Connection;
  readonly #claims: Claims;
  readonly #recipients: RecipientLookup;

  constructor(deps: { db: Connection; claims: Claims; recipients: RecipientLookup }) {
    this.#db = deps.db;
    this.#claims = deps.claims;
    this.#recipients = deps.recipients;
  }

  async react(event: EventOf<'consent.withdrawn.v1'>): Promise<readonly AnyEvent[]> {
    const { tenant, data } = event;
    const recipient = await this.#recipients.byId(tenant, data.subjectId);
    if (recipient === undefined) return [];
    const open = await this.#db
      .collection<DispatchDocument>(dispatchFold.collection)
      .find({ openFor: data.subjectId }, { readPreference: 'primary' })
      .toArray();
    const cancelled: AnyEvent[] = [];
    for (const dispatch of open) {
      if (dispatch.tenant !== tenant || !consentIsGone(dispatch, recipient)) continue;
      if (!(await this.#claims.cancel(dispatch._id, dispatch._partition ?? '', 'withdrawal'))) continue;
      cancelled.push(cancellation(dispatch, event));
    }
    return cancelled;
  }
}

function consentIsGone(dispatch: DispatchDocument, { consent }: RecipientDocument): boolean {
  const { class: kind, purposeId, category, senderId } = dispatch;
  if (kind !== 'message' || purposeId === undefined || category === undefined || senderId === undefined) return false;
  return !isGranted(consent, { purposeId, category, senderId, channel: 'whatsapp' }).granted;
}

function cancellation({ _id: dispatchId }: DispatchDocument, event: EventOf<'consent.withdrawn.v1'>): AnyEvent {
  const { tenant, data, recordedAt } = event;
  const position = formatPosition(event.position);
  return dispatchEvent({
    type: 'dispatch.cancelled.v1',
    tenant,
    key: data.subjectId,
    at: Date.parse(recordedAt),
    idParts: [dispatchId, data.withdrawalId],
    causationId: event.id,
    data: {
      dispatchId,
      subjectId: data.subjectId,
      reason: { code: 'withdrawn', text: 'The person withdrew before it was due.', ref: position },
      cause: { kind: 'withdrawal', id: data.withdrawalId, position },
    },
  });
}
