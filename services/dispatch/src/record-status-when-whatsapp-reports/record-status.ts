import type { AnyEvent } from '@assent/contracts';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import type { EventOf, Reaction } from '../reactions/reaction.ts';

/**
 * WhatsApp's status of a message of ours, as dispatch's own lasting fact: whatsapp.inbound is kept for 90 days only. The
 * ids come back from the call in `biz_opaque_callback_data`, so nothing is looked up; the fold ignores a status of an
 * attempt it does not know.
 */
export class RecordStatus implements Reaction<'whatsapp.status-received.v1'> {
  readonly to = 'whatsapp.status-received.v1';

  react(event: EventOf<'whatsapp.status-received.v1'>): Promise<readonly AnyEvent[]> {
    const { attemptId, dispatchId, subjectId, status, statusAt, errors } = event.data;
    if (attemptId === undefined || dispatchId === undefined || subjectId === undefined) return Promise.resolve([]);
    const errorCode = errors?.[0]?.code;
    const recorded = dispatchEvent({
      type: 'dispatch.status-recorded.v1',
      tenant: event.tenant,
      key: subjectId,
      at: Date.parse(event.recordedAt),
      idParts: [attemptId, status, statusAt],
      causationId: event.id,
      data: { dispatchId, attemptId, subjectId, status, statusAt, ...(errorCode === undefined ? {} : { errorCode }) },
    });
    return Promise.resolve([recorded]);
  }
}
