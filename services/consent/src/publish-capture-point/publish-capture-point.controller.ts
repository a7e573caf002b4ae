import type { CapturePointPublished } from '@assent/contracts';
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
  RUNTIME_CONFIG,
  type WriteAnswer,
} from '@assent/service-runtime';
import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { publicCodeOf } from '../catalogue/capture-point.projection.ts';
import { Catalogue } from '../catalogue/catalogue.ts';
import type { ConsentConfig } from '../config.ts';
import { consentEvent } from '../consent-events/consent-events.ts';
import { normaliseText } from '../control-messages/normalise-text.ts';
import { isStopMessage } from '../control-messages/stop-words.ts';
import { Senders } from '../senders/sender.projection.ts';
import { PublishCapturePointDto } from './publish-capture-point.dto.ts';

@ApiTags('catalogue')
@ApiBearerAuth()
@Controller('v1/capture-points')
export class PublishCapturePointController {
  constructor(
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(Senders) private readonly senders: Senders,
    @Inject(RUNTIME_CONFIG) private readonly config: ConsentConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  @Post()
  @Roles('admin', 'operator')
  @ApiOperation({ summary: 'Publish a place where people can opt in' })
  publish(
    @Body() dto: PublishCapturePointDto,
    @CurrentCaller() { tenant }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    assertKeyword(dto);
    return this.writes.run({ tenant, route: 'POST /v1/capture-points', key, body: dto }, async () => {
      const notice = await this.catalogue.notice(tenant, dto.noticeId);
      if (notice === undefined) throw noticeUnknown();
      const owner = (await this.senders.find(dto.senderId))?.tenant;
      if (owner !== undefined && owner !== tenant) throw senderForeign();
      const data: CapturePointPublished = {
        capturePointId: dto.capturePointId,
        publicCode: publicCodeOf(tenant, dto.capturePointId),
        methods: [...dto.methods],
        noticeId: dto.noticeId,
        purposeIds: [...notice.purposeIds],
        senderId: dto.senderId,
        ...(dto.keyword === undefined ? {} : { keyword: dto.keyword }),
        language: dto.language,
        confirmationTemplate: { name: dto.confirmationTemplate.name, language: dto.confirmationTemplate.language },
      };
      const at = this.clock.now();
      const event = consentEvent({
        id: this.newId(),
        type: 'capture-point.published.v1',
        tenant,
        key: dto.capturePointId,
        at,
        data,
        trace,
      });
      return { records: this.appender.encode([event]), status: 201, answer: this.view(data) };
    });
  }

  @Get()
  @Roles('admin', 'operator', 'capture', 'auditor')
  @ApiOperation({ summary: 'The published capture points with their links' })
  async list(@CurrentCaller() { tenant }: Caller): Promise<{ capturePoints: object[] }> {
    const points = await this.catalogue.capturePoints(tenant);
    return { capturePoints: points.map((point) => ({ ...point, ...this.view(point) })) };
  }

  private view({ capturePointId, publicCode, methods }: CapturePointPublished): Readonly<Record<string, unknown>> {
    const link = (path: string): string => new URL(path, this.config.PUBLIC_BASE_URL).href;
    return {
      capturePointId,
      publicCode,
      buttonPayload: `OPTIN|${publicCode}`,
      ...(methods.includes('form') ? { page: link(`/optin/${publicCode}`) } : {}),
      ...(methods.includes('qr') ? { qr: link(`/optin/${publicCode}/qr.svg`) } : {}),
    };
  }
}

/** @throws Problem 422 `keyword-missing`, `keyword-unusable` */
function assertKeyword({ methods, keyword }: PublishCapturePointDto): void {
  const needsKeyword = methods.includes('keyword') || methods.includes('qr');
  if (keyword === undefined) {
    if (!needsKeyword) return;
    throw new Problem({
      status: 422,
      code: 'keyword-missing',
      title: 'A keyword is missing',
      detail: 'Keyword and QR opt-ins need a keyword: a QR code only writes it into the message box.',
    });
  }
  if (normaliseText(keyword) !== undefined && !isStopMessage(keyword)) return;
  throw new Problem({
    status: 422,
    code: 'keyword-unusable',
    title: 'The keyword can not be used',
    detail: 'It needs a letter or digit, and may not be a word that withdraws in any language.',
  });
}

function noticeUnknown(): Problem {
  return new Problem({
    status: 422,
    code: 'notice-unknown',
    title: 'The notice is not published',
    detail: 'Publish the notice first. If you just did, give its position as Assent-Min-Position.',
  });
}

function senderForeign(): Problem {
  return new Problem({
    status: 422,
    code: 'sender-not-yours',
    title: 'The business number is not one of yours',
    detail: 'Name a senderId that you have registered.',
  });
}
