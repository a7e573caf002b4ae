import type { NewRecord } from '@assent/contracts';
import {
  type Caller,
  CurrentCaller,
  CurrentTrace,
  IdempotencyKey,
  IdempotencyRecords,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { LiftSuppression } from './lift-suppression.command.ts';
import { LiftSuppressionDto } from './lift-suppression.dto.ts';

@ApiTags('suppressions')
@ApiBearerAuth()
@Controller('v1/suppressions/lift')
export class LiftSuppressionController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
  ) {}

  @Post()
  @Roles('operator', 'privacy', 'admin')
  @ApiOperation({ summary: 'End causes of suppression by their ids' })
  lift(
    @Body() dto: LiftSuppressionDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const request = { tenant, route: 'POST /v1/suppressions/lift', key, body: dto };
    return this.writes.run(request, async () => {
      const command = new LiftSuppression(tenant, actor, dto.causeIds, dto.reason, trace);
      const records: NewRecord[] = await this.commands.execute(command);
      return { records, status: 200, answer: { lifted: [...new Set(dto.causeIds)].sort() } };
    });
  }
}
