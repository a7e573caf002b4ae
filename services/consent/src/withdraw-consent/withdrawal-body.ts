import type { Scope } from '@assent/contracts';
import type { Recipient } from '@assent/identity';
import { RFC_3339 } from '../consent-events/occurred-at.ts';
import { invalidRecipient } from '../recipient/recipient.dto.ts';

/** Longest text taken as an address; longer ones are cut, not refused. */
const ADDRESS_CHARS_MAX = 160;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A withdrawal as a caller sent it, read as far as it can be read. */
export interface WithdrawalBody {
  readonly recipient: Recipient;
  readonly scope: Scope;
  readonly occurredAt: number | undefined;
  readonly receipt: boolean;
  readonly senderId?: string;
  readonly reason?: string;
}

/**
 * Reads a withdrawal. Only one thing can be missing: whom it is for (400 `invalid-recipient`). Everything else that is
 * unknown or odd is read on the person's side (I6): a scope that is not understood covers everything, a time that is not
 * understood is now, unknown fields are kept as evidence by the caller of this.
 */
export function readWithdrawalBody(body: unknown): WithdrawalBody {
  const { recipient, scope, occurredAt, receipt, senderId, reason } = fieldsOf(body);
  // Only what says one instant: Date.parse alone would read "7" as a July long ago, before every grant.
  const time = typeof occurredAt === 'string' && RFC_3339.test(occurredAt) ? Date.parse(occurredAt) : Number.NaN;
  return {
    recipient: recipientIn(recipient),
    scope: scopeIn(scope),
    occurredAt: Number.isNaN(time) ? undefined : time,
    receipt: receipt === true,
    ...(typeof senderId === 'string' && /^\d{1,32}$/.test(senderId) ? { senderId } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
  };
}

function recipientIn(value: unknown): Recipient {
  const { phone, waId, bsuid, subjectId } = fieldsOf(value);
  const text = (field: unknown): string | undefined => {
    if (typeof field === 'number') return String(field);
    return typeof field === 'string' && field.trim() !== '' ? field.slice(0, ADDRESS_CHARS_MAX) : undefined;
  };
  if (typeof subjectId === 'string' && UUID.test(subjectId)) return { subjectId: subjectId.toLowerCase() };
  const dialled = text(phone);
  if (dialled !== undefined) return { phone: dialled };
  const id = text(waId);
  if (id !== undefined) return { waId: id };
  const scoped = text(bsuid);
  if (scoped !== undefined) return { bsuid: scoped };
  throw invalidRecipient();
}

const CATEGORIES = ['marketing', 'utility', 'authentication', 'service'] as const;

function scopeIn(value: unknown): Scope {
  const { kind, id } = fieldsOf(value);
  const category = CATEGORIES.find((known) => known === id);
  if (kind === 'channel' && id === 'whatsapp') return { kind, id };
  if (kind === 'category' && category !== undefined) return { kind, id: category };
  if (kind === 'purpose' && typeof id === 'string' && /^[a-z0-9][a-z0-9-]{0,47}$/.test(id)) return { kind, id };
  if (kind === 'sender' && typeof id === 'string' && /^\d{1,32}$/.test(id)) return { kind, id };
  return { kind: 'all' };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
