import type { Position, RecordedEvent, Scope, SuppressionCauseAdded } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

export interface LiveCause {
  readonly causeId: string;
  readonly kind: SuppressionCauseAdded['kind'];
  readonly scope: Scope;
  readonly since: string;
  readonly position: Position;
}

/** What forbids contacting one address, from suppression.events. */
export interface AddressCausesDocument extends ProjectedDocument {
  readonly live: readonly LiveCause[];
  /** A lifted id stays dead, also when it arrives again or only now. */
  readonly lifted: readonly string[];
}

export const addressCausesFold: Fold<AddressCausesDocument> = {
  collection: 'address_causes',
  topics: ['suppression.events'],
  idsOf: (event) =>
    event.type === 'suppression.cause-added.v1' || event.type === 'suppression.cause-lifted.v1'
      ? [event.data.addressKey]
      : [],
  evolve: (document, event, id) => evolveCauses(document ?? { _id: id, live: [], lifted: [] }, event),
};

function evolveCauses(document: AddressCausesDocument, event: RecordedEvent): AddressCausesDocument {
  if (event.type === 'suppression.cause-lifted.v1') {
    const dead = new Set(event.data.causeIds);
    return {
      ...document,
      live: document.live.filter((cause) => !dead.has(cause.causeId)),
      lifted: [...new Set([...document.lifted, ...dead])].sort(),
    };
  }
  if (event.type !== 'suppression.cause-added.v1') return document;
  const { causeId, kind, scope, since } = event.data;
  const known = document.lifted.includes(causeId) || document.live.some((cause) => cause.causeId === causeId);
  if (known) return document;
  return { ...document, live: [...document.live, { causeId, kind, scope, since, position: event.position }] };
}
