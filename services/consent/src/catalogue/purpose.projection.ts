import type { PurposePublished } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** A purpose as it was published last. */
export interface PurposeDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly purpose: PurposePublished;
}

export const purposeFold: Fold<PurposeDocument> = {
  collection: 'purposes',
  topics: ['consent.catalog'],
  indexes: [{ tenant: 1 }],
  idsOf: (event) =>
    event.type === 'purpose.published.v1' ? [purposeDocumentId(event.tenant, event.data.purposeId)] : [],
  evolve: (document, event, id) =>
    event.type === 'purpose.published.v1' ? { _id: id, tenant: event.tenant, purpose: event.data } : document,
};

export function purposeDocumentId(tenant: string, purposeId: string): string {
  return `${tenant}|${purposeId}`;
}
