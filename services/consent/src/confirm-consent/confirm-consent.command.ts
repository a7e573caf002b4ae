import { type AnyEvent, deterministicId, messageIdOf } from '@assent/contracts';
import { type Clock, CLOCK, Problem, type RequestTrace } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { AddressDirectory } from '../address-directory/address-directory.ts';
import { Catalogue } from '../catalogue/catalogue.ts';
import type { Confirmation } from '../confirmation-token/confirmation-token.ts';
import { consentEvent } from '../consent-events/consent-events.ts';
import { REQUEST_VALID_MS } from '../request-consent/request-consent.command.ts';

export type ConfirmedBy = { readonly kind: 'page' } | { readonly kind: 'message'; readonly wamid: string };

export class ConfirmConsent {
  constructor(
    readonly confirmation: Confirmation,
    readonly by: ConfirmedBy,
    readonly senderId: string | undefined,
    /** When the person confirmed, epoch milliseconds. */
    readonly confirmedAt: number,
    readonly trace?: RequestTrace,
  ) {}
}

/**
 * The second half of a double opt-in: a grant that is proven, because it came back through the address itself. It counts
 * from its request, so a withdrawal in between wins. An expired confirmation grants nothing and is no event.
 */
@CommandHandler(ConfirmConsent)
export class ConfirmConsentHandler implements ICommandHandler<ConfirmConsent, AnyEvent[]> {
  constructor(
    @Inject(Catalogue) private readonly catalogue: Catalogue,
    @Inject(AddressDirectory) private readonly directory: AddressDirectory,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ confirmation, by, senderId, confirmedAt, trace }: ConfirmConsent): Promise<AnyEvent[]> {
    const { tenant, subjectId, requestId, requestedAt, noticeId, noticeVersion } = confirmation;
    if (isExpired(confirmation, this.clock.now())) return [];
    // Of a person who was erased nothing is recorded any more, whoever still has the link.
    if (!(await this.directory.isOf(tenant, subjectId))) return [];
    const notice = await this.catalogue.notice(tenant, noticeId, noticeVersion);
    if (notice === undefined) throw catalogueBehind();
    const grantId = deterministicId('grant', tenant, requestId);
    return [
      consentEvent({
        id: deterministicId('consent-granted', tenant, grantId),
        type: 'consent.granted.v1',
        tenant,
        key: subjectId,
        at: Math.max(confirmedAt, requestedAt),
        ...(trace === undefined ? {} : { trace }),
        data: {
          subjectId,
          grantId,
          purposeIds: [...notice.purposeIds],
          basis: 'confirmed',
          requestId,
          requestedAt: new Date(requestedAt).toISOString(),
          grantedAt: new Date(Math.max(confirmedAt, requestedAt)).toISOString(),
          noticeId,
          noticeVersion,
          method: by.kind === 'message' ? 'button' : 'form',
          confirmedBy: by.kind === 'message' ? { kind: by.kind, messageId: messageIdOf(by.wamid) } : { kind: by.kind },
          ...(senderId === undefined ? {} : { senderId }),
        },
      }),
    ];
  }
}

/** @param now epoch milliseconds */
export function isExpired({ requestedAt }: Confirmation, now: number): boolean {
  return now > requestedAt + REQUEST_VALID_MS;
}

/** The token proves that the notice was published, so it is our read model that is late: ask again. */
export function catalogueBehind(): Problem {
  return new Problem({
    status: 503,
    code: 'catalogue-behind',
    title: 'The catalogue is not up to date',
    detail: 'Try again in a moment; nothing is lost.',
    headers: { 'retry-after': '2' },
  });
}
