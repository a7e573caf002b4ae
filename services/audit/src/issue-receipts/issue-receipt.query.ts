import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { decodeEvent, formatPosition } from '@assent/contracts';
import { decodeLeaf } from '@assent/merkle-log';
import { type Clock, CLOCK, DB, Problem } from '@assent/service-runtime';
import { bundleProofs, type ProofBundle } from '../bundle-proofs/proof-bundle.ts';
import { eventSentence } from '../explain-dispatch/event-sentence.ts';
import { PublishedLogs } from '../merkle-logs/published-logs.ts';
import { RecordFinder } from '../record-positions/find-records.ts';

/** What a person gets a receipt for: that they agreed, that they opted out, and what ends either. */
const RECEIPTED: readonly string[] = [
  'consent.granted.v1',
  'consent.withdrawn.v1',
  'consent.resumed.v1',
  'preferences.changed.v1',
  'suppression.cause-added.v1',
];

/** A bundle about one event, with what it says in words. Only what the bundle proves is proven. */
export interface Receipt extends ProofBundle {
  readonly receipt: {
    readonly eventId: string;
    readonly type: string;
    readonly says: string;
    readonly time: string;
    readonly recordedAt: string;
    readonly position: string;
  };
}

export class IssueReceipt {
  constructor(
    readonly tenant: string,
    readonly eventId: string,
  ) {}
}

/** Answers a consent or an opt-out with its proof: a file that the person keeps and can have verified by anybody. */
@QueryHandler(IssueReceipt)
export class IssueReceiptHandler implements IQueryHandler<IssueReceipt, Receipt> {
  private readonly finder: RecordFinder;

  constructor(
    @Inject(DB) db: Connection,
    @Inject(PublishedLogs) private readonly logs: PublishedLogs,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.finder = new RecordFinder(db);
  }

  async execute({ tenant, eventId }: IssueReceipt): Promise<Receipt> {
    const position = (await this.finder.byEventIds(tenant, [eventId])).get(eventId);
    if (position === undefined) throw problem(404, 'no-such-event', 'The log has no event with this id.');
    const asked = { tenant, about: { eventId }, positions: [position], nowMs: this.clock.now() };
    const bundle = await bundleProofs(this.logs, asked);
    const leaf = decodeLeaf(Buffer.from(bundle.records[0]?.entry ?? '', 'base64'));
    const value = leaf.value.form === 'inline' ? leaf.value.bytes : new Uint8Array();
    const headers = leaf.headers.map((header) => ({ name: header.name, value: header.value ?? new Uint8Array() }));
    const event = decodeEvent({ ...leaf, headers, value });
    if (event.id !== eventId || !RECEIPTED.includes(event.type)) {
      throw problem(422, 'no-receipt', 'Receipts are for consents, opt-outs and preferences.');
    }
    const { type, time, recordedAt } = event;
    const says = eventSentence(event);
    return { ...bundle, receipt: { eventId, type, says, time, recordedAt, position: formatPosition(position) } };
  }
}

function problem(status: number, code: string, detail: string): Problem {
  return new Problem({ status, code, title: 'There is no receipt of that', detail });
}
