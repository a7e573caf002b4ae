import { MILLISECOND_TICK_MS, WHATSAPP_TICK_MS } from '@assent/consent-state';
import {
  type AnyEvent,
  deterministicId,
  messageIdOf,
  type Scope,
  type WhatsappStatusReceived,
} from '@assent/contracts';
import type { IntakeKey } from '@assent/sealing';
import type { Clock } from '@assent/service-runtime';
import type { CommandBus } from '@nestjs/cqrs';
import type { AddressDirectory } from '../address-directory/address-directory.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { ConfirmConsent } from '../confirm-consent/confirm-consent.command.ts';
import type { ConfirmationTokens } from '../confirmation-token/confirmation-token.ts';
import { consentEvent } from '../consent-events/consent-events.ts';
import { occurredAtOf } from '../consent-events/occurred-at.ts';
import { RequestConsent, type RequestedConsent } from '../request-consent/request-consent.command.ts';
import type { Senders } from '../senders/sender.projection.ts';
import { WithdrawConsent, type WithdrawnConsent } from '../withdraw-consent/withdraw-consent.command.ts';
import { type ControlMessage, controlMessageOf } from './control-message.ts';
import {
  type AccountUpdate,
  isPlatformStop,
  type MessageUpdate,
  type OddUpdate,
  type PreferenceUpdate,
  type StatusUpdate,
  textOfRaw,
  type WebhookUpdate,
} from './webhook-updates.ts';

/** Facts of one update; withdrawals are appended before everything else of the POST. */
export interface InterpretedUpdate {
  readonly withdrawals: readonly AnyEvent[];
  readonly others: readonly AnyEvent[];
}

/** Tenant of what can't be given to anybody. */
export const NOBODY = 'unassigned';
/** Where a withdrawal is kept that does not even say which business number it was meant for. */
const NO_SENDER = 'unknown';
const SENDER_ID = /^[A-Za-z0-9_-]{1,64}$/;
const STATUSES: readonly WhatsappStatusReceived['status'][] = ['sent', 'delivered', 'read', 'played', 'failed'];
/** What is kept of an update that nobody understands, characters; the rest is cut. */
const QUARANTINED_CHARS_MAX = 24_576;
/** Errors of one status that are kept; WhatsApp sends one. */
const ERRORS_MAX = 16;

interface Deps {
  readonly clock: Clock;
  readonly commands: CommandBus;
  readonly senders: Senders;
  readonly catalogue: Catalogue;
  readonly directory: AddressDirectory;
  readonly tokens: ConfirmationTokens;
  readonly intake: IntakeKey;
}

/**
 * Turns one update into facts. Ids derive from what WhatsApp sent, so a repeated update is the same facts. Throws when
 * the store or the log does not answer, and for a confirmation while the catalogue is behind: then the POST is answered
 * 503 and WhatsApp sends it again (up to 7 days).
 */
export class InterpretUpdate {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async execute(update: WebhookUpdate): Promise<InterpretedUpdate> {
    switch (update.kind) {
      case 'message':
        return this.#message(update);
      case 'status':
        return this.#status(update);
      case 'preference':
        return this.#preference(update);
      case 'account':
        return others([this.#account(update)]);
      case 'odd':
        return this.#odd(update);
    }
  }

  /** Keeps an update that can't be read, or that belongs to nobody we know. */
  async quarantine({ raw }: { raw: unknown }, reason: string, senderId?: string): Promise<AnyEvent> {
    const text = textOfRaw(raw).slice(0, QUARANTINED_CHARS_MAX);
    const known = senderId !== undefined && SENDER_ID.test(senderId) ? senderId : undefined;
    const tenant = (known === undefined ? undefined : await this.#deps.senders.tenantOf(known)) ?? NOBODY;
    const at = this.#deps.clock.now();
    return consentEvent({
      id: deterministicId('update-quarantined', known ?? '', this.#deps.directory.pseudonymOf(text)),
      type: 'whatsapp.update-quarantined.v1',
      tenant,
      key: known === undefined ? 'quarantine' : `sender:${known}`,
      at,
      data: {
        ...(known === undefined ? {} : { senderId: known }),
        receivedAt: new Date(at).toISOString(),
        reason,
        sealedUpdate: await this.#deps.intake.seal(tenant, 'update', text),
      },
    });
  }

  /** Somebody withdraws, and we can't tell who: kept for ever, and the sender is held. */
  async #odd(update: OddUpdate & { raw: unknown }): Promise<InterpretedUpdate> {
    const { senderId, reason, isWithdrawal } = update;
    if (isWithdrawal === true) return { withdrawals: [await this.#withdrawalOfNobody(update, senderId)], others: [] };
    return others([await this.quarantine(update, reason, senderId)]);
  }

  async #message(update: MessageUpdate & { raw: unknown }): Promise<InterpretedUpdate> {
    const { senderId, from } = update;
    const tenant = await this.#deps.senders.tenantOf(senderId);
    if (tenant === undefined) return this.#ofUnknownSender(update, controlMessageOf(update, []).control === 'stop');
    const control = await this.#read(update, tenant);
    const at = this.#timeOf(update.timestamp);
    const facts = await this.#control(update, control, tenant, at);
    const addressKey = from[0] === undefined ? undefined : this.#deps.directory.addressKeyOf(tenant, from[0]);
    if (addressKey === undefined) return facts;
    const subjectId = await this.#deps.directory.recognise(tenant, from);
    const received = consentEvent({
      id: deterministicId('message-received', senderId, update.wamid),
      type: 'whatsapp.message-received.v1',
      tenant,
      key: addressKey,
      at,
      data: {
        senderId,
        addressKey,
        ...(subjectId === undefined ? {} : { subjectId }),
        messageId: messageIdOf(update.wamid),
        messageType: update.messageType,
        control: control.control,
        sentAt: new Date(at).toISOString(),
      },
    });
    return { withdrawals: facts.withdrawals, others: [...facts.others, received] };
  }

  /** The keywords are looked up only for a message that could be one. */
  async #read(update: MessageUpdate, tenant: string): Promise<ControlMessage> {
    const control = controlMessageOf(update, []);
    if (control.control !== 'none' || update.text === undefined || update.payload !== undefined) return control;
    return controlMessageOf(update, await this.#deps.catalogue.capturePointsOfSender(tenant, update.senderId));
  }

  async #control(
    update: MessageUpdate,
    control: ControlMessage,
    tenant: string,
    at: number,
  ): Promise<InterpretedUpdate> {
    const { senderId, from, wamid, text } = update;
    switch (control.control) {
      case 'stop': {
        const { events }: WithdrawnConsent = await this.#deps.commands.execute(
          new WithdrawConsent({
            tenant,
            recipients: from,
            scope: control.scope,
            lane: 'person',
            method: control.method,
            occurredAt: at,
            tickMs: WHATSAPP_TICK_MS,
            source: ['whatsapp-message', senderId, wamid],
            senderId,
            wamid,
            receiptDue: true,
            evidence: { said: text ?? '', payload: update.payload ?? '' },
          }),
        );
        return { withdrawals: events, others: [] };
      }
      case 'opt-in': {
        const point = await this.#deps.catalogue.capturePoint(control.publicCode);
        if (point?.tenant !== tenant || !point.capturePoint.methods.includes(control.method)) return others([]);
        const { events }: RequestedConsent = await this.#deps.commands.execute(
          new RequestConsent({
            tenant,
            recipients: from,
            point,
            method: control.method,
            selfStarted: true,
            requestedAt: at,
            requestId: deterministicId('opt-in-message', tenant, senderId, wamid),
            evidence: { said: text ?? '', payload: update.payload ?? '' },
          }),
        );
        return others(events);
      }
      case 'confirm':
        return this.#confirm(update, control.payload, tenant, at);
      case 'none':
        return others([]);
    }
  }

  /** Only the person whom we asked can confirm: the payload is bound to them. */
  async #confirm(
    { from, senderId, wamid }: MessageUpdate,
    payload: string,
    tenant: string,
    at: number,
  ): Promise<InterpretedUpdate> {
    const found = await Promise.all(from.map((recipient) => this.#deps.directory.find(tenant, recipient)));
    for (const subjectId of new Set(found.flat())) {
      const confirmation = this.#deps.tokens.readPayload(payload, tenant, subjectId);
      if (confirmation === undefined) continue;
      const by = { kind: 'message', wamid } as const;
      const events: AnyEvent[] = await this.#deps.commands.execute(new ConfirmConsent(confirmation, by, senderId, at));
      return others(events);
    }
    return others([]);
  }

  async #status(update: StatusUpdate & { raw: unknown }): Promise<InterpretedUpdate> {
    const { senderId, to, wamid, errors } = update;
    const stopped = errors.some(isPlatformStop);
    const tenant = await this.#deps.senders.tenantOf(senderId);
    if (tenant === undefined) return this.#ofUnknownSender(update, stopped);
    const withdrawals = stopped ? await this.#platformStop(update, tenant) : [];
    const status = STATUSES.find((known) => known === update.status);
    if (status === undefined) {
      return { withdrawals, others: [await this.quarantine(update, 'status-unknown', senderId)] };
    }
    // A status tells the phone and the business-scoped id of one person together: later one of them may be withheld.
    if (to.length > 1) await this.#deps.directory.recognise(tenant, to);
    const at = this.#timeOf(update.timestamp);
    const addressKey = to[0] === undefined ? undefined : this.#deps.directory.addressKeyOf(tenant, to[0]);
    const received = consentEvent({
      id: deterministicId('status-received', senderId, wamid, status, String(update.timestamp ?? '')),
      type: 'whatsapp.status-received.v1',
      tenant,
      key: addressKey ?? messageIdOf(wamid),
      at,
      data: {
        senderId,
        ...(addressKey === undefined ? {} : { addressKey }),
        messageId: messageIdOf(wamid),
        status,
        statusAt: new Date(at).toISOString(),
        ...idsIn(update.callbackData),
        ...(errors.length === 0 ? {} : { errors: errors.slice(0, ERRORS_MAX) }),
      },
    });
    return { withdrawals, others: [received] };
  }

  /**
   * A failed status may leave the recipient out, or name a person by an id that we have not seen. The message was ours,
   * so it says itself whom it was for.
   */
  async #platformStop(update: StatusUpdate & { raw: unknown }, tenant: string): Promise<readonly AnyEvent[]> {
    const { senderId, to, wamid } = update;
    const { subjectId } = idsIn(update.callbackData);
    const isOurs = subjectId !== undefined && (await this.#deps.directory.isOf(tenant, subjectId));
    const recipients = [...(isOurs ? [{ subjectId }] : []), ...to];
    if (recipients.length === 0) return [await this.#withdrawalOfNobody(update, senderId)];
    const { events }: WithdrawnConsent = await this.#deps.commands.execute(
      new WithdrawConsent({
        tenant,
        recipients,
        scope: { kind: 'category', id: 'marketing' },
        lane: 'platform',
        method: 'provider-error',
        occurredAt: this.#timeOf(update.timestamp),
        tickMs: WHATSAPP_TICK_MS,
        source: ['provider-error', senderId, wamid],
        senderId,
        wamid,
        receiptDue: false,
      }),
    );
    return events;
  }

  async #preference(update: PreferenceUpdate & { raw: unknown }): Promise<InterpretedUpdate> {
    const { senderId, from, category, value, timestamp } = update;
    const tenant = await this.#deps.senders.tenantOf(senderId);
    if (tenant === undefined) return this.#ofUnknownSender(update, value === 'stop');
    const at = this.#timeOf(timestamp);
    // A category that we do not know covers everything.
    const scope: Scope = category === 'marketing_messages' ? { kind: 'category', id: 'marketing' } : { kind: 'all' };
    if (value === 'stop') {
      const { events }: WithdrawnConsent = await this.#deps.commands.execute(
        new WithdrawConsent({
          tenant,
          recipients: from,
          scope,
          lane: 'platform',
          method: 'user-preferences',
          occurredAt: at,
          tickMs: timestamp === undefined ? MILLISECOND_TICK_MS : WHATSAPP_TICK_MS,
          source: ['user-preferences', senderId, category, String(timestamp ?? at)],
          senderId,
          receiptDue: false,
        }),
      );
      return { withdrawals: events, others: [] };
    }
    if (value !== 'resume') return others([await this.quarantine(update, 'preference-unknown', senderId)]);
    const found = await Promise.all(from.map((recipient) => this.#deps.directory.find(tenant, recipient)));
    const resumed = [...new Set(found.flat())].map((subjectId) =>
      consentEvent({
        id: deterministicId('consent-resumed', tenant, subjectId, senderId, String(timestamp ?? at)),
        type: 'consent.resumed.v1',
        tenant,
        key: subjectId,
        at,
        data: { subjectId, lane: 'platform', scope, occurredAt: new Date(at).toISOString(), senderId },
      }),
    );
    return others(resumed);
  }

  #account({ wabaId, field, event, sentAt, raw }: AccountUpdate & { raw: unknown }): AnyEvent {
    const receivedAt = this.#deps.clock.now();
    const content = this.#deps.directory.pseudonymOf(textOfRaw(raw));
    return consentEvent({
      id: deterministicId('account-updated', wabaId, field, String(sentAt ?? receivedAt), content),
      type: 'whatsapp.account-updated.v1',
      tenant: NOBODY,
      key: wabaId,
      at: receivedAt,
      data: {
        wabaId,
        field,
        ...(event === undefined ? {} : { event }),
        receivedAt: new Date(receivedAt).toISOString(),
      },
    });
  }

  async #ofUnknownSender(
    update: { senderId: string; raw: unknown },
    isWithdrawal: boolean,
  ): Promise<InterpretedUpdate> {
    if (!isWithdrawal) return others([await this.quarantine(update, 'unknown-sender', update.senderId)]);
    return { withdrawals: [await this.#withdrawalOfNobody(update, update.senderId)], others: [] };
  }

  /** A withdrawal that can't be given to anybody is kept for ever under its sender, and holds that sender (I6, I3). */
  async #withdrawalOfNobody({ raw }: { raw: unknown }, senderId: string | undefined): Promise<AnyEvent> {
    const kept = senderId !== undefined && SENDER_ID.test(senderId) ? senderId : NO_SENDER;
    const tenant = (await this.#deps.senders.tenantOf(kept)) ?? NOBODY;
    const text = textOfRaw(raw).slice(0, QUARANTINED_CHARS_MAX);
    const at = this.#deps.clock.now();
    return consentEvent({
      id: deterministicId('withdrawal-quarantined', kept, this.#deps.directory.pseudonymOf(text)),
      type: 'consent.withdrawal-quarantined.v1',
      tenant,
      key: `sender:${kept}`,
      at,
      data: {
        senderId: kept,
        receivedAt: new Date(at).toISOString(),
        reason: 'unknown-sender',
        sealedUpdate: await this.#deps.intake.seal(tenant, 'update', text),
      },
    });
  }

  /** WhatsApp's stamp in epoch milliseconds. */
  #timeOf(seconds: number | undefined): number {
    return occurredAtOf(seconds === undefined ? undefined : seconds * 1_000, this.#deps.clock.now());
  }
}

function others(events: readonly AnyEvent[]): InterpretedUpdate {
  return { withdrawals: [], others: events };
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const CALLBACK = new RegExp(`^(${UUID})\\.(${UUID})\\.(${UUID})$`);

/** Attempt, dispatch and person, as dispatch gave them to the call; nothing when the message is not ours. */
function idsIn(callbackData: string | undefined): { attemptId?: string; dispatchId?: string; subjectId?: string } {
  const [, attemptId, dispatchId, subjectId] = CALLBACK.exec(callbackData ?? '') ?? [];
  if (attemptId === undefined || dispatchId === undefined || subjectId === undefined) return {};
  return { attemptId, dispatchId, subjectId };
}
