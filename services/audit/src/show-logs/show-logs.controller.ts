import { Controller, Get, Inject } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Roles } from '@assent/service-runtime';
import { ShowLogs, type ShownLogs } from './show-logs.query.ts';

@ApiTags('logs')
@ApiBearerAuth()
@Controller('v1/logs')
export class ShowLogsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get()
  @Roles('auditor', 'admin')
  @ApiOperation({ summary: 'Sizes and roots of all logs, and the fingerprint of the key that signs them' })
  show(): Promise<ShownLogs> {
    return this.queries.execute(new ShowLogs());
  }
}
