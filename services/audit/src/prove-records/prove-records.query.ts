import { Inject } from '@nestjs/common';
import type { Connection } from 'mongoose';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { DB, Problem } from '@assent/service-runtime';
import { type AskedRecord, RecordFinder } from '../record-positions/find-records.ts';
import {
  base64,
  proveRecord,
  type ProvenRecord,
  PublishedLogs,
  type SignedLog,
} from '../merkle-logs/published-logs.ts';

/** A proof with what it takes to check it without this service. */
export interface InclusionAnswer extends ProvenRecord {
  readonly checkpoint: string;
  readonly verifierKey: string;
}

export class ProveInclusion {
  constructor(
    readonly tenant: string,
    readonly record: AskedRecord,
  ) {}
}

@QueryHandler(ProveInclusion)
export class ProveInclusionHandler implements IQueryHandler<ProveInclusion, InclusionAnswer> {
  private readonly finder: RecordFinder;

  constructor(
    @Inject(PublishedLogs) private readonly logs: PublishedLogs,
    @Inject(DB) db: Connection,
  ) {
    this.finder = new RecordFinder(db);
  }

  async execute({ tenant, record }: ProveInclusion): Promise<InclusionAnswer> {
    const { topic, partition, offset } = await this.finder.position(tenant, record);
    const log = await this.logs.signed(topic, partition);
    const outcome = log === undefined ? 'not-yet-signed' : await proveRecord(log, offset, tenant);
    if (log === undefined || outcome === 'not-yet-signed') {
      throw notFound('not-yet-signed', 'The newest checkpoint does not cover this offset; try again in a second.');
    }
    if (outcome === 'no-such-record') throw notFound('no-such-record', 'The log has no record at this offset.');
    return { ...outcome, checkpoint: log.note, verifierKey: this.logs.verifierKey(log.name) };
  }
}

export interface ConsistencyAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  /** Roots at both sizes, base64. */
  readonly fromRoot: string;
  readonly toRoot: string;
  /** RFC 6962 section 2.1.2; base64. */
  readonly proof: readonly string[];
  /** The newest checkpoint, which is at `to` unless another size was asked for. */
  readonly checkpoint: string;
  readonly verifierKey: string;
}

export class ProveConsistency {
  constructor(
    readonly topic: string,
    readonly partition: number,
    readonly from: number,
    readonly to: number | undefined,
  ) {}
}

@QueryHandler(ProveConsistency)
export class ProveConsistencyHandler implements IQueryHandler<ProveConsistency, ConsistencyAnswer> {
  constructor(@Inject(PublishedLogs) private readonly logs: PublishedLogs) {}

  async execute({ topic, partition, from, to: asked }: ProveConsistency): Promise<ConsistencyAnswer> {
    const log = await this.logs.signed(topic, partition);
    if (log === undefined) throw notFound('not-yet-signed', 'The log has no checkpoint yet.');
    const to = asked ?? log.checkpoint.size;
    if (to > log.checkpoint.size) throw notFound('not-yet-signed', 'The newest checkpoint is smaller than this size.');
    if (from > to) {
      throw new Problem({
        status: 422,
        code: 'sizes-swapped',
        title: 'The sizes are swapped',
        detail: 'The size to prove from may not be larger than the size to prove to.',
      });
    }
    return { topic, partition, from, to, ...(await this.proofOf(log, from, to)) };
  }

  private async proofOf(log: SignedLog, from: number, to: number) {
    const tree = log.files.tree(log.checkpoint.size);
    const [fromRoot, toRoot, proof] = await Promise.all([
      tree.root(from),
      tree.root(to),
      tree.consistencyProof(from, to),
    ]);
    return {
      fromRoot: base64(fromRoot),
      toRoot: base64(toRoot),
      proof: proof.map(base64),
      checkpoint: log.note,
      verifierKey: this.logs.verifierKey(log.name),
    };
  }
}

function notFound(code: string, detail: string): Problem {
  return new Problem({ status: 404, code, title: 'There is no proof of that', detail });
}
