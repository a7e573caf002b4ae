import { withdrawalEffectiveAt } from '@assent/consent-state';
import { type AnyEvent, type ConsentWithdrawn, deterministicId, messageIdOf, type Scope } from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { seal, SubjectKeys, SubjectKeysError } from '@assent/sealing';
import { type Clock, CLOCK, type RequestTrace } from '@assent/service-runtime';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { AddressDirectory } from '../address-directory/address-directory.ts';
import { ConsentHistories } from '../consent-history/consent-history.projection.ts';
import { consentEvent } from '../consent-events/consent-events.ts';
import { occurredAtOf } from '../consent-events/occurred-at.ts';

export interface WithdrawalInput {
  readonly tenant: string;
  readonly recipients: readonly Recipient[];
  readonly scope: Scope;
  readonly lane: ConsentWithdrawn['lane'];
  readonly method: ConsentWithdrawn['method'];
  /** When the person said it, epoch milliseconds; a time in the future, or an impossible one, is taken as now. */
  readonly occurredAt: number;
  /** Resolution of that time: WhatsApp stamps whole seconds. */
  readonly tickMs: number;
  /** What makes the withdrawal this withdrawal; a repeat of the same source is the same fact. */
  readonly source: readonly string[];
  readonly senderId?: string;
  readonly wamid?: string;
  readonly receiptDue: boolean;
  readonly evidence?: Readonly<Record<string, unknown>>;
  readonly trace?: RequestTrace;
}

export class WithdrawConsent {
  constructor(readonly input: WithdrawalInput) {}
}

export interface WithdrawnConsent {
  readonly subjectIds: readonly string[];
  readonly withdrawalIds: readonly string[];
  readonly events: readonly AnyEvent[];
}

/**
 * Records a withdrawal. Nothing about number, person, notice or tenant state can refuse it (I6): somebody unknown is
 * registered, so that the withdrawal has an address to hold for. Whoever is known under the address gets it. To be
 * appended with `urgent`.
 */
@CommandHandler(WithdrawConsent)
export class WithdrawConsentHandler implements ICommandHandler<WithdrawConsent, WithdrawnConsent> {
  constructor(
    @Inject(AddressDirectory) private readonly directory: AddressDirectory,
    @Inject(SubjectKeys) private readonly subjectKeys: SubjectKeys,
    @Inject(ConsentHistories) private readonly histories: ConsentHistories,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ input }: WithdrawConsent): Promise<WithdrawnConsent> {
    const people = await this.ownPeople(input);
    const occurredAt = occurredAtOf(input.occurredAt, this.clock.now());
    const events: AnyEvent[] = [];
    const withdrawalIds: string[] = [];
    for (const [index, { subjectId }] of people.entries()) {
      const withdrawalId = deterministicId('withdrawal', input.tenant, subjectId, ...input.source);
      withdrawalIds.push(withdrawalId);
      // One receipt, however many people the address turned out to be.
      const receiptDue = input.receiptDue && index === 0;
      events.push(await this.event(input, subjectId, withdrawalId, occurredAt, receiptDue));
    }
    return { subjectIds: people.map(({ subjectId }) => subjectId), withdrawalIds, events };
  }

  /**
   * An id of another tenant's person must not reach that person, and yet the withdrawal is not refused: it is kept
   * under an id of our own.
   */
  private async ownPeople({ tenant, recipients }: WithdrawalInput): Promise<{ readonly subjectId: string }[]> {
    const people = await this.directory.findOrRegister(tenant, recipients);
    if (!recipients.some((recipient) => 'subjectId' in recipient)) return people;
    const foreign = await this.histories.foreignTo(
      tenant,
      people.map(({ subjectId }) => subjectId),
    );
    return people.map(({ subjectId }) => ({
      subjectId: foreign.has(subjectId) ? deterministicId('unknown-person', tenant, subjectId) : subjectId,
    }));
  }

  private async event(
    input: WithdrawalInput,
    subjectId: string,
    withdrawalId: string,
    occurredAt: number,
    receiptDue: boolean,
  ): Promise<AnyEvent> {
    const { tenant, scope, lane, method, senderId, wamid } = input;
    const at = new Date(occurredAt).toISOString();
    const sealedEvidence = await this.sealEvidence(input, subjectId);
    return consentEvent({
      id: deterministicId('consent-withdrawn', tenant, withdrawalId),
      type: 'consent.withdrawn.v1',
      tenant,
      key: subjectId,
      at: occurredAt,
      ...(input.trace === undefined ? {} : { trace: input.trace }),
      data: {
        subjectId,
        withdrawalId,
        scope,
        lane,
        method,
        occurredAt: at,
        effectiveAt: withdrawalEffectiveAt(at, input.tickMs),
        ...(senderId === undefined ? {} : { senderId }),
        ...(wamid === undefined ? {} : { messageId: messageIdOf(wamid) }),
        receiptDue,
        ...(sealedEvidence === undefined ? {} : { sealedEvidence }),
      },
    });
  }

  /** Evidence is worth having and never a reason to lose the withdrawal: of a person who was erased none is kept. */
  private async sealEvidence({ tenant, evidence }: WithdrawalInput, subjectId: string): Promise<string | undefined> {
    if (evidence === undefined) return undefined;
    try {
      const key = await this.subjectKeys.obtain(tenant, subjectId);
      return seal(key, tenant, subjectId, 'evidence', JSON.stringify(evidence));
    } catch (error) {
      if (error instanceof SubjectKeysError) return undefined;
      throw error;
    }
  }
}
