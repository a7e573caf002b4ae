import type { Fold, ProjectedDocument } from '@assent/projection';

/** Which person an address key belongs to, as one partition of consent.events tells it. */
export interface AddressDocument extends ProjectedDocument {
  readonly subjectId: string;
}

/** The same key may be registered again for a new person, in another partition: so the partition is in the id. */
export const addressFold: Fold<AddressDocument> = {
  collection: 'addresses',
  topics: ['consent.events'],
  idsOf: (event) =>
    event.type === 'subject.address-registered.v1' ? [addressId(event.data.addressKey, event.position.partition)] : [],
  evolve: (document, event, id) =>
    event.type === 'subject.address-registered.v1' ? { _id: id, subjectId: event.data.subjectId } : document,
};

export function addressId(addressKey: string, partition: number): string {
  return `${addressKey}@${partition}`;
}
