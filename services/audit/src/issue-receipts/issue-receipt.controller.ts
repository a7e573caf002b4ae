import { Controller, Get, Inject, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CurrentCaller, Roles } from '@assent/service-runtime';
import { IssueReceiptDto } from './issue-receipt.dto.ts';
import { IssueReceipt, type Receipt } from './issue-receipt.query.ts';

@ApiTags('proofs')
@ApiBearerAuth()
@Controller('v1/receipts')
export class IssueReceiptController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get(':eventId')
  @Roles('auditor', 'admin', 'privacy', 'service')
  @ApiOperation({ summary: 'A consent or an opt-out with its proof, for the person to keep' })
  receipt(@Param() { eventId }: IssueReceiptDto, @CurrentCaller() { tenant }: Caller): Promise<Receipt> {
    return this.queries.execute(new IssueReceipt(tenant, eventId));
  }
}
