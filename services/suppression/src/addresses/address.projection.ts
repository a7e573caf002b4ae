import type { Fold, ProjectedDocument } from '@assent/projection';

/** Which people an address key ever belonged to, as one partition of consent.events tells it. */
export interface AddressDocument extends ProjectedDocument {
  readonly subjectIds: readonly string[];
}

/**
 * The same key may be registered again for a new person, in another partition: so the partition is in the id. In the same
 * one the earlier person stays: their withdrawals hold for the address.
 */
export const addressFold: Fold<AddressDocument> = {
  collection: 'addresses',
  topics: ['consent.events'],
  idsOf: (event) =>
    event.type === 'subject.address-registered.v1' ? [addressId(event.data.addressKey, event.position.partition)] : [],
  evolve: (document, event, id) =>
    event.type === 'subject.address-registered.v1'
      ? { _id: id, subjectIds: [...new Set([...(document?.subjectIds ?? []), event.data.subjectId])].sort() }
      : document,
};

export function addressId(addressKey: string, partition: number): string {
  return `${addressKey}@${partition}`;
}
