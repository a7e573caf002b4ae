import { evolveConsent, initialConsentState, type ConsentState } from '@assent/consent-state';
import type { RecordedEvent } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';

/** What the consent stream says about one person, as far as suppression needs it. */
export interface SubjectDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly consent: ConsentState;
  /** Every key the person is known by. */
  readonly addressKeys: readonly string[];
}

/** One document per person; consent.events is keyed by the person, so one partition feeds it. */
export const subjectFold: Fold<SubjectDocument> = {
  collection: 'subjects',
  topics: ['consent.events'],
  idsOf: (event) => {
    const { data } = event;
    return 'subjectId' in data && typeof data.subjectId === 'string' ? [data.subjectId] : [];
  },
  evolve: (document, event, id) => {
    // A person belongs to the tenant that registered them; what another tenant says of that id is not about them.
    if (document !== undefined && document.tenant !== event.tenant) return document;
    return evolveSubject(document ?? emptySubject(id, event.tenant), event);
  },
};

function emptySubject(subjectId: string, tenant: string): SubjectDocument {
  return { _id: subjectId, tenant, consent: initialConsentState, addressKeys: [] };
}

/** Nothing crosses tenants: an event of another one says nothing about this person. */
function evolveSubject(subject: SubjectDocument, event: RecordedEvent): SubjectDocument {
  if (subject.tenant !== event.tenant) return subject;
  const consent = evolveConsent(subject.consent, event);
  if (event.type !== 'subject.address-registered.v1') return { ...subject, consent };
  const addressKeys = [...new Set([...subject.addressKeys, event.data.addressKey])].sort();
  return { ...subject, consent, addressKeys };
}
