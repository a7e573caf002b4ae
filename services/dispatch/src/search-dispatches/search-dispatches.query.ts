import type { Recipient } from '@assent/identity';
import { DB } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { type DispatchDocument, dispatchFold } from '../dispatch-ledger/dispatch.projection.ts';
import { RecipientLookup } from '../recipients/recipient-lookup.ts';

export class FindDispatch {
  constructor(
    readonly tenant: string,
    readonly dispatchId: string,
  ) {}
}

@QueryHandler(FindDispatch)
export class FindDispatchHandler implements IQueryHandler<FindDispatch, DispatchDocument | undefined> {
  constructor(@Inject(DB) private readonly db: Connection) {}

  async execute({ tenant, dispatchId }: FindDispatch): Promise<DispatchDocument | undefined> {
    const found = await this.db
      .collection<DispatchDocument>(dispatchFold.collection)
      .findOne({ _id: dispatchId }, { readPreference: 'primary' });
    return found !== null && found.tenant === tenant ? found : undefined;
  }
}

export class SearchDispatches {
  constructor(
    readonly tenant: string,
    readonly limit: number,
    readonly recipient?: Recipient,
    readonly status?: string,
  ) {}
}

@QueryHandler(SearchDispatches)
export class SearchDispatchesHandler implements IQueryHandler<SearchDispatches, DispatchDocument[]> {
  constructor(
    @Inject(DB) private readonly db: Connection,
    @Inject(RecipientLookup) private readonly recipients: RecipientLookup,
  ) {}

  /** The newest first. An address that nobody is known by has no dispatches. */
  async execute({ tenant, limit, recipient, status }: SearchDispatches): Promise<DispatchDocument[]> {
    const person = recipient === undefined ? undefined : await this.recipients.find(tenant, recipient);
    if (recipient !== undefined && person === undefined) return [];
    const filter = {
      tenant,
      ...(person === undefined ? {} : { subjectId: person._id }),
      ...(status === undefined ? {} : { status: status as DispatchDocument['status'] }),
    };
    return this.db
      .collection<DispatchDocument>(dispatchFold.collection)
      .find(filter, { readPreference: 'primary' })
      .sort({ acceptedAt: -1 })
      .limit(limit)
      .toArray();
  }
}
