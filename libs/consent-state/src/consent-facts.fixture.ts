import type { EventData, RecordedEvent, Scope } from '@assent/contracts';

/** Epoch of the fixtures: every `at` below is in milliseconds after it. */
const EPOCH_MS = Date.parse('2026-11-21T12:00:00.000Z');

export function instant(atMs: number): string {
  return new Date(EPOCH_MS + atMs).toISOString();
}

interface Placed {
  readonly offset?: number;
  readonly recordedAtMs?: number;
}

const QUESTION_SENDER = '100000000000001';

/** A contact for a marketing purpose over the fixtures' sender. */
export function contactFor(purposeId: string, category = 'marketing', senderId = QUESTION_SENDER) {
  return { purposeId, category, channel: 'whatsapp', senderId } as const;
}

export function consentGranted(o: {
  at: number;
  purposeIds?: string[];
  basis?: EventData['consent.granted.v1']['basis'];
  grantedAt?: number;
  grantId?: string;
  requestId?: string;
  placed?: Placed;
}): RecordedEvent {
  const grantId = o.grantId ?? `grant-${o.basis ?? 'confirmed'}-${String(o.at)}`;
  return {
    ...envelope(grantId, o.grantedAt ?? o.at, o.placed),
    type: 'consent.granted.v1',
    data: {
      subjectId: 'subject-1',
      grantId,
      purposeIds: o.purposeIds ?? ['news'],
      basis: o.basis ?? 'confirmed',
      ...(o.requestId === undefined ? {} : { requestId: o.requestId }),
      requestedAt: instant(o.at),
      grantedAt: instant(o.grantedAt ?? o.at),
      noticeId: 'news-notice',
      noticeVersion: 3,
      method: 'form',
    },
  };
}

export function consentWithdrawn(o: {
  effectiveAt: number;
  scope?: Scope;
  lane?: 'person' | 'platform';
  senderId?: string;
  withdrawalId?: string;
  placed?: Placed;
}): RecordedEvent {
  const withdrawalId = o.withdrawalId ?? `withdrawal-${String(o.effectiveAt)}`;
  return {
    ...envelope(withdrawalId, o.effectiveAt, o.placed),
    type: 'consent.withdrawn.v1',
    data: {
      subjectId: 'subject-1',
      withdrawalId,
      scope: o.scope ?? { kind: 'all' },
      lane: o.lane ?? 'person',
      method: 'keyword',
      occurredAt: instant(o.effectiveAt - 6_000),
      effectiveAt: instant(o.effectiveAt),
      receiptDue: true,
      ...(o.senderId === undefined ? {} : { senderId: o.senderId }),
    },
  };
}

export function consentResumed(o: { at: number; scope?: Scope; senderId?: string; placed?: Placed }): RecordedEvent {
  return {
    ...envelope(`resumption-${String(o.at)}`, o.at, o.placed),
    type: 'consent.resumed.v1',
    data: {
      subjectId: 'subject-1',
      lane: 'platform',
      scope: o.scope ?? { kind: 'all' },
      occurredAt: instant(o.at),
      ...(o.senderId === undefined ? {} : { senderId: o.senderId }),
    },
  };
}

function envelope(id: string, atMs: number, placed: Placed = {}) {
  return {
    id,
    source: '/assent/consent',
    time: instant(atMs),
    tenant: 'acme',
    partitionKey: 'subject-1',
    dataSchema: 'urn:assent:fixture',
    position: { topic: 'consent.events', partition: 0, offset: placed.offset ?? 0 },
    recordedAt: instant(placed.recordedAtMs ?? atMs),
  };
}
