import type { Category } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

export interface PurposeDocument extends ProjectedDocument {
  readonly category: Category;
}

export const purposeFold: Fold<PurposeDocument> = {
  collection: 'purposes',
  topics: ['consent.catalog'],
  idsOf: (event) =>
    event.type === 'purpose.published.v1' ? [purposeDocumentId(event.tenant, event.data.purposeId)] : [],
  evolve: (document, event, id) =>
    event.type === 'purpose.published.v1' ? { _id: id, category: event.data.category } : document,
};

export function purposeDocumentId(tenant: string, purposeId: string): string {
  return `${tenant}|${purposeId}`;
}
