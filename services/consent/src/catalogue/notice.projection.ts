import type { NoticePublished } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** One version of a notice, or, under the id without a version, its newest one. */
export interface NoticeDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly notice: NoticePublished;
}

/** A version never changes once it is published; whoever publishes the same number again changes nothing. */
export const noticeFold: Fold<NoticeDocument> = {
  collection: 'notices',
  topics: ['consent.catalog'],
  indexes: [{ tenant: 1 }],
  idsOf: ({ type, tenant, data }) =>
    type === 'notice.published.v1'
      ? [noticeDocumentId(tenant, data.noticeId), noticeDocumentId(tenant, data.noticeId, data.version)]
      : [],
  evolve: (document, event, id) => {
    if (event.type !== 'notice.published.v1') return document;
    const { tenant, data } = event;
    if (document !== undefined && document.notice.version >= data.version) return document;
    return { _id: id, tenant, notice: data };
  },
};

export function noticeDocumentId(tenant: string, noticeId: string, version?: number): string {
  return version === undefined ? `${tenant}|${noticeId}` : `${tenant}|${noticeId}|${version}`;
}
