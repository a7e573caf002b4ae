import { normalizePhone, parseBsuid, type Recipient } from '@assent/identity';
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
import { Body, Controller, Inject, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Catalogue } from '../catalogue/catalogue.ts';
import { invalidRecipient, recipientOf } from '../recipient/recipient.dto.ts';
import { notPublished, REQUEST_VALID_MS, RequestConsent, type RequestedConsent } from './request-consent.command.ts';
import { RequestConsentDto } from './request-consent.dto.ts';

/** A form snapshot or an agent's note has a few hundred. */
const EVIDENCE_CHARS_MAX = 16_384;

@ApiTags('consents')
@ApiBearerAuth()
@Controller('v1/consents')
export class RequestConsentController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(NEW_ID) private readonly newId: NewId,
  ) {}

  /** One person a call. The grant follows when the person confirms; until then the status is confirmation-pending. */
  @Post()
  @Roles('capture')
  @ApiOperation({ summary: 'Record that a person asked to opt in, and ask them to confirm' })
  request(
    @Body() dto: RequestConsentDto,
    @CurrentCaller() { tenant, actor }: Caller,
    @CurrentTrace() trace: RequestTrace,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    const recipient = recipientOf(dto.recipient);
    if (!canBeAsked(recipient)) throw invalidRecipient();
    if (JSON.stringify(dto.evidence ?? {}).length > EVIDENCE_CHARS_MAX) throw evidenceTooLarge();
    const now = this.clock.now();
    const requestedAt = dto.occurredAt === undefined ? now : Date.parse(dto.occurredAt);
    if (requestedAt > now) throw inTheFuture();
    if (requestedAt <= now - REQUEST_VALID_MS) throw tooLongAgo();
    return this.writes.run({ tenant, route: 'POST /v1/consents', key, body: dto }, async () => {
      const point = await this.catalogue.capturePoint(dto.capturePoint);
      if (point?.tenant !== tenant) throw notPublished();
      if (!point.capturePoint.methods.includes(dto.method)) throw methodNotAllowed();
      const { subjectId, requestId, events }: RequestedConsent = await this.commands.execute(
        new RequestConsent({
          tenant,
          recipients: [recipient],
          point,
          method: dto.method,
          selfStarted: false,
          ...(dto.language === undefined ? {} : { language: dto.language }),
          ...(dto.timeZone === undefined ? {} : { timeZone: dto.timeZone }),
          requestedAt,
          requestId: this.newId(),
          evidence: { actor, ...(dto.evidence === undefined ? {} : { given: dto.evidence }) },
          trace,
        }),
      );
      const answer = { subjectId, requestId, status: 'confirmation-pending' };
      return { records: this.appender.encode(events), status: 202, answer };
    });
  }
}

/** A question needs an address that WhatsApp can reach. (A withdrawal does not: it may name anything.) */
function canBeAsked(recipient: Recipient): boolean {
  if ('subjectId' in recipient) return false;
  if ('bsuid' in recipient) return parseBsuid(recipient.bsuid) !== undefined;
  return normalizePhone('phone' in recipient ? recipient.phone : recipient.waId).possible;
}

function evidenceTooLarge(): Problem {
  return new Problem({
    status: 413,
    code: 'evidence-too-large',
    title: 'The evidence is too large',
    detail: `Send at most ${EVIDENCE_CHARS_MAX} characters of JSON; keep larger proofs yourself and send their hash.`,
  });
}

function tooLongAgo(): Problem {
  return new Problem({
    status: 422,
    code: 'occurred-too-long-ago',
    title: 'The person asked too long ago',
    detail: 'A question that is a week old can no longer be confirmed. Ask the person again.',
  });
}

function inTheFuture(): Problem {
  return new Problem({
    status: 422,
    code: 'occurred-in-future',
    title: 'A consent can not be given in the future',
    detail: 'occurredAt lies after now. Check the clock and the time zone of your system.',
  });
}

function methodNotAllowed(): Problem {
  return new Problem({
    status: 422,
    code: 'method-not-allowed',
    title: 'The capture point does not allow this way in',
    detail: 'Use one of its methods, or publish it with this one.',
  });
}
