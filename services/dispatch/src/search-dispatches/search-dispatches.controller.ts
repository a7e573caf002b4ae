import { type Caller, CurrentCaller, Problem, Roles } from '@assent/service-runtime';
import { Body, Controller, Get, HttpCode, Inject, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { DispatchDocument } from '../dispatch-ledger/dispatch.projection.ts';
import { recipientOf } from '../request-dispatch/dispatch-request.ts';
import { dispatchView } from './dispatch-view.ts';
import { SearchDispatchesDto } from './search-dispatches.dto.ts';
import { FindDispatch, SearchDispatches } from './search-dispatches.query.ts';

@ApiTags('dispatches')
@ApiBearerAuth()
@Controller('v1/dispatches')
@Roles('sender', 'operator', 'auditor')
export class SearchDispatchesController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get(':dispatchId')
  @ApiOperation({ summary: 'One dispatch with its attempts and the positions of its events' })
  async find(
    @Param('dispatchId', ParseUUIDPipe) dispatchId: string,
    @CurrentCaller() { tenant }: Caller,
  ): Promise<Record<string, unknown>> {
    const found: DispatchDocument | undefined = await this.queries.execute(new FindDispatch(tenant, dispatchId));
    if (found === undefined) throw noSuchDispatch();
    return dispatchView(found);
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'Dispatches of a person or in a status, the newest first' })
  async search(
    @Body() dto: SearchDispatchesDto,
    @CurrentCaller() { tenant }: Caller,
  ): Promise<{ dispatches: Record<string, unknown>[] }> {
    const recipient = dto.recipient === undefined ? undefined : recipientOf(dto.recipient);
    const query = new SearchDispatches(tenant, dto.limit, recipient, dto.status);
    const found: DispatchDocument[] = await this.queries.execute(query);
    return { dispatches: found.map(dispatchView) };
  }
}

export function noSuchDispatch(): Problem {
  return new Problem({
    status: 404,
    code: 'no-such-dispatch',
    title: 'There is no such dispatch',
    detail: 'Check the id. If it was asked for a moment ago, give its position as Assent-Min-Position.',
  });
}
