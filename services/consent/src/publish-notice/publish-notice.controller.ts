import { canonicalJson, type NoticePublished } from '@assent/contracts';
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
import { PublishNoticeDto } from './publish-notice.dto.ts';

@ApiTags('catalogue')
@ApiBearerAuth()
@Controller('v1/notices')
export class PublishNoticeController {
  constructor(
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Publish a version of a notice' })
  publish(
    @Body() dto: PublishNoticeDto,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    return this.writes.run({ tenant, route: 'POST /v1/notices', key, body: dto }, async () => {
      const known = await this.catalogue.notice(tenant, dto.noticeId, dto.version);
      if (known !== undefined && canonicalJson(known) !== canonicalJson(noticeOf(dto))) throw versionTaken();
      const data = noticeOf(dto);
      const at = this.clock.now();
      const event = consentEvent({
        id: this.newId(),
        type: 'notice.published.v1',
        tenant,
        key: dto.noticeId,
        at,
        data,
        trace,
      });
      return {
        records: this.appender.encode([event]),
        status: 201,
        answer: { noticeId: dto.noticeId, version: dto.version },
      };
    });
  }

  @Get()
  @Roles('admin', 'operator', 'capture', 'auditor')
  @ApiOperation({ summary: 'Every published version of every notice' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ notices: object[] }> {
    return { notices: await this.catalogue.notices(tenant) };
  }
}

function noticeOf({ noticeId, version, purposeIds, controllerName, texts }: PublishNoticeDto): NoticePublished {
  const byLanguage = texts.map(({ language, title, body, checkbox, optOutHint }) => [
    language,
    { title, body, checkbox, optOutHint },
  ]);
  return {
    noticeId,
    version,
    purposeIds: [...purposeIds],
    controllerName,
    texts: Object.fromEntries(byLanguage) as NoticePublished['texts'],
  };
}

function versionTaken(): Problem {
  return new Problem({
    status: 409,
    code: 'notice-version-taken',
    title: 'This version is published already',
    detail: 'People have agreed to its words. Publish the change as a new version.',
  });
}
