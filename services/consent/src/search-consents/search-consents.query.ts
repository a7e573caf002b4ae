import { activeWithdrawals, type ConsentState, evolveConsent, initialConsentState } from '@assent/consent-state';
import { formatPosition, type RecordedEvent } from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { Problem } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { AddressDirectory } from '../address-directory/address-directory.ts';
import { ConsentHistories } from '../consent-history/consent-history.projection.ts';

export class SearchConsents {
  constructor(
    readonly tenant: string,
    readonly recipient: Recipient,
    /** Epoch milliseconds; undefined for now. */
    readonly asOf: number | undefined,
    readonly validTime: boolean,
  ) {}
}

/** What is known of one person at one instant. */
export interface FoundConsent {
  readonly subjectId: string;
  readonly grants: ConsentState['grants'];
  /** Withdrawals in force, a later proven grant or not. */
  readonly withdrawals: ConsentState['withdrawals'];
  /** Requests to opt in that are on record by then. */
  readonly requests: readonly {
    requestId: string;
    purposeIds: readonly string[];
    requestedAt: string;
    position: string;
  }[];
  /** The facts that this rests on, in the order of the log; of very many the newest. */
  readonly facts: readonly { type: string; time: string; recordedAt: string; position: string }[];
}

export interface FoundConsents {
  readonly known: boolean;
  readonly asOf: string | undefined;
  readonly people: readonly FoundConsent[];
}

/** Folds what was recorded (or, with `validTime`, what had happened) up to an instant. Never registers anybody. */
@QueryHandler(SearchConsents)
export class SearchConsentsHandler implements IQueryHandler<SearchConsents, FoundConsents> {
  constructor(
    @Inject(ConsentHistories) private readonly histories: ConsentHistories,
    @Inject(AddressDirectory) private readonly directory: AddressDirectory,
  ) {}

  async execute({ tenant, recipient, asOf, validTime }: SearchConsents): Promise<FoundConsents> {
    const subjectIds = await this.directory.find(tenant, recipient);
    const found = await this.histories.of(subjectIds);
    const own = found.filter((history) => history.tenant === tenant);
    if (asOf !== undefined && own.some(({ isCut }) => isCut)) throw historyCut();
    const people = own.map(({ _id, facts, consent }) => {
      const upTo = factsUpTo(facts, asOf, validTime);
      return consentOf(_id, upTo, asOf === undefined ? consent : stateOf(upTo));
    });
    return { known: people.length > 0, asOf: asOf === undefined ? undefined : new Date(asOf).toISOString(), people };
  }
}

function factsUpTo(facts: readonly RecordedEvent[], asOf: number | undefined, validTime: boolean): RecordedEvent[] {
  if (asOf === undefined) return [...facts];
  return facts.filter((fact) => Date.parse(validTime ? fact.time : fact.recordedAt) <= asOf);
}

function stateOf(facts: readonly RecordedEvent[]): ConsentState {
  return facts.reduce<ConsentState>((folded, fact) => evolveConsent(folded, fact), initialConsentState);
}

function consentOf(subjectId: string, facts: readonly RecordedEvent[], state: ConsentState): FoundConsent {
  const requests = facts.flatMap((fact) =>
    fact.type === 'consent.requested.v1'
      ? [
          {
            requestId: fact.data.requestId,
            purposeIds: fact.data.purposeIds,
            requestedAt: fact.data.requestedAt,
            position: formatPosition(fact.position),
          },
        ]
      : [],
  );
  return {
    subjectId,
    grants: state.grants,
    withdrawals: activeWithdrawals(state),
    requests,
    facts: facts.map(({ type, time, recordedAt, position }) => ({
      type,
      time,
      recordedAt,
      position: formatPosition(position),
    })),
  };
}

function historyCut(): Problem {
  return new Problem({
    status: 422,
    code: 'history-cut',
    title: 'The past of this person is not held here',
    detail: 'There are more facts than the read model keeps. Replay the log for this person instead.',
  });
}
