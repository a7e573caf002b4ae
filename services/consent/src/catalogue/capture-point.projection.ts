import type { CapturePointPublished } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** A capture point as it was published last; its id is the public code in links. */
export interface CapturePointDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly capturePoint: CapturePointPublished;
  /** For the look-up of the keywords of a business number. */
  readonly senderId: string;
}

export const capturePointFold: Fold<CapturePointDocument> = {
  collection: 'capture_points',
  topics: ['consent.catalog'],
  indexes: [{ tenant: 1 }, { senderId: 1 }],
  idsOf: ({ type, tenant, data }) =>
    type === 'capture-point.published.v1' ? [publicCodeOf(tenant, data.capturePointId)] : [],
  evolve: (document, event, id) =>
    event.type === 'capture-point.published.v1'
      ? { _id: id, tenant: event.tenant, capturePoint: event.data, senderId: event.data.senderId }
      : document,
};

/** What stands in links and buttons: unique over all tenants, since neither part can contain a dot. */
export function publicCodeOf(tenant: string, capturePointId: string): string {
  return `${tenant}.${capturePointId}`;
}
