import { Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Roles } from '@assent/service-runtime';
import { type Exported, ExportLogs } from './export-logs.command.ts';

@ApiTags('logs')
@ApiBearerAuth()
@Controller('v1/exports')
export class ExportLogsController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(201)
  @Roles('auditor', 'admin')
  @ApiOperation({ summary: 'Makes a folder of all logs that can be verified without this service' })
  export(): Promise<Exported> {
    return this.commands.execute(new ExportLogs());
  }
}
