import type { WithdrawalRegister } from '@assent/consent-state';
import type { Recipient } from '@assent/identity';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Cause } from '../causes/cause.projection.ts';
import { RecipientLookup } from '../recipient-lookup/recipient-lookup.ts';

export class SearchSuppressions {
  constructor(
    readonly tenant: string,
    readonly recipient: Recipient,
  ) {}
}

export interface FoundSuppressions {
  readonly causes: readonly Cause[];
  /** Of the people known under this address: the newest withdrawal of each lane and scope, later grants or not. */
  readonly withdrawals: readonly (WithdrawalRegister & { readonly subjectId: string })[];
}

/** Every cause an address ever had, lifted ones included, and the withdrawals on record. */
@QueryHandler(SearchSuppressions)
export class SearchSuppressionsHandler implements IQueryHandler<SearchSuppressions, FoundSuppressions> {
  constructor(@Inject(RecipientLookup) private readonly lookup: RecipientLookup) {}

  async execute({ tenant, recipient }: SearchSuppressions): Promise<FoundSuppressions> {
    const found = await this.lookup.find(tenant, recipient);
    return {
      causes: found.causes.flatMap(({ causes }) => Object.values(causes)),
      withdrawals: found.subjects.flatMap(({ _id: subjectId, consent }) =>
        consent.withdrawals.map((withdrawal) => ({ ...withdrawal, subjectId })),
      ),
    };
  }
}
