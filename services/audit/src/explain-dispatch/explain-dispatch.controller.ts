import { Controller, Get, Inject, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { ExplainDispatch, type Explanation } from './explain-dispatch.query.ts';

@ApiTags('explanations')
@ApiBearerAuth()
@Controller('v1/explanations')
export class ExplainDispatchController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get(':dispatchId')
  @Roles('auditor', 'admin')
  @ApiOperation({ summary: 'Why a dispatch left or did not, with proofs' })
  explain(@Param('dispatchId') dispatchId: string, @CurrentCaller() { tenant }: Caller): Promise<Explanation> {
    return this.queries.execute(new ExplainDispatch(tenant, dispatchId));
  }
}
