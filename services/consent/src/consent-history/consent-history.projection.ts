import { type ConsentState, evolveConsent, initialConsentState } from '@assent/consent-state';
import type { RecordedEvent } from '@assent/contracts';
import type { Fold, ProjectedDocument } from '@assent/projection';
import type { Connection } from 'mongoose';

/** What one person's part of consent.events says, in the order of the log. */
export interface ConsentHistoryDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly facts: readonly RecordedEvent[];
  /** The fold of every fact there ever was. */
  readonly consent: ConsentState;
  /** True when older facts were left out; then no answer about the past is given from here. */
  readonly isCut: boolean;
}

/** A person who opts in and out weekly for twenty years has fewer; it keeps the document below 16 MB. */
export const FACTS_KEPT_MAX = 2_000;

export const consentHistoryFold: Fold<ConsentHistoryDocument> = {
  collection: 'consent_histories',
  topics: ['consent.events'],
  idsOf: ({ data }) => ('subjectId' in data && typeof data.subjectId === 'string' ? [data.subjectId] : []),
  evolve: (document, event, id) => {
    // A person belongs to the tenant that registered them; what another tenant says of that id is not about them.
    if (document !== undefined && document.tenant !== event.tenant) return document;
    const known = document ?? {
      _id: id,
      tenant: event.tenant,
      facts: [],
      consent: initialConsentState,
      isCut: false,
    };
    if (known.tenant !== event.tenant) return known;
    if (known.facts.some((fact) => fact.id === event.id)) return known;
    const facts = [...known.facts, event];
    const consent = evolveConsent(known.consent, event);
    return {
      ...known,
      consent,
      facts: facts.slice(-FACTS_KEPT_MAX),
      isCut: known.isCut || facts.length > FACTS_KEPT_MAX,
    };
  },
};

/** What our projection of consent.events holds about people. */
export class ConsentHistories {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async of(subjectIds: readonly string[]): Promise<ConsentHistoryDocument[]> {
    return this.#db
      .collection<ConsentHistoryDocument>(consentHistoryFold.collection)
      .find({ _id: { $in: [...subjectIds] } }, { readPreference: 'primary' })
      .toArray();
  }

  /** Those of the people who belong to another tenant. */
  async foreignTo(tenant: string, subjectIds: readonly string[]): Promise<ReadonlySet<string>> {
    const histories = await this.of(subjectIds);
    return new Set(histories.filter((history) => history.tenant !== tenant).map(({ _id }) => _id));
  }
}
