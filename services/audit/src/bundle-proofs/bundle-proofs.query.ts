import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { parsePosition, type Position } from '@assent/contracts';
import { decodeLeaf } from '@assent/merkle-log';
import { type Clock, CLOCK, DB, Problem } from '@assent/service-runtime';
import { type DispatchHistory, dispatchHistoryFold } from '../explain-dispatch/dispatch-history.projection.ts';
import { PublishedLogs } from '../merkle-logs/published-logs.ts';
import { type AskedRecord, noSuchEvent, RecordFinder } from '../record-positions/find-records.ts';
import { KEYED_TOPICS } from '../record-positions/record-positions.projection.ts';
import { bundleProofs, type ProofBundle } from './proof-bundle.ts';

/** Records of one bundle: those of a person over the years, with room. */
const BUNDLE_RECORDS_MAX = 2_000;

/** What to bundle: these records, all of a person's, or all of a message's. */
export type Asked =
  | { readonly kind: 'records'; readonly records: readonly AskedRecord[] }
  | { readonly kind: 'subject'; readonly subjectId: string }
  | { readonly kind: 'dispatch'; readonly dispatchId: string };

export class BundleProofs {
  constructor(
    readonly tenant: string,
    readonly asked: Asked,
  ) {}
}

interface Found {
  readonly about: ProofBundle['about'];
  readonly positions: readonly Position[];
  readonly notListed: number;
}

@QueryHandler(BundleProofs)
export class BundleProofsHandler implements IQueryHandler<BundleProofs, ProofBundle> {
  private readonly finder: RecordFinder;

  constructor(
    @Inject(DB) private readonly db: Connection,
    @Inject(PublishedLogs) private readonly logs: PublishedLogs,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.finder = new RecordFinder(db);
  }

  async execute({ tenant, asked }: BundleProofs): Promise<ProofBundle> {
    const found = await this.find(tenant, asked);
    const positions = found.positions.slice(0, BUNDLE_RECORDS_MAX);
    const notListed = found.notListed + found.positions.length - positions.length;
    const { about } = found;
    return bundleProofs(this.logs, { tenant, about, positions, notListed, nowMs: this.clock.now() });
  }

  private find(tenant: string, asked: Asked): Promise<Found> {
    if (asked.kind === 'subject') return this.ofSubject(tenant, asked.subjectId);
    if (asked.kind === 'dispatch') return this.ofDispatch(tenant, asked.dispatchId);
    return this.ofRecords(tenant, asked.records);
  }

  private async ofRecords(tenant: string, records: readonly AskedRecord[]): Promise<Found> {
    const ids = records.flatMap((record) => ('eventId' in record ? [record.eventId] : []));
    const byId = await this.finder.byEventIds(tenant, ids);
    const positions = records.map((record) => {
      return 'eventId' in record ? (byId.get(record.eventId) ?? noSuchEvent()) : record;
    });
    return { about: { records: records.length }, positions, notListed: 0 };
  }

  /** The records under the person's own key, and those under the address keys that these name. */
  private async ofSubject(tenant: string, subjectId: string): Promise<Found> {
    const own = await this.finder.byKeys(tenant, KEYED_TOPICS, [subjectId]);
    if (own.positions.length === 0) unknown('no-such-subject', 'record of this person');
    const others = await this.finder.byKeys(tenant, KEYED_TOPICS, await this.addressKeys(own.positions));
    return {
      about: { subjectId },
      positions: [...own.positions, ...others.positions],
      notListed: own.notListed + others.notListed,
    };
  }

  private async addressKeys(positions: readonly Position[]): Promise<string[]> {
    const keys = new Set<string>();
    for (const position of positions.filter(({ topic }) => topic === 'consent.events')) {
      const { files } = this.logs.files(position.topic, position.partition);
      const size = (await files.head())?.size ?? 0;
      const index = await files.indexOf(position.offset, size);
      const { value } = index === undefined ? {} : decodeLeaf(await files.entry(index, size));
      const { addressKey } = value?.form === 'inline' ? addressKeyIn(value.bytes) : {};
      if (typeof addressKey === 'string') keys.add(addressKey);
    }
    return [...keys];
  }

  private async ofDispatch(tenant: string, dispatchId: string): Promise<Found> {
    const history = await this.db
      .collection<DispatchHistory>(dispatchHistoryFold.collection)
      .findOne({ _id: dispatchId }, { readPreference: 'primary' });
    if (history?.tenant !== tenant) return unknown('no-such-dispatch', 'event of a dispatch with this id');
    const positions = history.events.map(({ offset }) => parsePosition(`${history._partition ?? ''}@${offset}`));
    return { about: { dispatchId }, positions, notListed: history.notKept };
  }
}

function addressKeyIn(value: Uint8Array): { addressKey?: unknown } {
  return JSON.parse(Buffer.from(value).toString('utf8')) as { addressKey?: unknown };
}

function unknown(code: string, what: string): never {
  throw new Problem({ status: 404, code, title: 'There is no such record', detail: `The log has no ${what}.` });
}
