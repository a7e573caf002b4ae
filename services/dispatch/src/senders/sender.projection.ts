import type { SenderRegistered } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';
import type { Connection } from 'mongoose';

/** A business number as its tenant registered it last. */
export interface SenderDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly sender: SenderRegistered;
}

/** The first tenant that registered a number has it: nobody sends from another one's number (docs/adr/0014). */
export const senderFold: Fold<SenderDocument> = {
  collection: 'senders',
  topics: ['dispatch.policy'],
  indexes: [{ tenant: 1 }],
  idsOf: (event) => (event.type === 'sender.registered.v1' ? [event.data.senderId] : []),
  evolve: (document, event, id) => {
    if (event.type !== 'sender.registered.v1') return document;
    if (document !== undefined && document.tenant !== event.tenant) return document;
    return { _id: id, tenant: event.tenant, sender: event.data };
  },
};

/** The tenant's own number; undefined when it is not registered, or is another tenant's. Reads the primary. */
export async function findSender(
  db: Connection,
  tenant: string,
  senderId: string,
): Promise<SenderRegistered | undefined> {
  const found = await db
    .collection<SenderDocument>(senderFold.collection)
    .findOne({ _id: senderId }, { readPreference: 'primary' });
  return found !== null && found.tenant === tenant ? found.sender : undefined;
}

/** Whether another tenant registered the number first. */
export async function isOthers(db: Connection, tenant: string, senderId: string): Promise<boolean> {
  const found = await db
    .collection<SenderDocument>(senderFold.collection)
    .findOne({ _id: senderId }, { readPreference: 'primary' });
  return found !== null && found.tenant !== tenant;
}
