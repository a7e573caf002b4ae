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
import { Controller, Inject, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CancelDispatch } from './cancel-dispatch.command.ts';

@ApiTags('dispatches')
@ApiBearerAuth()
@Controller('v1/dispatches/:dispatchId/cancel')
export class CancelDispatchController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
  ) {}

  @Post()
  @Roles('sender', 'operator')
  @ApiOperation({ summary: 'Cancel a message that has not been sent; 409 when it is too late' })
  cancel(
    @Param('dispatchId', ParseUUIDPipe) dispatchId: string,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const request = { tenant, route: 'POST /v1/dispatches/{id}/cancel', key, body: { dispatchId } };
    return this.writes.run(request, async () => {
      const records: NewRecord[] = await this.commands.execute(new CancelDispatch(tenant, dispatchId, trace));
      return { records, status: 200, answer: { dispatchId, status: 'cancelled' } };
    });
  }
}
