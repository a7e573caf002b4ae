import type { AnyEvent, EventData, EventType, NewRecord } from '@assent/contracts';
import { dataSchemaOf, deterministicId, encodeEvent } from '@assent/contracts';

/** Events of one person: registered, asked, granted, and preferences changed. */
const EVENTS_PER_PERSON = 4;
const AT = '2026-11-24T09:30:00.000Z';
const LATER = '2026-11-24T09:31:00.000Z';
const SEALED = `v1.${'B'.repeat(16)}.${'C'.repeat(160)}`;

/** Records `from` to about `to` of a consent stream, person after person, as consent would append them. */
export function* consentRecords(from: number, to: number): Generator<NewRecord> {
  for (let person = Math.ceil(from / EVENTS_PER_PERSON); person * EVENTS_PER_PERSON < to; person += 1) {
    for (const event of lifeOf(person)) yield encodeEvent('consent.events', event);
  }
}

function lifeOf(person: number): AnyEvent[] {
  const id = (name: string): string => deterministicId('bench', name, String(person));
  const subjectId = id('subject');
  const addressKey = `p1.${Buffer.from(id('address')).toString('base64url').slice(0, 42)}Q`;
  const notice = { noticeId: 'newsletter-notice', noticeVersion: 1 };
  const senderId = '100000000000001';
  const purposeIds = ['newsletter'];
  const event = <T extends EventType>(type: T, data: EventData[T]): AnyEvent =>
    ({
      id: deterministicId('bench', type, subjectId),
      source: '/consent',
      type,
      time: AT,
      tenant: 'acme',
      partitionKey: subjectId,
      dataSchema: dataSchemaOf(type),
      data,
    }) as unknown as AnyEvent;
  return [
    event('subject.address-registered.v1', { subjectId, addressKey, kind: 'phone', sealedAddress: SEALED }),
    event('consent.requested.v1', {
      ...notice,
      subjectId,
      requestId: id('request'),
      addressKey,
      purposeIds,
      category: 'marketing',
      capturePointId: 'web-footer',
      language: 'en',
      method: 'form',
      selfStarted: false,
      senderId,
      requestedAt: AT,
      expiresAt: '2026-12-01T09:30:00.000Z',
      confirmationTemplate: { name: 'confirm_opt_in', language: 'en' },
      sealedConfirmation: SEALED,
      sealedEvidence: SEALED,
    }),
    event('consent.granted.v1', {
      ...notice,
      subjectId,
      grantId: id('grant'),
      purposeIds,
      basis: 'confirmed',
      requestId: id('request'),
      requestedAt: AT,
      grantedAt: LATER,
      method: 'form',
      confirmedBy: { kind: 'message', messageId: id('message') },
      senderId,
      sealedEvidence: SEALED,
    }),
    event('preferences.changed.v1', { subjectId, timeZone: 'America/New_York', language: 'en' }),
  ];
}
