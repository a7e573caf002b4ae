import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ListConsentsDueSoonDto } from './list-consents-due-soon.dto.ts';
import { type ConsentsDueSoon, ListConsentsDueSoon } from './list-consents-due-soon.query.ts';

@ApiTags('decisions')
@ApiBearerAuth()
@Controller('v1/consents/due-soon')
export class ListConsentsDueSoonController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get()
  @Roles('operator', 'privacy', 'auditor')
  @ApiOperation({ summary: 'Consents that lapse soon, or have, by the rules in force; people by subjectId only' })
  list(
    @Query() { withinDays, people, after }: ListConsentsDueSoonDto,
    @CurrentCaller() { tenant }: Caller,
  ): Promise<ConsentsDueSoon> {
    return this.queries.execute(new ListConsentsDueSoon(tenant, withinDays, people, after));
  }
}
