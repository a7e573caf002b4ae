import type { TemplateRef, TemplateRegistered } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** A message template in one language as it was registered last. */
export interface TemplateDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly template: TemplateRegistered;
}

export const templateFold: Fold<TemplateDocument> = {
  collection: 'templates',
  topics: ['dispatch.policy'],
  indexes: [{ tenant: 1 }],
  idsOf: (event) => (event.type === 'template.registered.v1' ? [templateDocumentId(event.tenant, event.data)] : []),
  evolve: (document, event, id) =>
    event.type === 'template.registered.v1' ? { _id: id, tenant: event.tenant, template: event.data } : document,
};

export function templateDocumentId(tenant: string, { name, language }: TemplateRef): string {
  return `${tenant}|${name}|${language}`;
}
