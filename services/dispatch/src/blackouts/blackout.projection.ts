import type { BlackoutDeclared } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';
import type { Blackout } from '@assent/send-rules';

/** Record key of everything about blackouts, so that the gate can ask whether any of it is parked. */
export const BLACKOUTS_KEY = 'blackouts';

/** A blackout as it was declared; `isEnded` once somebody ended it. */
export interface BlackoutDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly declared: BlackoutDeclared;
  readonly isEnded: boolean;
  readonly endedAt?: string;
  readonly endedBy?: string;
}

export const blackoutFold: Fold<BlackoutDocument> = {
  collection: 'blackouts',
  topics: ['dispatch.policy'],
  indexes: [{ tenant: 1, isEnded: 1 }],
  idsOf: (event) =>
    event.type === 'blackout.declared.v1' || event.type === 'blackout.ended.v1' ? [event.data.blackoutId] : [],
  evolve: (document, event, id) => {
    if (event.type === 'blackout.declared.v1') {
      return document ?? { _id: id, tenant: event.tenant, declared: event.data, isEnded: false };
    }
    if (event.type !== 'blackout.ended.v1' || document === undefined || document.isEnded) return document;
    if (document.tenant !== event.tenant) return document;
    return { ...document, isEnded: true, endedAt: event.time, endedBy: event.data.endedBy };
  },
};

/** As the send rules take it. */
export function blackoutOf({ _id, declared }: BlackoutDocument): Blackout {
  const { jurisdictions, from, until, categories, reason } = declared;
  return {
    id: _id,
    jurisdictions,
    from: Date.parse(from),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
    ...(categories === undefined ? {} : { categories }),
    reason,
  };
}
