import {
  type Caller,
  CurrentCaller,
  CurrentTrace,
  IdempotencyKey,
  IdempotencyRecords,
  NEW_ID,
  type NewId,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { dispatchRequestOf } from './dispatch-request.ts';
import { RequestDispatch, type RequestedDispatch } from './request-dispatch.command.ts';
import { RequestDispatchDto } from './request-dispatch.dto.ts';

@ApiTags('dispatches')
@ApiBearerAuth()
@Controller('v1/dispatches')
export class RequestDispatchController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  /** 202 whatever the verdict: the request was understood and its answer is on record. */
  @Post()
  @Roles('sender')
  @ApiOperation({ summary: 'Ask for one message to one person' })
  request(
    @Body() dto: RequestDispatchDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const request = dispatchRequestOf(dto);
    return this.writes.run({ tenant, route: 'POST /v1/dispatches', key, body: dto }, async () => {
      const command = new RequestDispatch(tenant, actor, this.newId(), request, trace);
      const { records, answer }: RequestedDispatch = await this.commands.execute(command);
      return { records, status: 202, answer };
    });
  }
}
