import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Connection } from 'mongoose';
import { formatTlogProof } from '@assent/merkle-log';
import { DB, Problem } from '@assent/service-runtime';
import { bindingHeads, bindRecords, RecordReader } from '../bundle-proofs/proof-bundle.ts';
import { logName, originOf } from '../merkle-logs/log-layout.ts';
import { PublishedLogs } from '../merkle-logs/published-logs.ts';
import { type AskedRecord, RecordFinder } from '../record-positions/find-records.ts';

/** The proof file of a record in its log, at a size that is bound. */
export class WriteInclusionProof {
  constructor(
    readonly tenant: string,
    readonly record: AskedRecord,
  ) {}
}

@QueryHandler(WriteInclusionProof)
export class WriteInclusionProofHandler implements IQueryHandler<WriteInclusionProof, string> {
  private readonly finder: RecordFinder;

  constructor(
    @Inject(PublishedLogs) private readonly logs: PublishedLogs,
    @Inject(DB) db: Connection,
  ) {
    this.finder = new RecordFinder(db);
  }

  async execute({ tenant, record }: WriteInclusionProof): Promise<string> {
    const position = await this.finder.position(tenant, record);
    const [log] = (await bindRecords(this.logs, [position])).bound;
    const leaf = log?.leaves[0];
    if (log === undefined || leaf === undefined) throw new Error('a record that is bound is in a log');
    const { head } = log.placed;
    const extra = await new RecordReader(log, tenant).visibleEntry(leaf.index);
    return formatTlogProof({
      ...(extra === undefined ? {} : { extra }),
      index: leaf.index,
      proof: await log.files.tree(head.size).inclusionProof(leaf.index),
      checkpoint: await this.logs.boundCheckpoint(head),
    });
  }
}

/** The proof file of a log's head in the log of heads; of the newest one, or the one of this size. */
export class WriteBindingProof {
  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly size: number | undefined,
  ) {}
}

@QueryHandler(WriteBindingProof)
export class WriteBindingProofHandler implements IQueryHandler<WriteBindingProof, string> {
  constructor(@Inject(PublishedLogs) private readonly logs: PublishedLogs) {}

  async execute({ topic, partition, size }: WriteBindingProof): Promise<string> {
    this.logs.files(topic, partition);
    const origin = originOf(this.logs.origin, logName({ topic, partition }));
    for (const heads of await bindingHeads(this.logs)) {
      await this.logs.boundHeads.readUpTo(heads.size);
      const placed = this.logs.boundHeads.newest(origin, heads.size, size);
      if (placed === undefined) continue;
      const proof = await this.logs.heads.tree(heads.size).inclusionProof(placed.index);
      return formatTlogProof({ extra: placed.entry, index: placed.index, proof, checkpoint: heads.note });
    }
    throw new Problem({
      status: 404,
      code: 'not-yet-signed',
      title: 'There is no proof of that',
      detail: 'No recent head binds this log at this size; ask for the proof of the record again.',
    });
  }
}
