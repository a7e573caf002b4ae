import { type AnyEvent, type CaptureMethod, deterministicId } from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { seal, SubjectKeys, SubjectKeysError } from '@assent/sealing';
import { Problem, type RequestTrace, RUNTIME_CONFIG } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { AddressDirectory } from '../address-directory/address-directory.ts';
import { Catalogue, type OpenCapturePoint } from '../catalogue/catalogue.ts';
import type { ConsentConfig } from '../config.ts';
import { ConfirmationTokens } from '../confirmation-token/confirmation-token.ts';
import { consentEvent } from '../consent-events/consent-events.ts';

/** How long the question may be answered: a week, like the pause between two questions. */
export const REQUEST_VALID_MS = 7 * 86_400_000;

export interface ConsentRequestInput {
  readonly tenant: string;
  readonly recipients: readonly Recipient[];
  readonly point: OpenCapturePoint;
  readonly method: CaptureMethod;
  readonly selfStarted: boolean;
  readonly language?: string;
  readonly timeZone?: string;
  /** When the person asked, epoch milliseconds. */
  readonly requestedAt: number;
  /** What makes the request this request; the same id is the same request. */
  readonly requestId: string;
  /** What was shown and said: JSON, sealed under the person's key. */
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly trace?: RequestTrace;
}

export class RequestConsent {
  constructor(readonly input: ConsentRequestInput) {}
}

export interface RequestedConsent {
  readonly subjectId: string;
  readonly requestId: string;
  readonly events: readonly AnyEvent[];
}

/**
 * Records that a person asked to opt in; the double-opt-in question follows from the fact (dispatch). Grants nothing,
 * and looks the same whether or not the address has withdrawn: whether the question may leave is the gate's to decide.
 */
@CommandHandler(RequestConsent)
export class RequestConsentHandler implements ICommandHandler<RequestConsent, RequestedConsent> {
  constructor(
    @Inject(AddressDirectory) private readonly directory: AddressDirectory,
    @Inject(SubjectKeys) private readonly subjectKeys: SubjectKeys,
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(ConfirmationTokens) private readonly tokens: ConfirmationTokens,
    @Inject(RUNTIME_CONFIG) private readonly config: ConsentConfig,
  ) {}

  async execute({ input }: RequestConsent): Promise<RequestedConsent> {
    const { tenant, point, requestId, requestedAt, method } = input;
    const { capturePoint, notice } = point;
    const category = await this.categoryOf(point);
    const [person] = await this.directory.findOrRegister(tenant, input.recipients);
    if (person?.addressKey === undefined) throw new Error('a consent request without an address');
    const { subjectId, addressKey } = person;
    const key = await this.keyOf(tenant, subjectId);
    const confirmation = {
      tenant,
      subjectId,
      requestId,
      requestedAt,
      noticeId: notice.noticeId,
      noticeVersion: notice.version,
    };
    const payload = this.tokens.payload(confirmation);
    const url = new URL(`/confirm/${this.tokens.linkToken(confirmation)}`, this.config.PUBLIC_BASE_URL).href;
    const event = consentEvent({
      id: deterministicId('consent-requested', tenant, requestId),
      type: 'consent.requested.v1',
      tenant,
      key: subjectId,
      at: requestedAt,
      ...(input.trace === undefined ? {} : { trace: input.trace }),
      data: {
        subjectId,
        requestId,
        addressKey,
        purposeIds: [...notice.purposeIds],
        category,
        capturePointId: capturePoint.capturePointId,
        noticeId: notice.noticeId,
        noticeVersion: notice.version,
        language: shownLanguage(point, input.language),
        method,
        selfStarted: input.selfStarted,
        senderId: capturePoint.senderId,
        confirmationTemplate: capturePoint.confirmationTemplate,
        requestedAt: new Date(requestedAt).toISOString(),
        expiresAt: new Date(requestedAt + REQUEST_VALID_MS).toISOString(),
        ...(input.timeZone === undefined ? {} : { timeZone: input.timeZone }),
        sealedConfirmation: seal(key, tenant, subjectId, 'confirmation', JSON.stringify({ payload, url })),
        sealedEvidence: seal(key, tenant, subjectId, 'evidence', JSON.stringify(input.evidence)),
      },
    });
    return { subjectId, requestId, events: [event] };
  }

  private async keyOf(tenant: string, subjectId: string): Promise<Uint8Array> {
    try {
      return await this.subjectKeys.obtain(tenant, subjectId);
    } catch (error) {
      if (error instanceof SubjectKeysError && error.code === 'key-gone') throw new RecipientErased();
      throw error;
    }
  }

  /** The strictest category of the purposes that the notice shown asks for; a confirmation grants just these. */
  private async categoryOf({
    tenant,
    notice,
  }: OpenCapturePoint): Promise<'marketing' | 'utility' | 'authentication' | 'service'> {
    const purposes = await Promise.all(notice.purposeIds.map((id) => this.catalogue.purpose(tenant, id)));
    const categories = purposes.map((purpose) => purpose?.category);
    if (categories.includes(undefined)) throw notPublished();
    return (
      (['marketing', 'utility', 'authentication', 'service'] as const).find((c) => categories.includes(c)) ??
      'marketing'
    );
  }
}

/** The person behind this address was erased, so nothing can be sealed for them. */
export class RecipientErased extends Problem {
  constructor() {
    super({
      status: 422,
      code: 'recipient-erased',
      title: 'This person can not be asked',
      detail: 'Everything about them was erased.',
    });
  }
}

/** The language the notice has a text in: the one asked for, else the capture point's own, else any. */
export function shownLanguage({ capturePoint, notice }: OpenCapturePoint, wanted: string | undefined): string {
  const has = (language: string | undefined): language is string =>
    language !== undefined && Object.hasOwn(notice.texts, language);
  if (has(wanted)) return wanted;
  if (has(capturePoint.language)) return capturePoint.language;
  return Object.keys(notice.texts)[0] ?? capturePoint.language;
}

export function notPublished(): Problem {
  return new Problem({
    status: 422,
    code: 'capture-point-unknown',
    title: 'There is no such capture point',
    detail:
      'Publish the purposes, the notice and the capture point first. If you just did, give their position as Assent-Min-Position.',
  });
}
