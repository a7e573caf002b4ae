import {
  type AnyEvent,
  deterministicId,
  type EventDecodeError,
  formatPosition,
  type LogRecord,
  openDispatchRequest,
  type Reason,
  type SealedRequest,
  SealedRequestError,
} from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { localInstant, locateRecipient } from '@assent/send-rules';
import type { Connection } from 'mongoose';
import { dispatchEvent } from '../dispatch-ledger/dispatch-events.ts';
import type { EventOf, Reaction } from '../reactions/reaction.ts';
import { preferredAddress } from '../recipients/preferred-address.ts';
import type { RecipientAddress, RecipientDocument } from '../recipients/recipient.projection.ts';
import type { RecipientLookup } from '../recipients/recipient-lookup.ts';
import { expiryOf, SCHEDULE_AHEAD_MAX_MS } from '../request-dispatch/weigh-request.ts';
import type { RequestKeys } from '../request-keys/request-keys.ts';
import { KeysUnavailableError, PERSON_ERASED, type SealedFields } from '../sealed-fields/sealed-fields.ts';
import { recipientEvidenceOf } from '../recipients/recipient-evidence.ts';
import { templateDocumentId, type TemplateDocument, templateFold } from '../templates/template.projection.ts';

type Requested = EventOf<'dispatch.requested.v1'>;

/** Tenant of refusals of requests that do not even say whose they are. */
const NOBODY = 'unassigned';

/**
 * Public intake over Kafka: a request becomes a dispatch of ours, planned for its time, or a refusal. Consent, hours and
 * suppression are weighed at the gate when it is due; here only what can't become right later is refused. It never waits
 * for read models, so a person whose opt-in is not applied yet is unknown: ask after their `consent.granted.v1`.
 */
export class TakeRequest implements Reaction<'dispatch.requested.v1'> {
  readonly to = 'dispatch.requested.v1';
  readonly #db: Connection;
  readonly #recipients: RecipientLookup;
  readonly #sealed: SealedFields;
  readonly #keys: RequestKeys;

  constructor(deps: { db: Connection; recipients: RecipientLookup; sealed: SealedFields; keys: RequestKeys }) {
    this.#db = deps.db;
    this.#recipients = deps.recipients;
    this.#sealed = deps.sealed;
    this.#keys = deps.keys;
  }

  async react(event: Requested): Promise<readonly AnyEvent[]> {
    let opened: SealedRequest;
    try {
      opened = await this.#open(event);
    } catch (error) {
      if (!(error instanceof SealedRequestError)) throw error;
      return [requestRefused(event, { code: `sealed-request-${error.code}`, text: sealedRequestText(error) })];
    }
    const recipient: Recipient | undefined =
      event.data.subjectId === undefined ? opened.recipient : { subjectId: event.data.subjectId };
    if (recipient === undefined) {
      const text = 'Name exactly one recipient: subjectId, or a recipient inside sealedRecipient.';
      return [requestRefused(event, { code: 'recipient-missing', text })];
    }
    const document = await this.#recipients.find(event.tenant, recipient);
    const address = document === undefined ? undefined : preferredAddress(document);
    if (document === undefined || address === undefined) return [this.#nobody(event, recipient)];
    return this.#accept(event, document, address, opened.parameters);
  }

  /** A record of the topic that is no request at all, or one that no dispatch can be made of. */
  static refuseUnreadable(record: LogRecord, { fault }: Pick<EventDecodeError, 'fault'>): AnyEvent {
    const position = formatPosition(record);
    const requestId = deterministicId('unreadable-request', position);
    const where = [fault.code, fault.pointer].filter((part) => part !== undefined).join(' at ');
    const text = `The request is not understood: ${where}. Nothing was sent; mend it and ask again.`;
    return dispatchEvent({
      type: 'dispatch.request-refused.v1',
      tenant: tenantOf(record),
      key: requestId,
      at: record.timestampMs,
      idParts: [position],
      data: { requestId, reasons: [{ code: 'request-unreadable', text }], requestPosition: position },
    });
  }

  async #open({ data }: Requested): Promise<SealedRequest> {
    const jwe = data.sealedRecipient ?? data.sealedParameters;
    if (jwe === undefined) return { parameters: [] };
    return openDispatchRequest(jwe, await this.#keys.privateKeys());
  }

  async #accept(
    event: Requested,
    document: RecipientDocument,
    address: RecipientAddress,
    parameters: readonly string[],
  ): Promise<AnyEvent[]> {
    const { tenant, data } = event;
    const person = { tenant, subjectId: document._id };
    const registered = await this.#db
      .collection<TemplateDocument>(templateFold.collection)
      .findOne({ _id: templateDocumentId(tenant, data.template) }, { readPreference: 'primary' });
    const dueAt = await this.#dueAt(event, document, address);
    const dispatchId = dispatchIdOf(event);
    if (typeof dueAt !== 'number') return [refused(event, person.subjectId, { subjectId: document._id }, dueAt)];
    const sealed = await this.#sealed.sealParameters(person, parameters);
    if (sealed.kind === 'unavailable') throw new KeysUnavailableError();
    if (sealed.kind === 'gone') return [refused(event, person.subjectId, { subjectId: document._id }, PERSON_ERASED)];
    const asked = data.expiresAt === undefined ? undefined : Date.parse(data.expiresAt);
    const common = commonOf(event, person.subjectId);
    const accepted = dispatchEvent({
      ...common,
      type: 'dispatch.accepted.v1',
      data: {
        dispatchId,
        class: 'message',
        cause: { kind: 'request', id: data.requestId, position: formatPosition(event.position) },
        subjectId: document._id,
        addressKey: address.addressKey,
        purposeId: data.purposeId,
        category: registered?.template.category ?? 'marketing',
        senderId: data.senderId,
        template: data.template,
        ...sealed.field,
        schedule: data.schedule,
        expiresAt: new Date(expiryOf(dueAt, asked)).toISOString(),
        requestedBy: 'dispatch.requests',
        requestId: data.requestId,
      },
    });
    const plan = { dispatchId, subjectId: document._id, dueAt: new Date(dueAt).toISOString(), reasons: [] };
    return [accepted, dispatchEvent({ ...common, type: 'dispatch.planned.v1', data: plan })];
  }

  async #dueAt(
    { data, recordedAt, tenant }: Requested,
    document: RecipientDocument,
    address: RecipientAddress,
  ): Promise<number | Reason> {
    const now = Date.parse(recordedAt);
    const { schedule } = data;
    let at = schedule.kind === 'at' ? Date.parse(schedule.at) : now;
    if (schedule.kind === 'local') {
      const zones = await this.#zonesOf(tenant, document, address);
      const local = localInstant({ date: schedule.date, time: schedule.time, zones });
      const text = 'Nothing tells which time zone the person is in, so a local time means nothing. Declare a zone.';
      if (local === undefined) return { code: 'zone-unknown', text };
      at = local;
    }
    if (at > now + SCHEDULE_AHEAD_MAX_MS)
      return { code: 'too-far-ahead', text: 'Messages are taken at most 400 days ahead.' };
    return Math.max(at, now);
  }

  async #zonesOf(tenant: string, document: RecipientDocument, address: RecipientAddress): Promise<readonly string[]> {
    const declared = locateRecipient(recipientEvidenceOf(document, undefined));
    if (declared.zonesFrom === 'declared') return declared.zones;
    const person = { tenant, subjectId: document._id };
    const opened = await this.#sealed.open(person, new Map([['address', address.sealedAddress]]));
    if (opened.kind === 'unavailable') throw new KeysUnavailableError();
    if (opened.kind === 'gone') return [];
    const text = opened.texts.get('address') ?? '';
    const isPhone = address.kind === 'phone' || address.kind === 'waId';
    return locateRecipient(recipientEvidenceOf(document, isPhone ? { phone: text } : { bsuid: text })).zones;
  }

  #nobody(event: Requested, recipient: Recipient): AnyEvent {
    const addressKey = this.#recipients.addressKeyOf(event.tenant, recipient);
    const subjectId = 'subjectId' in recipient ? recipient.subjectId : undefined;
    const key = addressKey ?? subjectId ?? event.data.requestId;
    const who = {
      ...(addressKey === undefined ? {} : { addressKey }),
      ...(subjectId === undefined ? {} : { subjectId }),
    };
    return refused(event, key, who, { code: 'no-consent', text: 'Nobody with this address has ever opted in.' });
  }
}

function dispatchIdOf({ tenant, data }: Requested): string {
  return deterministicId('topic-request', tenant, data.requestId);
}

function commonOf(
  event: Requested,
  key: string,
): { tenant: string; key: string; at: number; idParts: string[]; causationId: string } {
  return {
    tenant: event.tenant,
    key,
    at: Date.parse(event.recordedAt),
    idParts: [dispatchIdOf(event)],
    causationId: event.id,
  };
}

function refused(
  event: Requested,
  key: string,
  who: { subjectId?: string; addressKey?: string },
  reason: Reason,
): AnyEvent {
  return dispatchEvent({
    ...commonOf(event, key),
    type: 'dispatch.refused.v1',
    data: {
      dispatchId: dispatchIdOf(event),
      class: 'message',
      ...who,
      purposeId: event.data.purposeId,
      requestId: event.data.requestId,
      reasons: [reason],
    },
  });
}

function requestRefused(event: Requested, reason: Reason): AnyEvent {
  const { requestId } = event.data;
  const requestPosition = formatPosition(event.position);
  return dispatchEvent({
    ...commonOf(event, requestId),
    type: 'dispatch.request-refused.v1',
    data: { requestId, reasons: [reason], requestPosition },
  });
}

function sealedRequestText({ code }: SealedRequestError): string {
  const texts: Readonly<Record<SealedRequestError['code'], string>> = {
    'unknown-key': 'It is sealed to a key we do not hold. Fetch /.well-known/jwks.json again.',
    'unusable-key': 'It is sealed to a key that can not open it. Fetch /.well-known/jwks.json again.',
    undecryptable: 'It can not be opened: damaged, or sealed in another way than sealDispatchRequest does.',
    'malformed-content': 'What is inside is not a recipient with parameters.',
    'too-large': 'What is sealed is too large.',
  };
  return texts[code];
}

function tenantOf({ headers }: LogRecord): string {
  const value = headers.find(({ name }) => name === 'ce_tenant')?.value;
  const text = value === undefined ? '' : Buffer.from(value).toString('utf8');
  return /^[a-z0-9][a-z0-9-]{0,31}$/.test(text) ? text : NOBODY;
}
