import { type AnyEvent, deterministicId, formatPosition } from '@assent/contracts';
import type { Connection } from 'mongoose';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import { RECEIPT_VALID_MS } from '../gate/gate.decider.ts';
import type { EventOf, Reaction } from '../reactions/reaction.ts';
import { preferredAddress } from '../recipients/preferred-address.ts';
import type { RecipientLookup } from '../recipients/recipient-lookup.ts';
import { findSender } from '../senders/sender.projection.ts';

/** One receipt for one withdrawal, from the number it was said to. Source: 47 CFR 64.1200(a)(12). */
export class SendReceipt implements Reaction<'consent.withdrawn.v1'> {
  readonly to = 'consent.withdrawn.v1';
  readonly #db: Connection;
  readonly #recipients: RecipientLookup;

  constructor(deps: { db: Connection; recipients: RecipientLookup }) {
    this.#db = deps.db;
    this.#recipients = deps.recipients;
  }

  async react(event: EventOf<'consent.withdrawn.v1'>): Promise<readonly AnyEvent[]> {
    const { tenant, data, recordedAt } = event;
    const { subjectId, withdrawalId, senderId } = data;
    if (!data.receiptDue || senderId === undefined) return [];
    const dispatchId = deterministicId('receipt', tenant, withdrawalId);
    const at = Date.parse(recordedAt);
    const common = { tenant, key: subjectId, at, idParts: [dispatchId], causationId: event.id };
    const recipient = await this.#recipients.byId(tenant, subjectId);
    const address = recipient === undefined ? undefined : preferredAddress(recipient);
    const sender = await findSender(this.#db, tenant, senderId);
    if (address === undefined || sender === undefined) {
      const text = 'The receipt can not be sent: its sender is not registered, or the person has no address.';
      const reasons = [{ code: 'receipt-impossible', text }];
      const refused = { dispatchId, class: 'withdrawal-receipt' as const, subjectId, reasons };
      return [dispatchEvent({ ...common, type: 'dispatch.refused.v1', data: refused })];
    }
    const accepted = dispatchEvent({
      ...common,
      type: 'dispatch.accepted.v1',
      data: {
        dispatchId,
        class: 'withdrawal-receipt',
        cause: { kind: 'withdrawal', id: withdrawalId, position: formatPosition(event.position) },
        subjectId,
        addressKey: address.addressKey,
        category: 'utility',
        senderId,
        template: sender.receiptTemplate,
        schedule: { kind: 'now' },
        expiresAt: new Date(at + RECEIPT_VALID_MS).toISOString(),
        requestedBy: 'consent',
      },
    });
    const dueAt = new Date(at).toISOString();
    const planned = { dispatchId, subjectId, dueAt, reasons: [] };
    return [accepted, dispatchEvent({ ...common, type: 'dispatch.planned.v1', data: planned })];
  }
}
