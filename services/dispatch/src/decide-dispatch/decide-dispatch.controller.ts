import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { dispatchRequestOf } from '../request-dispatch/dispatch-request.ts';
import { RequestDispatchDto } from '../request-dispatch/request-dispatch.dto.ts';
import { DecideDispatch, type DecidedDispatch } from './decide-dispatch.query.ts';

@ApiTags('decisions')
@ApiBearerAuth()
@Controller('v1/decisions')
export class DecideDispatchController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @Roles('sender', 'operator', 'auditor')
  @ApiOperation({ summary: 'Would this message be sent, and if not, why not? Nothing is sent or recorded' })
  decide(@Body() dto: RequestDispatchDto, @CurrentCaller() { tenant }: Caller): Promise<DecidedDispatch> {
    return this.queries.execute(new DecideDispatch(tenant, dispatchRequestOf(dto)));
  }
}
