import { createHash } from 'node:crypto';
import type { Recipient } from '@assent/identity';
import { isStopMessage } from '../control-messages/stop-words.ts';
import { optOutScopeOf } from './opt-out-payload.ts';

/** A message that a person wrote, as far as it can be a control message. */
export interface MessageUpdate {
  readonly kind: 'message';
  readonly senderId: string;
  readonly from: readonly Recipient[];
  readonly wamid: string;
  readonly messageType: string;
  /** Seconds of the epoch, as WhatsApp stamps; undefined when it can't be read. */
  readonly timestamp: number | undefined;
  readonly text?: string;
  readonly payload?: string;
}

export interface StatusUpdate {
  readonly kind: 'status';
  readonly senderId: string;
  readonly to: readonly Recipient[];
  readonly wamid: string;
  readonly status: string;
  readonly timestamp: number | undefined;
  readonly callbackData?: string;
  readonly errors: readonly { readonly code: number }[];
}

export interface PreferenceUpdate {
  readonly kind: 'preference';
  readonly senderId: string;
  readonly from: readonly Recipient[];
  readonly category: string;
  readonly value: string;
  readonly timestamp: number | undefined;
}

export interface AccountUpdate {
  readonly kind: 'account';
  readonly wabaId: string;
  readonly field: string;
  readonly event?: string;
  /** Seconds of the epoch at which WhatsApp sent the entry. */
  readonly sentAt: number | undefined;
}

/** Something we do not understand. It is kept, sealed, and its neighbours are not lost with it. */
export interface OddUpdate {
  readonly kind: 'odd';
  readonly senderId?: string;
  readonly reason: string;
  /** True when somebody withdraws in it, though it can't be told who. */
  readonly isWithdrawal?: boolean;
}

/** One update and the part of the body it came from. */
export type WebhookUpdate = (MessageUpdate | StatusUpdate | PreferenceUpdate | AccountUpdate | OddUpdate) & {
  readonly raw: unknown;
};

/**
 * Walks a webhook's body and gives each update on its own. Never throws and drops nothing: what does not fit is `odd`.
 * Fields are read by name only, so keys such as `__proto__` have no meaning here.
 */
export function updatesOf(body: unknown): WebhookUpdate[] {
  const entries = listOf(fieldsOf(body)['entry']);
  if (entries === undefined) return [{ kind: 'odd', reason: 'no-entry', raw: body }];
  const updates = entries.flatMap((entry) => {
    const { id, time, changes } = fieldsOf(entry);
    const list = listOf(changes);
    if (list === undefined) return [{ kind: 'odd' as const, reason: 'no-changes', raw: entry }];
    return list.flatMap((change) => updatesOfChange(change, { wabaId: textOf(id), sentAt: secondsOf(time) }));
  });
  return updates.length === 0 ? [{ kind: 'odd', reason: 'empty', raw: body }] : updates;
}

interface Entry {
  readonly wabaId: string | undefined;
  readonly sentAt: number | undefined;
}

function updatesOfChange(change: unknown, entry: Entry): WebhookUpdate[] {
  const { field, value } = fieldsOf(change);
  const parts = fieldsOf(value);
  const senderId = textOf(fieldsOf(parts['metadata'])['phone_number_id']);
  switch (field) {
    case 'messages':
      return messagesOf(change, parts, senderId);
    case 'user_preferences':
      return preferencesOf(change, parts, senderId);
    default:
      return [accountOf(change, field, parts, entry)];
  }
}

function messagesOf(change: unknown, parts: Record<string, unknown>, senderId: string | undefined): WebhookUpdate[] {
  const contacts = listOf(parts['contacts']) ?? [];
  const all = listOf(parts['messages']) ?? [];
  const messages = all.map((raw) => messageOf(raw, senderId, contactOf(raw, contacts, all.length)));
  const statuses = (listOf(parts['statuses']) ?? []).map((raw) => statusOf(raw, senderId));
  const updates = [...messages, ...statuses];
  if (updates.length > 0) return updates;
  const reason = listOf(parts['errors']) === undefined ? 'no-messages' : 'errors-only';
  return [{ kind: 'odd', ...(senderId === undefined ? {} : { senderId }), reason, raw: change }];
}

/**
 * The contact that a message is of: the one that shares an address with it, or, when the message names nobody, the only
 * contact of its only message. Anybody else's would make two people one.
 */
function contactOf(raw: unknown, contacts: readonly unknown[], messages: number): Record<string, unknown> {
  const { from, from_user_id: userId } = fieldsOf(raw);
  const [phone, bsuid] = [textOf(from), textOf(userId)];
  if (phone === undefined && bsuid === undefined) {
    return contacts.length === 1 && messages === 1 ? fieldsOf(contacts[0]) : {};
  }
  const same = contacts.map(fieldsOf).find(({ wa_id: waId, user_id: id }) => {
    const [contactPhone, contactBsuid] = [textOf(waId), textOf(id)];
    if (bsuid !== undefined && contactBsuid !== undefined) return bsuid === contactBsuid;
    return phone !== undefined && phone === contactPhone;
  });
  return same ?? {};
}

function messageOf(raw: unknown, senderId: string | undefined, contact: Record<string, unknown>): WebhookUpdate {
  const message = fieldsOf(raw);
  const wamid = textOf(message['id']);
  const from = peopleOf(message, contact);
  const reply = replyOf(message);
  const isWithdrawal = saysStop(reply);
  if (senderId === undefined || from.length === 0 || (wamid === undefined && !isWithdrawal)) {
    return odd('message-incomplete', raw, senderId, isWithdrawal);
  }
  const type = textOf(message['type'])?.toLowerCase() ?? '';
  return {
    kind: 'message',
    senderId,
    from,
    // A withdrawal gets in without an id, too; a repeat of the same bytes is then the same message.
    wamid: wamid ?? `none:${createHash('sha256').update(textOfRaw(raw)).digest('hex')}`,
    messageType: /^[a-z0-9_]{1,40}$/.test(type) ? type : 'unknown',
    timestamp: secondsOf(message['timestamp']),
    ...reply,
    raw,
  };
}

function odd(reason: string, raw: unknown, senderId: string | undefined, isWithdrawal: boolean): WebhookUpdate {
  return {
    kind: 'odd',
    ...(senderId === undefined ? {} : { senderId }),
    reason,
    ...(isWithdrawal ? { isWithdrawal } : {}),
    raw,
  };
}

/** Whatever else a message means: does the person withdraw in it? */
function saysStop({ text, payload }: Reply): boolean {
  return [text, payload].some(
    (said) => said !== undefined && (isStopMessage(said) || optOutScopeOf(said) !== undefined),
  );
}

/** Part of a body as text; what is nested too deeply for that is only counted as one. */
export function textOfRaw(raw: unknown): string {
  try {
    return JSON.stringify(raw ?? null).toWellFormed();
  } catch (error) {
    if (error instanceof RangeError) return '"nested too deeply"';
    throw error;
  }
}

interface Reply {
  readonly text?: string;
  readonly payload?: string;
}

const CAPTIONED = ['image', 'video', 'document'] as const;

/** What a person said: a text or caption, the label and payload of a button, the title and id of an interactive reply. */
function replyOf(message: Record<string, unknown>): Reply {
  const button = fieldsOf(message['button']);
  const interactive = fieldsOf(message['interactive']);
  const choice = { ...fieldsOf(interactive['list_reply']), ...fieldsOf(interactive['button_reply']) };
  const captions = CAPTIONED.map((type) => textOf(fieldsOf(message[type])['caption']));
  const written = [textOf(fieldsOf(message['text'])['body']), textOf(button['text']), textOf(choice['title'])];
  const text = [...written, ...captions].find((said) => said !== undefined);
  const payload = textOf(button['payload']) ?? textOf(choice['id']);
  return { ...(text === undefined ? {} : { text }), ...(payload === undefined ? {} : { payload }) };
}

function statusOf(raw: unknown, senderId: string | undefined): WebhookUpdate {
  const status = fieldsOf(raw);
  const wamid = textOf(status['id']);
  const name = textOf(status['status']);
  const callbackData = textOf(status['biz_opaque_callback_data']);
  const errors = (listOf(status['errors']) ?? []).flatMap((error) => {
    const code = Number(textOf(fieldsOf(error)['code']));
    return Number.isSafeInteger(code) ? [{ code }] : [];
  });
  if (senderId === undefined || wamid === undefined || name === undefined) {
    return odd('status-incomplete', raw, senderId, errors.some(isPlatformStop));
  }
  // In a group the recipient is the group, and the participant is the person.
  const phone = status['recipient_type'] === 'group' ? status['recipient_participant_id'] : status['recipient_id'];
  return {
    kind: 'status',
    senderId,
    to: people([phone], [status['recipient_user_id'], status['recipient_parent_user_id']]),
    wamid,
    status: name,
    timestamp: secondsOf(status['timestamp']),
    ...(callbackData === undefined ? {} : { callbackData }),
    errors,
    raw,
  };
}

/** The person stopped this business's marketing. Source: WhatsApp Cloud API error codes. */
const USER_STOPPED_MARKETING = 131050;

export function isPlatformStop({ code }: { readonly code: number }): boolean {
  return code === USER_STOPPED_MARKETING;
}

function preferencesOf(change: unknown, parts: Record<string, unknown>, senderId: string | undefined): WebhookUpdate[] {
  const list = listOf(parts['user_preferences']);
  if (list === undefined)
    return [{ kind: 'odd', ...(senderId === undefined ? {} : { senderId }), reason: 'no-preferences', raw: change }];
  return list.map((raw): WebhookUpdate => {
    const preference = fieldsOf(raw);
    const from = people([preference['wa_id']], [preference['user_id'], preference['parent_user_id']]);
    const value = textOf(preference['value'])?.toLowerCase();
    if (senderId === undefined || value === undefined || from.length === 0) {
      return odd('preference-incomplete', raw, senderId, value === 'stop');
    }
    const category = textOf(preference['category']) ?? '';
    return { kind: 'preference', senderId, from, category, value, timestamp: secondsOf(preference['timestamp']), raw };
  });
}

function accountOf(
  change: unknown,
  field: unknown,
  parts: Record<string, unknown>,
  { wabaId, sentAt }: Entry,
): WebhookUpdate {
  const name = textOf(field);
  if (name === undefined || !/^[a-z0-9_]{1,64}$/.test(name) || wabaId === undefined || !/^\d{1,20}$/.test(wabaId)) {
    return { kind: 'odd', reason: 'field-unknown', raw: change };
  }
  const event = textOf(parts['event']);
  const known = event !== undefined && /^[A-Za-z0-9_]{1,64}$/.test(event);
  return { kind: 'account', wabaId, field: name, ...(known ? { event } : {}), sentAt, raw: change };
}

/** The writer of a message: its own fields, completed by the one contact of the change (a phone may be left out). */
function peopleOf(message: Record<string, unknown>, contact: Record<string, unknown>): Recipient[] {
  return people(
    [message['from'], contact['wa_id']],
    [message['from_user_id'], contact['user_id'], message['from_parent_user_id'], contact['parent_user_id']],
  );
}

function people(waIds: readonly unknown[], bsuids: readonly unknown[]): Recipient[] {
  const unique = (values: readonly unknown[]): string[] => [...new Set(values.flatMap((value) => textOf(value) ?? []))];
  return [...unique(waIds).map((waId) => ({ waId })), ...unique(bsuids).map((bsuid) => ({ bsuid }))];
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined;
}

/** Ids and stamps come as strings or, in some fields, as numbers. A lone surrogate, which no event can hold, is replaced. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value !== '' ? value.toWellFormed() : undefined;
}

function secondsOf(value: unknown): number | undefined {
  const text = textOf(value);
  return text !== undefined && /^\d{1,11}$/.test(text) ? Number(text) : undefined;
}
