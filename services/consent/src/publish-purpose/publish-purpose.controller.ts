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
  Problem,
  type RequestTrace,
  Roles,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Catalogue } from '../catalogue/catalogue.ts';
import { consentEvent } from '../consent-events/consent-events.ts';
import { PublishPurposeDto } from './publish-purpose.dto.ts';

@ApiTags('catalogue')
@ApiBearerAuth()
@Controller('v1/purposes')
export class PublishPurposeController {
  constructor(
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Publish a purpose of messages, or change its words' })
  publish(
    @Body() dto: PublishPurposeDto,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    return this.writes.run({ tenant, route: 'POST /v1/purposes', key, body: dto }, async () => {
      const known = await this.catalogue.purpose(tenant, dto.purposeId);
      if (known !== undefined && known.category !== dto.category) throw categoryFixed();
      const data = { purposeId: dto.purposeId, name: dto.name, description: dto.description, category: dto.category };
      const at = this.clock.now();
      const event = consentEvent({
        id: this.newId(),
        type: 'purpose.published.v1',
        tenant,
        key: dto.purposeId,
        at,
        data,
        trace,
      });
      return { records: this.appender.encode([event]), status: 201, answer: { purposeId: dto.purposeId } };
    });
  }

  @Get()
  @Roles('admin', 'operator', 'capture', 'auditor')
  @ApiOperation({ summary: 'The published purposes' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ purposes: object[] }> {
    return { purposes: await this.catalogue.purposes(tenant) };
  }
}

/** Who withdrew from a category withdrew from this purpose, too; in another category it would come back to them. */
function categoryFixed(): Problem {
  return new Problem({
    status: 409,
    code: 'purpose-category-fixed',
    title: 'The category of a purpose does not change',
    detail: 'People agreed and withdrew by it. Publish another purpose.',
  });
}
