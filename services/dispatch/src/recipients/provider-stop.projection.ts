import { formatPosition } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** WhatsApp's answer that the person stopped this business's marketing. Source: Cloud API error codes, 131050. */
export const USER_STOPPED_MARKETING = 131050;

/** The newest such answer to a call of ours; it holds at once, before consent has recorded it as a withdrawal. */
export interface ProviderStopDocument extends ProjectedDocument {
  readonly stoppedAt: string;
  readonly position: string;
}

export const providerStopFold: Fold<ProviderStopDocument> = {
  collection: 'provider_stops',
  topics: ['dispatch.events'],
  idsOf: (event) =>
    event.type === 'dispatch.attempt-failed.v1' && event.data.errorCode === USER_STOPPED_MARKETING
      ? [event.data.subjectId]
      : [],
  evolve: (document, event, id) => {
    if (document !== undefined && document.stoppedAt >= event.time) return document;
    return { _id: id, stoppedAt: event.time, position: formatPosition(event.position) };
  },
};
