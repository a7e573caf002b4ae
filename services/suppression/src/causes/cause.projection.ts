import { formatPosition, type RecordedEvent, type Scope, type SuppressionCauseAdded } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** One reason why an address may not be contacted that is not a withdrawal. */
export interface Cause {
  readonly causeId: string;
  readonly kind: SuppressionCauseAdded['kind'];
  readonly scope: Scope;
  readonly reason: string;
  readonly actor: string;
  readonly since: string;
  readonly position: string;
  readonly liftedAt?: string;
  readonly liftedReason?: string;
}

/** Every cause an address ever had, live and lifted, by cause id. */
export interface AddressCausesDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly causes: Readonly<Record<string, Cause>>;
  /** Ids that were lifted before they were seen: they stay dead when they arrive. */
  readonly liftedAhead: readonly string[];
}

export const addressCausesFold: Fold<AddressCausesDocument> = {
  collection: 'address_causes',
  topics: ['suppression.events'],
  idsOf: (event) =>
    event.type === 'suppression.cause-added.v1' || event.type === 'suppression.cause-lifted.v1'
      ? [event.data.addressKey]
      : [],
  evolve: (document, event, id) =>
    evolveCauses(document ?? { _id: id, tenant: event.tenant, causes: {}, liftedAhead: [] }, event),
};

function evolveCauses(document: AddressCausesDocument, event: RecordedEvent): AddressCausesDocument {
  switch (event.type) {
    case 'suppression.cause-added.v1':
      return added(document, event);
    case 'suppression.cause-lifted.v1':
      return event.data.causeIds.reduce((lifted, causeId) => liftOne(lifted, causeId, event), document);
    default:
      return document;
  }
}

type EventOf<T extends RecordedEvent['type']> = Extract<RecordedEvent, { type: T }>;

/** A repeat of a cause changes nothing, and a lifted one stays dead. */
function added(document: AddressCausesDocument, event: EventOf<'suppression.cause-added.v1'>): AddressCausesDocument {
  const { causeId, kind, scope, reason, actor, since } = event.data;
  if (document.causes[causeId] !== undefined || document.liftedAhead.includes(causeId)) return document;
  const cause: Cause = { causeId, kind, scope, reason, actor, since, position: formatPosition(event.position) };
  return { ...document, causes: { ...document.causes, [causeId]: cause } };
}

function liftOne(
  document: AddressCausesDocument,
  causeId: string,
  event: EventOf<'suppression.cause-lifted.v1'>,
): AddressCausesDocument {
  const cause = document.causes[causeId];
  if (cause === undefined) {
    return { ...document, liftedAhead: [...new Set([...document.liftedAhead, causeId])].sort() };
  }
  if (cause.liftedAt !== undefined) return document;
  const lifted: Cause = { ...cause, liftedAt: event.time, liftedReason: event.data.reason };
  return { ...document, causes: { ...document.causes, [causeId]: lifted } };
}

/** Which address a cause belongs to, so that a lift can name the cause alone. */
export interface CauseAddressDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly addressKey: string;
}

export const causeAddressFold: Fold<CauseAddressDocument> = {
  collection: 'cause_addresses',
  topics: ['suppression.events'],
  idsOf: (event) => (event.type === 'suppression.cause-added.v1' ? [event.data.causeId] : []),
  evolve: (document, event, id) =>
    event.type === 'suppression.cause-added.v1'
      ? { _id: id, tenant: event.tenant, addressKey: event.data.addressKey }
      : document,
};
