import type { Fold, ProjectedDocument } from '@assent/projection';

/** A sender for which a withdrawal arrived that could not be given to a person. */
export interface HeldSenderDocument extends ProjectedDocument {
  readonly since: string;
}

/** Keyed `sender:<id>` in consent.events; checks for that sender are held until an operator has looked (I6). */
export const heldSenderFold: Fold<HeldSenderDocument> = {
  collection: 'held_senders',
  topics: ['consent.events'],
  idsOf: (event) => (event.type === 'consent.withdrawal-quarantined.v1' ? [event.data.senderId] : []),
  evolve: (document, event, id) =>
    event.type === 'consent.withdrawal-quarantined.v1' && document === undefined
      ? { _id: id, since: event.data.receivedAt }
      : document,
};

/** The record key under which withdrawals for an unknown sender are kept. */
export function heldSenderKey(senderId: string): string {
  return `sender:${senderId}`;
}
