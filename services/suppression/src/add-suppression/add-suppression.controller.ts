import type { Scope } from '@assent/contracts';
import {
  type Caller,
  CurrentCaller,
  CurrentTrace,
  IdempotencyKey,
  IdempotencyRecords,
  Problem,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { recipientOf } from '../recipient-lookup/recipient.dto.ts';
import { AddSuppression, type AddedSuppression } from './add-suppression.command.ts';
import { AddSuppressionDto, type ScopeDto } from './add-suppression.dto.ts';

@ApiTags('suppressions')
@ApiBearerAuth()
@Controller('v1/suppressions')
export class AddSuppressionController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
  ) {}

  @Post()
  @Roles('operator', 'privacy', 'admin')
  @ApiOperation({ summary: 'Never contact this address, in this scope' })
  add(
    @Body() dto: AddSuppressionDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const recipient = recipientOf(dto.recipient);
    const scope = scopeOf(dto.scope);
    const since = dto.since === undefined ? undefined : Date.parse(dto.since);
    const request = { tenant, route: 'POST /v1/suppressions', key, body: dto, urgent: true };
    return this.writes.run(request, async () => {
      const command = new AddSuppression(tenant, actor, recipient, scope, dto.reason, since, trace);
      const { causeIds, records }: AddedSuppression = await this.commands.execute(command);
      return { records, status: 201, answer: { causeIds } };
    });
  }
}

const CATEGORIES = ['marketing', 'utility', 'authentication', 'service'] as const;

/** @throws Problem 400 `invalid-scope` */
function scopeOf(dto: ScopeDto | undefined): Scope {
  if (dto === undefined) return { kind: 'all' };
  const { kind, id } = dto;
  if (kind === 'all' && id === undefined) return { kind };
  if (kind === 'channel' && id === 'whatsapp') return { kind, id };
  const category = CATEGORIES.find((known) => known === id);
  if (kind === 'category' && category !== undefined) return { kind, id: category };
  if (kind === 'purpose' && id !== undefined && /^[a-z0-9][a-z0-9-]{0,47}$/.test(id)) return { kind, id };
  if (kind === 'sender' && id !== undefined && /^\d{1,32}$/.test(id)) return { kind, id };
  throw new Problem({
    status: 400,
    code: 'invalid-scope',
    title: 'The scope is not clear',
    detail: 'Give {"kind":"all"}, or a kind of channel (whatsapp), category, purpose or sender with its id.',
  });
}
