import { MILLISECOND_TICK_MS } from '@assent/consent-state';
import {
  Appender,
  type Caller,
  type Clock,
  CLOCK,
  CurrentCaller,
  CurrentTrace,
  IdempotencyKey,
  IdempotencyRecords,
  NEW_ID,
  type NewId,
  type RequestTrace,
  Roles,
  UncheckedBody,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { readWithdrawalBody } from './withdrawal-body.ts';
import { WithdrawConsent, type WithdrawnConsent } from './withdraw-consent.command.ts';

/** Evidence is kept up to here; a longer body is cut, not refused. */
const EVIDENCE_CHARS_MAX = 16_384;

@ApiTags('withdrawals')
@ApiBearerAuth()
@Controller('v1/withdrawals')
export class WithdrawConsentController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  @Post()
  @Roles('capture', 'sender', 'operator', 'privacy', 'admin')
  @UncheckedBody('once its caller is authenticated nothing but a missing recipient can refuse a withdrawal')
  @ApiOperation({ summary: 'Record that a person withdrew; in force at once' })
  @ApiBody({
    schema: {
      type: 'object',
      required: ['recipient'],
      properties: {
        recipient: { type: 'object', description: 'one of phone, waId, bsuid, subjectId' },
        scope: { type: 'object', description: '{kind, id}; everything when left out or not understood' },
        occurredAt: { type: 'string', format: 'date-time' },
        senderId: { type: 'string', description: 'the business number it was said to; needed for a receipt' },
        receipt: { type: 'boolean', description: 'true to send the one receipt' },
        reason: { type: 'string' },
      },
    },
  })
  withdraw(
    @Body() body: unknown,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const withdrawal = readWithdrawalBody(body);
    const request = { tenant, route: 'POST /v1/withdrawals', key, body, conflictIsNewFact: true, urgent: true };
    return this.writes.run(request, async () => {
      const { subjectIds, withdrawalIds, events }: WithdrawnConsent = await this.commands.execute(
        new WithdrawConsent({
          tenant,
          recipients: [withdrawal.recipient],
          scope: withdrawal.scope,
          lane: 'person',
          method: 'api',
          occurredAt: withdrawal.occurredAt ?? this.clock.now(),
          tickMs: MILLISECOND_TICK_MS,
          source: ['api', this.newId()],
          ...(withdrawal.senderId === undefined ? {} : { senderId: withdrawal.senderId }),
          receiptDue: withdrawal.receipt && withdrawal.senderId !== undefined,
          evidence: { actor, body: textOf(body) },
          trace,
        }),
      );
      return { records: this.appender.encode(events), status: 201, answer: { subjectIds, withdrawalIds } };
    });
  }
}

/** As it came, numbers that no event could hold included. */
function textOf(body: unknown): string {
  return JSON.stringify(body).slice(0, EVIDENCE_CHARS_MAX);
}
