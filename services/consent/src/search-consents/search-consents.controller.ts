import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { recipientOf } from '../recipient/recipient.dto.ts';
import { SearchConsentsDto } from './search-consents.dto.ts';
import { type FoundConsents, SearchConsents } from './search-consents.query.ts';

@ApiTags('consents')
@ApiBearerAuth()
@Controller('v1/consents/search')
export class SearchConsentsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @Roles('capture', 'sender', 'operator', 'auditor', 'privacy', 'admin')
  @ApiOperation({ summary: 'What a person has agreed to, now or as of an instant, and the facts it rests on' })
  search(@Body() dto: SearchConsentsDto, @CurrentCaller() { tenant }: Caller): Promise<FoundConsents> {
    const asOf = dto.asOf === undefined ? undefined : Date.parse(dto.asOf);
    return this.queries.execute(new SearchConsents(tenant, recipientOf(dto.recipient), asOf, dto.validTime ?? false));
  }
}
