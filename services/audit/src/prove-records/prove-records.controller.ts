import { Controller, Get, Inject, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { ProveConsistencyDto, ProveInclusionDto } from './prove-records.dto.ts';
import {
  type ConsistencyAnswer,
  type InclusionAnswer,
  ProveConsistency,
  ProveInclusion,
} from './prove-records.query.ts';

@ApiTags('proofs')
@ApiBearerAuth()
@Controller('v1/proofs')
@Roles('auditor', 'admin')
export class ProveRecordsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get('inclusion')
  @ApiOperation({ summary: 'Proof that the record at a position is in its log' })
  inclusion(@Query() dto: ProveInclusionDto, @CurrentCaller() { tenant }: Caller): Promise<InclusionAnswer> {
    return this.queries.execute(new ProveInclusion(tenant, dto.topic, dto.partition, dto.offset));
  }

  @Get('consistency')
  @ApiOperation({ summary: 'Proof that a log of one size is the beginning of the log of a later size' })
  consistency(@Query() dto: ProveConsistencyDto): Promise<ConsistencyAnswer> {
    return this.queries.execute(new ProveConsistency(dto.topic, dto.partition, dto.from, dto.to));
  }
}
