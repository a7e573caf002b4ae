import { Controller, Get, Header, Inject, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { formatAddCheckpoint } from '@assent/merkle-log';
import type { AskedRecord } from '../record-positions/find-records.ts';
import { WriteBindingProof, WriteInclusionProof } from './write-proof-files.query.ts';
import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { ProveBindingDto, ProveConsistencyDto, ProveInclusionDto } from './prove-records.dto.ts';
import {
  type ConsistencyAnswer,
  type InclusionAnswer,
  ProveConsistency,
  ProveInclusion,
} from './prove-records.query.ts';

const TEXT = 'text/plain; charset=utf-8';

@ApiTags('proofs')
@ApiBearerAuth()
@Controller('v1/proofs')
@Roles('auditor', 'admin')
export class ProveRecordsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get('inclusion')
  @ApiOperation({ summary: 'Proof that the record at a position is in its log' })
  inclusion(@Query() dto: ProveInclusionDto, @CurrentCaller() { tenant }: Caller): Promise<InclusionAnswer> {
    return this.queries.execute(new ProveInclusion(tenant, askedRecord(dto)));
  }

  @Get('inclusion.tlog-proof')
  @Header('content-type', TEXT)
  @ApiOperation({ summary: 'The same as a C2SP tlog-proof file, in the newest tree that a signed head binds' })
  inclusionFile(@Query() dto: ProveInclusionDto, @CurrentCaller() { tenant }: Caller): Promise<string> {
    return this.queries.execute(new WriteInclusionProof(tenant, askedRecord(dto)));
  }

  @Get('binding.tlog-proof')
  @Header('content-type', TEXT)
  @ApiOperation({ summary: 'A C2SP tlog-proof file: the log, at a size, is bound in the head of all logs' })
  bindingFile(@Query() { topic, partition, size }: ProveBindingDto): Promise<string> {
    return this.queries.execute(new WriteBindingProof(topic, partition, size));
  }

  @Get('consistency')
  @ApiOperation({ summary: 'Proof that a log of one size is the beginning of the log of a later size' })
  consistency(@Query() dto: ProveConsistencyDto): Promise<ConsistencyAnswer> {
    return this.queries.execute(new ProveConsistency(dto.topic, dto.partition, dto.from, dto.to));
  }

  @Get('consistency.txt')
  @Header('content-type', TEXT)
  @ApiOperation({
    summary: 'A consistency proof to the newest checkpoint as the body of a C2SP add-checkpoint request',
  })
  async consistencyFile(@Query() { topic, partition, from }: ProveConsistencyDto): Promise<string> {
    const asked = new ProveConsistency(topic, partition, from, undefined);
    const { proof, checkpoint } = await this.queries.execute<ProveConsistency, ConsistencyAnswer>(asked);
    return formatAddCheckpoint({ oldSize: from, proof: proof.map((hash) => Buffer.from(hash, 'base64')), checkpoint });
  }
}

function askedRecord({ eventId, topic = '', partition = -1, offset = -1 }: ProveInclusionDto): AskedRecord {
  return eventId === undefined ? { topic, partition, offset } : { eventId };
}
