import type { GraphError } from '../graph-error.ts';
import type { Person } from '../people/people.ts';
import type { PhoneNumber } from '../phone-numbers.ts';

/** One change of a webhook, with what a checker wants to know of it. */
export interface Update {
  readonly wabaId: string;
  readonly change: { readonly field: string; readonly value: object };
  readonly summary: UpdateSummary;
  /** Seconds; only on account-type fields. */
  readonly time?: number;
}

export interface UpdateSummary {
  readonly field: string;
  readonly kind: 'status' | 'message' | 'user_preferences' | 'other';
  readonly messageId?: string;
  /** The status, the message type or the preference's value. */
  readonly what?: string;
}

export type Status = 'sent' | 'delivered' | 'read' | 'failed';

export interface StatusInput {
  readonly phoneNumber: PhoneNumber;
  /** Absent for a number that nobody has. */
  readonly person?: Person;
  readonly messageId: string;
  readonly status: Status;
  readonly atMs: number;
  /** Digits, when the message was sent to a phone. */
  readonly phone?: string;
  readonly category: string;
  readonly bizOpaqueCallbackData?: string;
  readonly error?: GraphError;
}

/** A `statuses` change. A failed one has no contacts, and no user id when it was sent to a phone. */
export function statusUpdate(input: StatusInput): Update {
  const { phoneNumber, person, status, messageId } = input;
  const failed = status === 'failed';
  const recipientId = person === undefined ? input.phone : visiblePhone(person);
  const named = person !== undefined && !(failed && input.phone !== undefined);
  const entry = {
    id: messageId,
    status,
    timestamp: seconds(input.atMs),
    ...(recipientId === undefined ? {} : { recipient_id: recipientId }),
    ...(named ? { recipient_user_id: person.bsuid } : {}),
    ...(named && person.parentBsuid !== undefined ? { recipient_parent_user_id: person.parentBsuid } : {}),
    ...(input.bizOpaqueCallbackData === undefined ? {} : { biz_opaque_callback_data: input.bizOpaqueCallbackData }),
    ...(status === 'sent' || status === 'delivered'
      ? { pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: input.category } }
      : {}),
    ...(input.error === undefined ? {} : { errors: [input.error.statusError()] }),
  };
  return messagesUpdate(
    phoneNumber,
    {
      ...(failed || person === undefined
        ? {}
        : { contacts: [contactOf(person, status === 'delivered' || status === 'read')] }),
      statuses: [entry],
    },
    { field: 'messages', kind: 'status', messageId, what: status },
  );
}

export interface InboundInput {
  readonly phoneNumber: PhoneNumber;
  readonly person: Person;
  readonly messageId: string;
  readonly atMs: number;
  readonly type: string;
  /** The fields of that type, for instance `{ text: { body } }`. */
  readonly content: object;
  /** The message that this one answers. */
  readonly answers?: string;
}

/** A `messages` change: the person wrote or pressed a button. */
export function inboundUpdate(input: InboundInput): Update {
  const { phoneNumber, person, messageId } = input;
  const from = visiblePhone(person);
  const message = {
    ...(from === undefined ? {} : { from }),
    from_user_id: person.bsuid,
    ...(person.parentBsuid === undefined ? {} : { from_parent_user_id: person.parentBsuid }),
    id: messageId,
    timestamp: seconds(input.atMs),
    ...(input.answers === undefined ? {} : { context: { from: phoneNumber.displayPhoneNumber, id: input.answers } }),
    type: input.type,
    ...input.content,
  };
  return messagesUpdate(
    phoneNumber,
    { contacts: [contactOf(person, true)], messages: [message] },
    { field: 'messages', kind: 'message', messageId, what: input.type },
  );
}

/** A `user_preferences` change: the person stopped or resumed marketing in WhatsApp's own setting. */
export function preferenceUpdate(
  phoneNumber: PhoneNumber,
  person: Person,
  value: 'stop' | 'resume',
  atMs: number,
): Update {
  const waId = visiblePhone(person);
  const preference = {
    ...(waId === undefined ? {} : { wa_id: waId }),
    user_id: person.bsuid,
    ...(person.parentBsuid === undefined ? {} : { parent_user_id: person.parentBsuid }),
    detail: `User requested to ${value} marketing messages`,
    category: 'marketing_messages',
    value,
    timestamp: Math.floor(atMs / 1_000),
  };
  return {
    wabaId: phoneNumber.wabaId,
    change: {
      field: 'user_preferences',
      value: { ...metadataOf(phoneNumber), contacts: [contactOf(person, true)], user_preferences: [preference] },
    },
    summary: { field: 'user_preferences', kind: 'user_preferences', what: value },
  };
}

function messagesUpdate(phoneNumber: PhoneNumber, value: object, summary: UpdateSummary): Update {
  return {
    wabaId: phoneNumber.wabaId,
    change: { field: 'messages', value: { ...metadataOf(phoneNumber), ...value } },
    summary,
  };
}

function metadataOf(phoneNumber: PhoneNumber): object {
  return {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: phoneNumber.displayPhoneNumber, phone_number_id: phoneNumber.id },
  };
}

function contactOf(person: Person, withUsername: boolean): object {
  const waId = visiblePhone(person);
  const username = withUsername ? person.username : undefined;
  return {
    profile: { name: person.name, ...(username === undefined ? {} : { username }) },
    ...(waId === undefined ? {} : { wa_id: waId }),
    user_id: person.bsuid,
    ...(person.parentBsuid === undefined ? {} : { parent_user_id: person.parentBsuid }),
  };
}

const visiblePhone = (person: Person): string | undefined => (person.hidesPhone ? undefined : person.waId);
const seconds = (ms: number): string => String(Math.floor(ms / 1_000));
