import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { type AskedRecordDto, BundleProofsDto, DispatchDto, SubjectDto } from './bundle-proofs.dto.ts';
import { BundleProofs } from './bundle-proofs.query.ts';
import type { AskedRecord } from '../record-positions/find-records.ts';
import type { ProofBundle } from './proof-bundle.ts';

@ApiTags('proofs')
@ApiBearerAuth()
@Controller('v1/proofs')
@Roles('auditor', 'admin')
export class BundleProofsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'Proofs of up to 256 records in one file' })
  records(@Body() { records }: BundleProofsDto, @CurrentCaller() { tenant }: Caller): Promise<ProofBundle> {
    return this.queries.execute(new BundleProofs(tenant, { kind: 'records', records: records.map(askedRecord) }));
  }

  @Get('subjects/:subjectId')
  @Roles('auditor', 'admin', 'privacy')
  @ApiOperation({ summary: 'Everything the log has about a person, with its proofs, in one file' })
  subject(@Param() { subjectId }: SubjectDto, @CurrentCaller() { tenant }: Caller): Promise<ProofBundle> {
    return this.queries.execute(new BundleProofs(tenant, { kind: 'subject', subjectId }));
  }

  @Get('dispatches/:dispatchId')
  @ApiOperation({ summary: 'Everything the log has about a message, with its proofs, in one file' })
  dispatch(@Param() { dispatchId }: DispatchDto, @CurrentCaller() { tenant }: Caller): Promise<ProofBundle> {
    return this.queries.execute(new BundleProofs(tenant, { kind: 'dispatch', dispatchId }));
  }
}

function askedRecord({ eventId, topic = '', partition = -1, offset = -1 }: AskedRecordDto): AskedRecord {
  return eventId === undefined ? { topic, partition, offset } : { eventId };
}
