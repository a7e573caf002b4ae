import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { recipientOf } from '../recipient-lookup/recipient.dto.ts';
import { SearchSuppressionsDto } from './search-suppressions.dto.ts';
import { type FoundSuppressions, SearchSuppressions } from './search-suppressions.query.ts';

@ApiTags('suppressions')
@ApiBearerAuth()
@Controller('v1/suppressions/search')
export class SearchSuppressionsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @Roles('operator', 'auditor', 'privacy', 'admin')
  @ApiOperation({ summary: 'Every cause and withdrawal of an address' })
  search(@Body() dto: SearchSuppressionsDto, @CurrentCaller() { tenant }: Caller): Promise<FoundSuppressions> {
    return this.queries.execute(new SearchSuppressions(tenant, recipientOf(dto.recipient)));
  }
}
