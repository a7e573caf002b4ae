import { dataSchemaOf, deterministicId, encodeEvent, messageIdOf, topicOf } from './index.ts';
import type {
  AnyEvent,
  AssentEvent,
  EventData,
  EventType,
  GateInputs,
  LogRecord,
  NewRecord,
  Position,
  Reason,
} from './index.ts';

export const exampleSubjectId = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';
export const exampleAddressKey = `p1.${'A'.repeat(42)}Q`;
export const exampleSealed = `v1.${'B'.repeat(16)}.${'C'.repeat(40)}`;
export const exampleInstant = '2026-11-24T09:30:00.000Z';
const senderId = '100000000000001';
const exampleJwe = `eyJhbGciOiJSU0EtT0FFUC0yNTYifQ.${'D'.repeat(342)}.${'E'.repeat(16)}.${'F'.repeat(20)}.${'G'.repeat(22)}`;
const template = { name: 'order_update', language: 'en' };
const reason: Reason = { code: 'quiet-hours', text: 'It is night where the person may be.', ref: 'every-day@1' };
const id = (name: string) => deterministicId('example', name);
const dispatchId = id('dispatch');
const attemptId = id('attempt');
const requestId = id('request');
const messageId = messageIdOf('wamid.example');
const subjectId = exampleSubjectId;
const addressKey = exampleAddressKey;
const gate: GateInputs = {
  positions: { 'consent.events/3': 1235, 'dispatch.policy/0': 7 },
  consentPosition: 'consent.events/3@1234',
  noticeId: 'newsletter-notice',
  noticeVersion: 1,
  ruleSet: 'every-day@1',
  phoneMetadata: '1.13.16',
  tzdb: '2025b',
  holidays: 'date-holidays-3.37.0',
  zones: ['America/New_York', 'America/Chicago'],
  regions: ['US-NY'],
  verdict: 'allow',
  shadow: {
    ruleSet: 'every-day@2',
    verdict: 'hold',
    until: '2026-11-24T15:00:00.000Z',
    code: 'outside-send-window',
    ref: 'every-day@2#own-hours',
  },
  decidedAt: exampleInstant,
};

/** Data of one valid event of each type. */
export const exampleData: { readonly [T in EventType]: EventData[T] } = {
  'subject.address-registered.v1': { subjectId, addressKey, kind: 'phone', sealedAddress: exampleSealed },
  'consent.requested.v1': {
    subjectId,
    requestId,
    addressKey,
    purposeIds: ['newsletter'],
    category: 'marketing',
    capturePointId: 'web-footer',
    noticeId: 'newsletter-notice',
    noticeVersion: 1,
    language: 'en',
    method: 'form',
    selfStarted: false,
    senderId,
    requestedAt: exampleInstant,
    expiresAt: '2026-12-01T09:30:00.000Z',
    timeZone: 'America/New_York',
    confirmationTemplate: { name: 'confirm_opt_in', language: 'en' },
    sealedConfirmation: exampleSealed,
    sealedEvidence: exampleSealed,
  },
  'consent.granted.v1': {
    subjectId,
    grantId: id('grant'),
    purposeIds: ['newsletter'],
    basis: 'confirmed',
    requestId,
    requestedAt: exampleInstant,
    grantedAt: '2026-11-24T09:31:00.000Z',
    noticeId: 'newsletter-notice',
    noticeVersion: 1,
    method: 'form',
    confirmedBy: { kind: 'message', messageId },
    senderId,
    sealedEvidence: exampleSealed,
  },
  'consent.withdrawn.v1': {
    subjectId,
    withdrawalId: id('withdrawal'),
    scope: { kind: 'all' },
    lane: 'person',
    method: 'keyword',
    occurredAt: exampleInstant,
    effectiveAt: '2026-11-24T09:30:06.000Z',
    senderId,
    messageId,
    receiptDue: true,
    sealedEvidence: exampleSealed,
  },
  'consent.resumed.v1': {
    subjectId,
    lane: 'platform',
    scope: { kind: 'category', id: 'marketing' },
    occurredAt: exampleInstant,
    senderId,
  },
  'preferences.changed.v1': {
    subjectId,
    timeZone: 'Europe/London',
    language: 'en_GB',
    region: 'GB',
    quietHours: { from: '21:30', to: '09:00' },
    frequency: { attemptsMax: 2, windowHours: 168 },
    cleared: ['region'],
  },
  'consent.withdrawal-quarantined.v1': {
    senderId: '100000000000009',
    receivedAt: exampleInstant,
    reason: 'unknown-sender',
    sealedUpdate: exampleSealed,
  },
  'purpose.published.v1': {
    purposeId: 'newsletter',
    name: 'Newsletter',
    description: 'News about our products, at most once a week.',
    category: 'marketing',
  },
  'notice.published.v1': {
    noticeId: 'newsletter-notice',
    version: 1,
    purposeIds: ['newsletter'],
    controllerName: 'Acme',
    texts: {
      en: {
        title: 'News by WhatsApp',
        body: 'Acme writes to you.',
        checkbox: 'Yes, please.',
        optOutHint: 'Write STOP.',
      },
    },
  },
  'capture-point.published.v1': {
    capturePointId: 'web-footer',
    publicCode: 'acme.web-footer',
    methods: ['form', 'keyword'],
    noticeId: 'newsletter-notice',
    purposeIds: ['newsletter'],
    senderId,
    keyword: 'NEWS',
    language: 'en',
    confirmationTemplate: { name: 'confirm_opt_in', language: 'en' },
  },
  'whatsapp.message-received.v1': {
    senderId,
    addressKey,
    subjectId,
    messageId,
    messageType: 'text',
    control: 'stop',
    sentAt: exampleInstant,
  },
  'whatsapp.status-received.v1': {
    senderId,
    addressKey,
    messageId,
    status: 'failed',
    statusAt: exampleInstant,
    attemptId,
    dispatchId,
    subjectId,
    errors: [{ code: 131026, title: 'Message undeliverable' }],
  },
  'whatsapp.account-updated.v1': {
    wabaId: '300000000000001',
    field: 'account_update',
    event: 'DISABLED_UPDATE',
    receivedAt: exampleInstant,
  },
  'whatsapp.update-quarantined.v1': {
    senderId,
    receivedAt: exampleInstant,
    reason: 'unknown-field',
    sealedUpdate: exampleSealed,
  },
  'suppression.cause-added.v1': {
    addressKey,
    causeId: id('cause'),
    kind: 'manual',
    scope: { kind: 'channel', id: 'whatsapp' },
    reason: 'asked-by-phone',
    actor: 'local-operator',
    since: exampleInstant,
  },
  'suppression.cause-lifted.v1': {
    addressKey,
    causeIds: [id('cause')],
    reason: 'added-by-mistake',
    actor: 'local-operator',
  },
  'dispatch.requested.v1': {
    requestId,
    sealedRecipient: exampleJwe,
    purposeId: 'newsletter',
    senderId,
    template,
    schedule: { kind: 'local', date: '2026-11-25', time: '09:00' },
    expiresAt: '2026-11-26T00:00:00+01:00',
  },
  'dispatch.accepted.v1': {
    dispatchId,
    class: 'message',
    cause: { kind: 'request', id: requestId, position: 'dispatch.requests/2@17' },
    subjectId,
    addressKey,
    purposeId: 'newsletter',
    category: 'marketing',
    senderId,
    template,
    sealedParameters: exampleSealed,
    schedule: { kind: 'now' },
    expiresAt: '2026-11-26T00:00:00.000Z',
    requestedBy: 'local-sender',
    requestId,
    sealedConfirmation: exampleSealed,
  },
  'dispatch.refused.v1': {
    dispatchId,
    class: 'message',
    subjectId,
    addressKey,
    purposeId: 'newsletter',
    requestId,
    reasons: [{ code: 'withdrawn', text: 'The person withdrew.', ref: 'consent.events/3@1234' }],
    gate: { ...gate, verdict: 'refuse' },
  },
  'dispatch.planned.v1': {
    dispatchId,
    subjectId,
    dueAt: '2026-11-24T13:00:00.000Z',
    reasons: [reason],
    gate: { ...gate, verdict: 'hold' },
  },
  'dispatch.held.v1': {
    dispatchId,
    subjectId,
    reasons: [reason],
    retryAt: '2026-11-24T13:00:00.000Z',
    gate: { ...gate, verdict: 'hold' },
  },
  'dispatch.cancelled.v1': {
    dispatchId,
    subjectId,
    reason: { code: 'withdrawn', text: 'The person withdrew.' },
    cause: { kind: 'withdrawal', id: id('withdrawal'), position: 'consent.events/3@1234' },
  },
  'dispatch.attempt-intended.v1': {
    dispatchId,
    attemptId,
    subjectId,
    addressKey,
    class: 'message',
    cause: { kind: 'request', id: requestId },
    purposeId: 'newsletter',
    category: 'marketing',
    senderId,
    fence: 4,
    decidedAt: exampleInstant,
    gate,
  },
  'dispatch.attempt-abandoned.v1': {
    dispatchId,
    attemptId,
    subjectId,
    reason: { code: 'gate-expired', text: 'The decision was too old to act on.' },
  },
  'dispatch.attempt-sent.v1': {
    dispatchId,
    attemptId,
    subjectId,
    messageId,
    messageStatus: 'accepted',
    checkToCallMs: 12.5,
    purposeId: 'newsletter',
  },
  'dispatch.attempt-failed.v1': {
    dispatchId,
    attemptId,
    subjectId,
    httpStatus: 400,
    errorCode: 131050,
    errorClass: 'person-stopped-marketing',
    retryable: false,
  },
  'dispatch.attempt-unknown.v1': {
    dispatchId,
    attemptId,
    subjectId,
    reason: { code: 'reply-lost', text: 'The connection ended before a reply.' },
  },
  'dispatch.status-recorded.v1': {
    dispatchId,
    attemptId,
    subjectId,
    status: 'failed',
    statusAt: exampleInstant,
    errorCode: 131026,
  },
  'dispatch.request-refused.v1': {
    requestId,
    reasons: [{ code: 'schema-violation', text: 'The request lacks its template.' }],
    requestPosition: 'dispatch.requests/2@17',
  },
  'sender.registered.v1': {
    senderId,
    portfolioId: '200000000000001',
    displayName: 'Acme',
    ratePerSecond: 80,
    businessNumber: '15550100',
    receiptTemplate: { name: 'stop_receipt', language: 'en' },
  },
  'template.registered.v1': {
    ...template,
    category: 'utility',
    body: 'Your order {{1}} is on its way.',
    bodyParameters: 1,
    buttons: [{ kind: 'quick-reply', text: 'Stop' }],
  },
  'rule-set.published.v1': {
    ruleSetId: 'every-day',
    version: 1,
    rules: { base: 'assent@1', rules: [] },
    effectiveFrom: exampleInstant,
    publishedBy: 'local-admin',
    shadow: true,
    secondPerson: true,
  },
  'rule-set.signed-off.v1': {
    ruleSetId: 'every-day',
    version: 1,
    signedOffBy: 'local-operator',
    note: 'Compared with the memo of counsel.',
  },
  'rule-set.activated.v1': {
    ruleSetId: 'every-day',
    version: 1,
    effectiveFrom: exampleInstant,
    activatedBy: 'local-admin',
  },
  'blackout.declared.v1': {
    blackoutId: id('blackout'),
    jurisdictions: ['US-FL'],
    from: exampleInstant,
    until: '2026-11-27T00:00:00.000Z',
    categories: ['marketing'],
    reason: 'State of emergency: hurricane',
    declaredBy: 'local-operator',
  },
  'blackout.ended.v1': { blackoutId: id('blackout'), endedBy: 'local-operator' },
  'holiday.declared.v1': {
    jurisdiction: 'AE',
    date: '2027-03-10',
    holiday: true,
    name: 'Eid al-Fitr, as sighted',
    declaredBy: 'local-operator',
  },
  'audit.checkpoint-signed.v1': {
    origin: 'assent.example/logs',
    signedAt: exampleInstant,
    note: 'assent.example/logs\n8\nAAAA\n',
    logs: { 'consent.events/3': { size: 1235, root: `${'A'.repeat(43)}=` } },
  },
};

const exampleKeys: Partial<Record<EventType, string>> = {
  'consent.withdrawal-quarantined.v1': 'sender:100000000000009',
  'purpose.published.v1': 'newsletter',
  'notice.published.v1': 'newsletter-notice',
  'capture-point.published.v1': 'web-footer',
  'whatsapp.message-received.v1': addressKey,
  'whatsapp.status-received.v1': addressKey,
  'whatsapp.account-updated.v1': '300000000000001',
  'whatsapp.update-quarantined.v1': `sender:${senderId}`,
  'suppression.cause-added.v1': addressKey,
  'suppression.cause-lifted.v1': addressKey,
  'dispatch.requested.v1': requestId,
  'dispatch.request-refused.v1': requestId,
  'sender.registered.v1': senderId,
  'template.registered.v1': template.name,
  'rule-set.published.v1': 'every-day',
  'rule-set.signed-off.v1': 'every-day',
  'rule-set.activated.v1': 'every-day',
  'blackout.declared.v1': 'blackouts',
  'blackout.ended.v1': 'blackouts',
  'holiday.declared.v1': 'holidays',
  'audit.checkpoint-signed.v1': 'assent.example/logs',
};

/** A valid event of a type; `changes` replaces attributes or data. */
export function exampleEvent<T extends EventType>(type: T, changes: Partial<AssentEvent<T>> = {}): AssentEvent<T> {
  return {
    id: id(type),
    source: 'https://assent.example/consent',
    type,
    time: exampleInstant,
    tenant: 'acme',
    partitionKey: exampleKeys[type] ?? subjectId,
    dataSchema: dataSchemaOf(type),
    causationId: id('cause'),
    correlationId: id('story'),
    traceParent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    data: exampleData[type],
    ...changes,
  };
}

/** One valid event of each type. */
export const exampleEvents: readonly AnyEvent[] = (Object.keys(exampleData) as EventType[]).map(
  (type) => exampleEvent(type) as AnyEvent,
);

/** The record as the log would hold it at a position. */
export function recordAt(record: NewRecord, at: Omit<Position, 'topic'>, timestampMs: number): LogRecord {
  const { topic, headers, value } = record;
  return { topic, ...at, timestampMs, key: new TextEncoder().encode(record.key), headers, value };
}

/** The record of an example event, at partition 3 and offset 1234, recorded a second after it happened. */
export function exampleRecord(event: AnyEvent): LogRecord {
  const record = encodeEvent(topicOf(event.type), event);
  return recordAt(record, { partition: 3, offset: 1234 }, Date.parse(exampleInstant) + 1000);
}
