import { type AnyEvent, deterministicId, formatPosition } from '@assent/contracts';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import type { EventOf, Reaction } from '../reactions/reaction.ts';

/**
 * The double-opt-in question as a dispatch of its own class. It goes through the same gate as everything else, which
 * refuses it where a form asked for somebody who has withdrawn. Templates that confirm an opt-in are UTILITY (WhatsApp,
 * "Template categorization", 2025-11-14).
 */
export class SendOptInAsk implements Reaction<'consent.requested.v1'> {
  readonly to = 'consent.requested.v1';

  react(event: EventOf<'consent.requested.v1'>): Promise<readonly AnyEvent[]> {
    const { tenant, data, position } = event;
    const { subjectId, requestId } = data;
    const dispatchId = deterministicId('ask', tenant, requestId);
    const at = Date.parse(event.recordedAt);
    const common = { tenant, key: subjectId, at, idParts: [dispatchId], causationId: event.id };
    const accepted = dispatchEvent({
      ...common,
      type: 'dispatch.accepted.v1',
      data: {
        dispatchId,
        class: 'opt-in-ask',
        cause: { kind: 'consent-requested', id: requestId, position: formatPosition(position) },
        subjectId,
        addressKey: data.addressKey,
        category: 'utility',
        senderId: data.senderId,
        template: data.confirmationTemplate,
        sealedConfirmation: data.sealedConfirmation,
        schedule: { kind: 'now' },
        expiresAt: data.expiresAt,
        requestedBy: 'consent',
      },
    });
    const dueAt = new Date(at).toISOString();
    const planned = dispatchEvent({
      ...common,
      type: 'dispatch.planned.v1',
      data: { dispatchId, subjectId, dueAt, reasons: [] },
    });
    return Promise.resolve([accepted, planned]);
  }
}
