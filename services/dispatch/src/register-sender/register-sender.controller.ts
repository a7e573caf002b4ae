import {
  type Caller,
  CurrentCaller,
  CurrentTrace,
  DB,
  IdempotencyKey,
  Problem,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Connection } from 'mongoose';
import { PolicyWrites } from '../dispatch-ledger/policy-writes.ts';
import { isOthers, type SenderDocument, senderFold } from '../senders/sender.projection.ts';
import { RegisterSenderDto } from './register-sender.dto.ts';

/** Senders listed in one answer; a tenant has a handful of numbers. */
const LISTED_MAX = 1_000;

@ApiTags('senders')
@ApiBearerAuth()
@Controller('v1/senders')
export class RegisterSenderController {
  constructor(
    @Inject(PolicyWrites) private readonly policy: PolicyWrites,
    @Inject(DB) private readonly db: Connection,
  ) {}

  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Register a business number, or change what is known of it' })
  register(
    @Body() dto: RegisterSenderDto,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const { senderId, portfolioId, displayName, businessNumber, ratePerSecond, receiptTemplate } = dto;
    const data = {
      senderId,
      portfolioId,
      displayName,
      ...(businessNumber === undefined ? {} : { businessNumber }),
      ratePerSecond,
      receiptTemplate: { name: receiptTemplate.name, language: receiptTemplate.language },
    };
    return this.policy.write({ tenant, route: 'POST /v1/senders', key, body: dto, trace }, async () => {
      if (await isOthers(this.db, tenant, senderId)) throw senderTaken();
      return { type: 'sender.registered.v1', key: senderId, data, answer: { senderId } };
    });
  }

  @Get()
  @Roles('admin', 'operator', 'sender', 'auditor')
  @ApiOperation({ summary: 'The registered business numbers' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ senders: object[] }> {
    const found = await this.db
      .collection<SenderDocument>(senderFold.collection)
      .find({ tenant }, { readPreference: 'primary' })
      .limit(LISTED_MAX)
      .toArray();
    return { senders: found.map(({ sender }) => sender) };
  }
}

function senderTaken(): Problem {
  return new Problem({
    status: 409,
    code: 'sender-taken',
    title: 'Another tenant has this number',
    detail: 'A business number belongs to the tenant that registered it first. Check the phone-number id.',
  });
}
