import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataSchemaOf, encodeEvent, messageIdOf, type RecordedEvent } from '@assent/contracts';
import type { RecordBatch } from '@assent/event-log';
import {
  findPlanted,
  startTestService,
  startTestStack,
  type TestAnswer,
  type TestService,
  type TestStack,
  waitUntil,
} from '@assent/testing';
import type { Connection } from 'mongoose';
import type { AddressDirectory } from './address-directory/address-directory.ts';
import { ConsentConfig } from './config.ts';
import { ConsentModule } from './consent.module.ts';
import { FollowProviderStops } from './follow-provider-stops/follow-provider-stops.ts';

const SENDER = '100000000000001';
const metadata = { display_phone_number: '15550009999', phone_number_id: SENDER };
const keys = mkdtempSync(join(tmpdir(), 'assent-keys-'));

let stack: TestStack;
let service: TestService;

beforeAll(async () => {
  stack = await startTestStack();
  service = await startTestService({
    stack,
    name: 'consent',
    configClass: ConsentConfig,
    module: ConsentModule,
    env: { ASSENT_KEK_FILE: join(keys, 'kek') },
  });
  await registerSender();
  await publishCatalogue();
}, 120_000);

afterAll(async () => {
  await service.stop();
  await stack.stop();
  rmSync(keys, { recursive: true, force: true });
}, 60_000);

async function registerSender(senderId = SENDER, id = '11111111-1111-4111-8111-111111111111'): Promise<void> {
  await stack.log.append([
    encodeEvent('dispatch.policy', {
      id,
      source: '/dispatch',
      type: 'sender.registered.v1',
      time: '2026-11-24T09:00:00.000Z',
      tenant: 'acme',
      partitionKey: senderId,
      dataSchema: dataSchemaOf('sender.registered.v1'),
      data: {
        senderId,
        portfolioId: '200000000000001',
        displayName: 'Acme',
        businessNumber: '15550009999',
        ratePerSecond: 80,
        receiptTemplate: { name: 'stop_receipt', language: 'en' },
      },
    }),
  ]);
}

async function publishCatalogue(): Promise<void> {
  const admin = { role: 'admin' as const };
  const purpose = { purposeId: 'news', name: 'News', description: 'News about tea', category: 'marketing' };
  expect((await service.request('POST', '/v1/purposes', { ...admin, body: purpose })).status).toBe(201);
  const text = {
    language: 'en',
    title: 'Tea <news>',
    body: 'Once a week.',
    checkbox: 'I agree',
    optOutHint: 'Answer STOP',
  };
  const notice = { noticeId: 'news', version: 1, purposeIds: ['news'], controllerName: 'Acme', texts: [text] };
  expect((await service.request('POST', '/v1/notices', { ...admin, body: notice })).status).toBe(201);
  await service.caughtUp();
  const point = {
    capturePointId: 'web',
    methods: ['form', 'button', 'qr', 'keyword', 'api'],
    noticeId: 'news',
    senderId: SENDER,
    keyword: 'JOIN',
    language: 'en',
    confirmationTemplate: { name: 'confirm', language: 'en' },
  };
  const answer = await service.request('POST', '/v1/capture-points', { ...admin, body: point });
  expect(answer).toMatchObject({ status: 201, body: { publicCode: 'acme.web', buttonPayload: 'OPTIN|acme.web' } });
  await service.caughtUp();
}

const change = (value: object, field = 'messages'): object => ({
  object: 'whatsapp_business_account',
  entry: [
    { id: '300000000000001', changes: [{ field, value: { messaging_product: 'whatsapp', metadata, ...value } }] },
  ],
});
const now = (): string => String(Math.floor(Date.now() / 1_000));
const text = (id: string, from: string, body: string): object => ({
  from,
  id,
  timestamp: now(),
  type: 'text',
  text: { body },
});

function post(body: object | string, secret = 'local-app-secret'): Promise<TestAnswer> {
  const rawBody = typeof body === 'string' ? body : JSON.stringify(body);
  const signature = `sha256=${createHmac('sha256', secret).update(rawBody).digest('hex')}`;
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
  return service.request('POST', '/webhooks/whatsapp', { rawBody, headers });
}

async function eventsOf<T extends RecordedEvent['type']>(type: T): Promise<Extract<RecordedEvent, { type: T }>[]> {
  const topic = type.startsWith('whatsapp.') ? 'whatsapp.inbound' : 'consent.events';
  return (await stack.events(topic)).filter(
    (event): event is Extract<RecordedEvent, { type: T }> => event.type === type,
  );
}

/** WhatsApp sends a POST again until it is taken. */
async function retried(body: object): Promise<void> {
  await waitUntil('the POST is taken', async () => (await post(body)).status === 200, { timeoutMs: 40_000 });
}

async function subjectOf(phone: string): Promise<string> {
  await service.caughtUp();
  const answer = await service.request('POST', '/v1/consents/search', {
    role: 'operator',
    body: { recipient: { phone } },
  });
  const [person] = (answer.body as { people: { subjectId: string }[] }).people;
  return person?.subjectId ?? '';
}

describe('the webhook', () => {
  it('answers the handshake only to the right token', async () => {
    const query = (token: string): string =>
      `/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=42&hub.verify_token=${token}`;
    expect(await service.request('GET', query('local-verify-token'))).toMatchObject({ status: 200, body: '42' });
    expect((await service.request('GET', query('wrong'))).status).toBe(403);
  });

  it('refuses a wrong signature and stores nothing', async () => {
    const before = await stack.records('consent.events');
    const answer = await post(change({ messages: [text('wamid.forged', '12125550190', 'STOP')] }), 'another-secret');
    expect(answer).toMatchObject({ status: 401, body: { code: 'bad-signature' } });
    expect(JSON.stringify(answer.body)).not.toContain('at ');
    expect(await stack.records('consent.events')).toHaveLength(before.length);
  });

  it('has every STOP of a POST in the log before it answers, also for unknown people and odd numbers', async () => {
    const messages = [
      text('wamid.stop.1', '12125550191', 'STOP'),
      text('wamid.stop.2', '0', 'stop.'),
      {
        id: 'wamid.stop.3',
        timestamp: now(),
        type: 'text',
        text: { body: 'ARRÊT' },
        from_user_id: 'US.13491208655302741918',
      },
      {
        from: '12125550192',
        id: 'wamid.stop.4',
        timestamp: now(),
        type: 'button',
        button: { payload: 'OPTOUT', text: 'x' },
      },
      { odd: true },
    ];
    expect(await post(change({ messages }))).toMatchObject({ status: 200, body: { received: 5 } });
    const withdrawn = await eventsOf('consent.withdrawn.v1');
    for (const id of [1, 2, 3, 4]) {
      expect(withdrawn.map(({ data }) => data.messageId)).toContain(messageIdOf(`wamid.stop.${id}`));
    }
    expect(await eventsOf('whatsapp.update-quarantined.v1')).toHaveLength(1);
  });

  it('takes a repeated POST for the same facts', async () => {
    const body = change({ messages: [text('wamid.repeat', '12125550193', 'STOP')] });
    await post(body);
    await post(body);
    const withdrawn = (await eventsOf('consent.withdrawn.v1')).filter(
      ({ data }) => data.messageId === messageIdOf('wamid.repeat'),
    );
    expect(new Set(withdrawn.map(({ id }) => id)).size).toBe(1);
    expect(new Set(withdrawn.map(({ data }) => data.subjectId)).size).toBe(1);
  });

  it('keeps a STOP for a sender that nobody registered', async () => {
    const foreign = JSON.parse(
      JSON.stringify(change({ messages: [text('wamid.foreign', '12125550194', 'STOP')] })).replace(
        SENDER,
        '999999999999999',
      ),
    ) as object;
    expect((await post(foreign)).status).toBe(200);
    const [quarantined] = await eventsOf('consent.withdrawal-quarantined.v1');
    expect(quarantined).toMatchObject({ partitionKey: 'sender:999999999999999', data: { reason: 'unknown-sender' } });
  });

  it.each<[string, string]>([
    ['JSON that is malformed', '{"entry":['],
    ['a body of another shape', '[]'],
    ['a forbidden key', '{"__proto__":{"x":1},"entry":[{"__proto__":1}]}'],
    ['deep nesting', `{"entry":${'['.repeat(500)}${']'.repeat(500)}}`],
    [
      'a lone surrogate',
      '{"entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"100000000000001"},"messages":[{"id":"wamid.s","from":"\\ud800","type":"text","text":{"body":"\\ud800"}}]}}]}]}',
    ],
  ])('keeps %s in quarantine and answers 200', async (_, body) => {
    expect((await post(body)).status).toBe(200);
  });

  it('maps preferences to the lane of the platform', async () => {
    const preference = {
      wa_id: '12125550195',
      category: 'marketing_messages',
      value: 'stop',
      timestamp: Number(now()),
    };
    await post(change({ user_preferences: [preference] }, 'user_preferences'));
    const withdrawn = (await eventsOf('consent.withdrawn.v1')).find(({ data }) => data.method === 'user-preferences');
    expect(withdrawn?.data).toMatchObject({
      lane: 'platform',
      scope: { kind: 'category', id: 'marketing' },
      receiptDue: false,
    });
  });

  it('takes error 131050 of a status for a stop', async () => {
    const status = {
      id: 'wamid.sent',
      status: 'failed',
      timestamp: now(),
      recipient_id: '12125550196',
      errors: [{ code: 131_050 }],
    };
    await post(change({ statuses: [status] }));
    const withdrawn = (await eventsOf('consent.withdrawn.v1')).find(({ data }) => data.method === 'provider-error');
    expect(withdrawn?.data.lane).toBe('platform');
  });
});

describe('a withdrawal in a webhook', () => {
  const subjectOfMessage = async (wamid: string): Promise<string | undefined> =>
    (await eventsOf('consent.withdrawn.v1')).find(({ data }) => data.messageId === messageIdOf(wamid))?.data.subjectId;

  it('by a business-scoped id alone reaches the person whose phone was told with it before', async () => {
    const both = { recipient_id: '12125550131', recipient_user_id: 'US.131' };
    await post(change({ messages: [text('wamid.id.1', '12125550131', 'JOIN')] }));
    await post(change({ statuses: [{ id: 'wamid.id.2', status: 'sent', timestamp: now(), ...both }] }));
    const withheld = {
      id: 'wamid.id.3',
      timestamp: now(),
      type: 'text',
      text: { body: 'STOP' },
      from_user_id: 'US.131',
    };
    expect((await post(change({ messages: [withheld] }))).status).toBe(200);
    expect(await subjectOfMessage('wamid.id.3')).toBe(await subjectOf('+12125550131'));
  });

  it('by error 131050 reaches the person of the message, whoever the status names', async () => {
    await post(change({ messages: [text('wamid.cb.1', '12125550132', 'JOIN')] }));
    const subjectId = await subjectOf('+12125550132');
    const callback = `11111111-1111-4111-8111-111111111111.22222222-2222-4222-8222-222222222222.${subjectId}`;
    const failed = {
      status: 'failed',
      timestamp: now(),
      errors: [{ code: 131_050 }],
      biz_opaque_callback_data: callback,
    };
    const statuses = [
      { id: 'wamid.cb.2', ...failed },
      { id: 'wamid.cb.3', ...failed, recipient_user_id: 'US.132' },
    ];
    expect((await post(change({ statuses }))).status).toBe(200);
    expect([await subjectOfMessage('wamid.cb.2'), await subjectOfMessage('wamid.cb.3')]).toEqual([
      subjectId,
      subjectId,
    ]);
  });

  it.each([
    ['stamped 0', { timestamp: '0' }],
    ['stamped in milliseconds', { timestamp: '1764000000000' }],
    ['stamped far in the future', { timestamp: '99999999999' }],
    ['without a stamp', { timestamp: undefined }],
  ])('%s is in force from now on', async (name, stamp) => {
    const wamid = `wamid.odd.${name}`;
    const before = Date.now();
    await post(change({ messages: [{ ...text(wamid, '12125550133', 'STOP'), ...stamp }] }));
    const withdrawn = (await eventsOf('consent.withdrawn.v1')).find(
      ({ data }) => data.messageId === messageIdOf(wamid),
    );
    expect(Date.parse(withdrawn?.data.effectiveAt ?? '')).toBeGreaterThan(before);
  });

  it('of which it can not be told who withdraws is kept for ever and holds the sender', async () => {
    const anonymous = { id: 'wamid.anonymous', timestamp: now(), type: 'text', text: { body: 'STOP' } };
    expect((await post(change({ messages: [anonymous] }))).status).toBe(200);
    const kept = (await eventsOf('consent.withdrawal-quarantined.v1')).filter(({ tenant }) => tenant === 'acme');
    expect(kept).toMatchObject([{ partitionKey: `sender:${SENDER}` }]);
  });

  it('for a number that was registered a moment ago is the person’s, not nobody’s', async () => {
    const sender = '100000000000077';
    await registerSender(sender, '22222222-2222-4222-8222-222222222222');
    const foreign = JSON.stringify(change({ messages: [text('wamid.fresh', '12125550134', 'STOP')] }));
    expect((await post(foreign.replace(SENDER, sender))).status).toBe(200);
    expect(await subjectOfMessage('wamid.fresh')).toBeDefined();
  });

  it('is one of a thousand updates, nested absurdly deep neighbours included', async () => {
    const messages = Array.from({ length: 999 }, (_, i) => text(`wamid.k.${i}`, `1212555${1_000 + (i % 50)}`, 'hello'));
    const body = JSON.stringify(change({ messages: [...messages, text('wamid.k.stop', '12125550135', 'STOP')] }));
    const deep = `{"entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":{"phone_number_id":"${SENDER}"},"messages":[${'['.repeat(50_000)}${']'.repeat(50_000)}]}}]}]}`;
    expect(await post(body)).toMatchObject({ status: 200, body: { received: 1_000 } });
    expect(await subjectOfMessage('wamid.k.stop')).toBeDefined();
    expect((await post(deep)).status).toBe(200);
  }, 60_000);

  it('is not held up by a neighbour that can not be served', async () => {
    const admin = { role: 'admin' as const };
    const words = { language: 'en', title: 'T', body: 'B', checkbox: 'C', optOutHint: 'O' };
    const notice = {
      noticeId: 'orphan',
      version: 1,
      purposeIds: ['never-published'],
      controllerName: 'A',
      texts: [words],
    };
    await service.request('POST', '/v1/notices', { ...admin, body: notice });
    await service.caughtUp();
    const point = {
      capturePointId: 'orphan',
      methods: ['keyword'],
      noticeId: 'orphan',
      senderId: SENDER,
      keyword: 'ORPHAN',
      language: 'en',
      confirmationTemplate: { name: 'confirm', language: 'en' },
    };
    expect((await service.request('POST', '/v1/capture-points', { ...admin, body: point })).status).toBe(201);
    await service.caughtUp();
    const messages = [text('wamid.orphan', '12125550136', 'ORPHAN'), text('wamid.next', '12125550137', 'STOP')];
    expect((await post(change({ messages }))).status).toBe(200);
    expect(await subjectOfMessage('wamid.next')).toBeDefined();
  });
});

describe('the address directory', () => {
  const directory = async (): Promise<AddressDirectory> =>
    service.app.get((await import('./address-directory/address-directory.ts')).AddressDirectory, { strict: false });

  it('makes one person of fifty first contacts at the same time, whichever variant of the number each has', async () => {
    const known = await directory();
    const variants = ['541155550123', '5491155550123', '5511987650123', '551187650123'];
    const found = await Promise.all(
      Array.from({ length: 100 }, (_, i) => known.findOrRegister('acme', [{ waId: variants[i % 4] ?? '' }])),
    );
    const argentina = new Set(found.filter((_, i) => i % 4 < 2).flatMap((people) => people.map((p) => p.subjectId)));
    const brazil = new Set(found.filter((_, i) => i % 4 >= 2).flatMap((people) => people.map((p) => p.subjectId)));
    expect([argentina.size, brazil.size]).toEqual([1, 1]);
    const subjectIds = new Set([...argentina, ...brazil]);
    const events = await eventsOf('subject.address-registered.v1');
    const keys_ = events.filter(({ data }) => subjectIds.has(data.subjectId)).map(({ data }) => data.addressKey);
    expect(new Set(keys_).size).toBe(4);
  });

  it('gives everybody known, however phone and business-scoped id raced', async () => {
    const known = await directory();
    const both = [{ waId: '12125550141' }, { bsuid: 'US.141' }];
    const raced = await Promise.all(
      Array.from({ length: 50 }, (_, i) => known.findOrRegister('acme', i % 2 === 0 ? both : [{ bsuid: 'US.141' }])),
    );
    const everybody = new Set(raced.flatMap((people) => people.map(({ subjectId }) => subjectId)));
    const settled = await known.findOrRegister('acme', both);
    expect(new Set(settled.map(({ subjectId }) => subjectId))).toEqual(everybody);
    expect(settled[0]?.subjectId).toBe(await subjectOf('+12125550141'));
    for (const [i, people] of raced.entries()) {
      const byId = await known.find('acme', { bsuid: 'US.141' });
      if (i % 2 === 0) expect(people.map(({ subjectId }) => subjectId)).toEqual(expect.arrayContaining(byId));
    }
  });

  it('completes the registration that a crash left behind, for the person it was made for', async () => {
    const known = await directory();
    const { DB } = await import('@assent/service-runtime');
    const db = service.app.get<Connection>(DB, { strict: false });
    const crashed = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc';
    const key = known.addressKeyOf('acme', { bsuid: 'US.142' }) ?? '';
    await known.findOrRegister('acme', [{ waId: '12125550142' }]);
    await db
      .collection<{ _id: string }>('address_directory')
      .insertOne({ _id: key, tenant: 'acme', subjectId: crashed, registered: false } as { _id: string });
    expect(await known.find('acme', { bsuid: 'US.142' })).toEqual([]);
    const people = await known.findOrRegister('acme', [{ waId: '12125550142' }, { bsuid: 'US.142' }]);
    expect(people.map(({ subjectId }) => subjectId)).toContain(crashed);
    const events = await eventsOf('subject.address-registered.v1');
    expect(events.find(({ data }) => data.addressKey === key)?.data.subjectId).toBe(crashed);
  });
});

describe('an opt-in', () => {
  it.each<[string, string, (from: string) => object, string]>([
    ['keyword', '12125550101', (from) => text('wamid.in.1', from, 'Join!'), 'keyword'],
    ['QR code', '12125550102', (from) => text('wamid.in.2', from, 'JOIN (ref acme.web)'), 'qr'],
    [
      'button',
      '12125550103',
      (from) => ({
        from,
        id: 'wamid.in.3',
        timestamp: now(),
        type: 'button',
        button: { payload: 'OPTIN|acme.web', text: 'Join' },
      }),
      'button',
    ],
  ])(
    'by %s is a request that grants nothing until it is confirmed from that address',
    async (_, from, message, method) => {
      await post(change({ messages: [message(from)] }));
      const asked = await subjectOf(`+${from}`);
      const requested = (await eventsOf('consent.requested.v1')).find(
        ({ data }) => data.subjectId === asked && data.method === method,
      );
      expect(requested?.data).toMatchObject({ selfStarted: true, purposeIds: ['news'], noticeVersion: 1 });
      expect(
        (await eventsOf('consent.granted.v1')).filter(({ data }) => data.subjectId === requested?.data.subjectId),
      ).toEqual([]);
    },
  );

  it('by form shows the notice, wants the box ticked, and answers a stranger the same', async () => {
    const shown = await service.request('GET', '/optin/acme.web');
    expect(shown.status).toBe(200);
    expect(shown.body).toContain('Tea &lt;news&gt;');
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
    const submit = (form: string): Promise<TestAnswer> =>
      service.request('POST', '/optin/acme.web', {
        rawBody: form,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    expect((await submit('phone=%2B12125550104')).body).toContain('tick the box');
    expect((await submit('phone=hello&agree=yes')).body).toContain('country code');
    const fresh = await submit('phone=%2B12125550104&agree=yes&timeZone=America%2FNew_York');
    const suppressed = await submit('phone=%2B12125550191&agree=yes');
    expect(suppressed.body).toBe(fresh.body);
    const requested = (await eventsOf('consent.requested.v1')).filter(({ data }) => data.method === 'form');
    expect(new Set(requested.map(({ data }) => data.timeZone))).toEqual(new Set(['America/New_York', undefined]));
    const mistyped = await submit('phone=%2B12125550104&timeZone=Mars&agree=yes');
    expect(mistyped.body).toContain('Please enter a time zone');
    expect(mistyped.body).toContain('value="+12125550104"');
    expect((await submit('phone=%2B12125550104&agree=yes&noticeVersion=7')).body).toContain('has changed');
    expect((await eventsOf('consent.requested.v1')).filter(({ data }) => data.method === 'form')).toHaveLength(2);
  });

  it('shows a QR code that only writes the message', async () => {
    const answer = await service.request('GET', '/optin/acme.web/qr.svg');
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('<svg');
    expect((await service.request('GET', '/optin/acme.nowhere')).status).toBe(404);
  });

  it('by API refuses the future, another tenant and a list', async () => {
    const body = { recipient: { phone: '+12125550105' }, capturePoint: 'acme.web', method: 'api' };
    const ask = (change_: object, role: 'capture' | 'sender' = 'capture'): Promise<TestAnswer> =>
      service.request('POST', '/v1/consents', {
        role,
        body: Array.isArray(change_) ? change_ : { ...body, ...change_ },
      });
    expect(await ask({ occurredAt: '2999-01-01T00:00:00Z' })).toMatchObject({
      status: 422,
      body: { code: 'occurred-in-future' },
    });
    expect(await ask({ occurredAt: '1900-01-01T00:00:00Z' })).toMatchObject({
      status: 422,
      body: { code: 'occurred-too-long-ago' },
    });
    expect(await ask({ occurredAt: '2026-W10-5' })).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await ask({ recipient: { phone: 'nobody' } })).toMatchObject({ body: { code: 'invalid-recipient' } });
    expect(await ask({ evidence: { note: 'x'.repeat(400_000) } })).toMatchObject({
      status: 413,
      body: { code: 'evidence-too-large' },
    });
    expect(await ask({ capturePoint: 'other.web' })).toMatchObject({
      status: 422,
      body: { code: 'capture-point-unknown' },
    });
    expect(await ask({ recipient: { phone: '+1', waId: '1' } })).toMatchObject({
      status: 400,
      body: { code: 'invalid-recipient' },
    });
    expect(await ask({ unknownField: 1 })).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect((await ask([body, body])).status).toBe(400);
    expect((await ask({}, 'sender')).status).toBe(403);
    expect((await service.request('POST', '/v1/consents', { body })).status).toBe(401);
    expect((await ask({})).status).toBe(202);
  });

  it('is confirmed by the button of the question, from that address only', async () => {
    const { ConfirmationTokens } = await import('./confirmation-token/confirmation-token.ts');
    const tokens = service.app.get(ConfirmationTokens, { strict: false });
    const asked = await subjectOf('+12125550101');
    const requested = (await eventsOf('consent.requested.v1')).find(({ data }) => data.subjectId === asked);
    expect(requested).toBeDefined();
    const { subjectId, requestId, requestedAt, noticeId, noticeVersion } = requested!.data;
    const payload = tokens.payload({
      tenant: 'acme',
      subjectId,
      requestId,
      requestedAt: Date.parse(requestedAt),
      noticeId,
      noticeVersion,
    });
    const press = (id: string, from: string): Promise<TestAnswer> =>
      post(change({ messages: [{ from, id, timestamp: now(), type: 'button', button: { payload, text: 'Yes' } }] }));
    await press('wamid.press.1', '12125550102');
    expect((await eventsOf('consent.granted.v1')).filter(({ data }) => data.requestId === requestId)).toEqual([]);
    await press('wamid.press.2', '12125550101');
    const granted = (await eventsOf('consent.granted.v1')).find(({ data }) => data.requestId === requestId);
    expect(granted?.data).toMatchObject({ basis: 'confirmed', purposeIds: ['news'], requestedAt });
  });
});

describe('a withdrawal by API', () => {
  it('is never refused for what it says', async () => {
    const odd = {
      recipient: { phone: 'not a number at all' },
      scope: { kind: 'galaxy', id: 7 },
      occurredAt: '2999-01-01T00:00:00Z',
      future: { nested: [1, { deep: true }] },
    };
    const answer = await service.request('POST', '/v1/withdrawals', { role: 'capture', body: odd });
    expect(answer.status).toBe(201);
    const { withdrawalIds } = answer.body as { withdrawalIds: string[] };
    const withdrawn = (await eventsOf('consent.withdrawn.v1')).find(
      ({ data }) => data.withdrawalId === withdrawalIds[0],
    );
    expect(withdrawn?.data.scope).toEqual({ kind: 'all' });
    expect(Date.parse(withdrawn?.data.occurredAt ?? '')).toBeLessThanOrEqual(Date.now());
  });

  it('is not refused for a number or a time that no event could hold', async () => {
    const rawBody = '{"recipient":{"phone":"+12125550108"},"occurredAt":"-271821-04-20T00:00:00Z","huge":1e999}';
    const headers = { 'content-type': 'application/json' };
    const answer = await service.request('POST', '/v1/withdrawals', { role: 'capture', rawBody, headers });
    expect(answer.status).toBe(201);
  });

  it('that names another tenant’s person is kept, and does not reach them; nor do preferences', async () => {
    const subjectId = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd';
    await stack.log.append([
      encodeEvent('consent.events', {
        id: '33333333-3333-4333-8333-333333333333',
        source: '/consent',
        type: 'preferences.changed.v1',
        time: '2026-11-24T09:00:00.000Z',
        tenant: 'other',
        partitionKey: subjectId,
        dataSchema: dataSchemaOf('preferences.changed.v1'),
        data: { subjectId, language: 'en' },
      }),
    ]);
    await service.caughtUp();
    const body = { recipient: { subjectId } };
    expect((await service.request('POST', '/v1/withdrawals', { role: 'capture', body })).status).toBe(201);
    const reached = (await eventsOf('consent.withdrawn.v1')).filter(({ data }) => data.subjectId === subjectId);
    expect(reached).toEqual([]);
    const preferences = { ...body, timeZone: 'Pacific/Auckland' };
    const answer = await service.request('PUT', '/v1/preferences', { role: 'capture', body: preferences });
    expect(answer.status).toBe(404);
  });

  it('is a new fact under a used key with another body, and the same under the same', async () => {
    const send = (phone: string): Promise<TestAnswer> =>
      service.request('POST', '/v1/withdrawals', {
        role: 'capture',
        body: { recipient: { phone } },
        headers: { 'idempotency-key': 'one' },
      });
    const first = await send('+12125550106');
    const repeat = await send('+12125550106');
    const other = await send('+12125550107');
    expect([first.status, repeat.status, other.status]).toEqual([201, 201, 201]);
    expect(repeat.body).toEqual(first.body);
    expect((other.body as { withdrawalIds: string[] }).withdrawalIds).not.toEqual(
      (first.body as { withdrawalIds: string[] }).withdrawalIds,
    );
  });

  it('leaves room for wishes: what is recorded is what was said, checked', async () => {
    const recipient = { phone: '+12125550106' };
    await service.request('POST', '/v1/withdrawals', { role: 'capture', body: { recipient } });
    const put = (wishes: object): Promise<TestAnswer> =>
      service.request('PUT', '/v1/preferences', { role: 'capture', body: { recipient, ...wishes } });
    const wishes = {
      region: 'US-FL',
      quietHours: { from: '21:00', to: '09:00' },
      frequency: { attemptsMax: 2, windowHours: 168 },
      cleared: ['timeZone'],
    };
    const answer = await put(wishes);
    expect(answer.status).toBe(200);
    const [subjectId = ''] = (answer.body as { subjectIds: string[] }).subjectIds;
    const said = (await eventsOf('preferences.changed.v1')).filter(({ data }) => data.subjectId === subjectId);
    expect(said.at(-1)?.data).toEqual({ subjectId, ...wishes });
    expect((await put({ quietHours: { from: '25:00', to: '09:00' } })).status).toBe(400);
    expect((await put({ frequency: { attemptsMax: 0, windowHours: 168 } })).status).toBe(400);
    expect((await put({ region: 'Florida' })).status).toBe(400);
  });

  it('needs a recipient and a caller, and says so', async () => {
    expect(await service.request('POST', '/v1/withdrawals', { role: 'capture', body: {} })).toMatchObject({
      status: 400,
      body: { code: 'invalid-recipient' },
    });
    expect((await service.request('POST', '/v1/withdrawals', { body: {} })).status).toBe(401);
  });

  it('is what the unsubscribe page makes, and looking at it makes none', async () => {
    await service.caughtUp();
    const subjectId = await subjectOf('+12125550101');
    const link = await service.request('POST', '/v1/unsubscribe-links', { role: 'sender', body: { subjectId } });
    const path = new URL((link.body as { url: string }).url).pathname;
    const count = async (): Promise<number> =>
      (await eventsOf('consent.withdrawn.v1')).filter(({ data }) => data.method === 'page').length;
    expect((await service.request('GET', path)).body).toContain('Stop all messages?');
    expect(await count()).toBe(0);
    expect((await service.request('POST', path)).body).toContain('Done');
    expect(await count()).toBe(1);
    for (const method of ['GET', 'POST']) {
      const answer = await service.request(method, '/unsubscribe/forged');
      expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('not valid') as string });
    }
  });
});

describe('the confirm page', () => {
  it('shows the notice in the visitor’s language and confirms nothing when it is late, forged or of an erased person', async () => {
    const { ConfirmationTokens } = await import('./confirmation-token/confirmation-token.ts');
    const tokens = service.app.get(ConfirmationTokens, { strict: false });
    const subjectId = await subjectOf('+12125550103');
    const about = { tenant: 'acme', subjectId, requestId: 'eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee', noticeId: 'news' };
    const link = (change_: object): string =>
      `/confirm/${tokens.linkToken({ ...about, requestedAt: Date.now(), noticeVersion: 1, ...change_ })}`;
    const shown = await service.request('GET', link({}));
    expect(shown).toMatchObject({ status: 200, body: expect.stringContaining('Tea &lt;news&gt;') as string });
    const stranger = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
    const grants = (await eventsOf('consent.granted.v1')).length;
    expect((await service.request('GET', link({ requestedAt: Date.now() - 8 * 86_400_000 }))).status).toBe(410);
    expect((await service.request('POST', link({ requestedAt: Date.now() - 8 * 86_400_000 }))).status).toBe(410);
    expect((await service.request('POST', link({ subjectId: stranger }))).status).toBe(410);
    expect((await service.request('GET', link({ noticeVersion: 9 }))).status).toBe(503);
    expect((await service.request('POST', '/confirm/forged')).status).toBe(404);
    expect(await eventsOf('consent.granted.v1')).toHaveLength(grants);
  });
});

describe('the catalogue', () => {
  it('does not move a purpose to another category, nor take another tenant’s number', async () => {
    const admin = { role: 'admin' as const };
    const purpose = { purposeId: 'news', name: 'News', description: 'News about tea', category: 'utility' };
    expect(await service.request('POST', '/v1/purposes', { ...admin, body: purpose })).toMatchObject({
      status: 409,
      body: { code: 'purpose-category-fixed' },
    });
  });
});

describe('a search', () => {
  it('tells what was known as of an instant', async () => {
    await service.caughtUp();
    const search = async (asOf?: string): Promise<{ grants: unknown[]; withdrawals: unknown[] } | undefined> => {
      const body = { recipient: { phone: '+1 (212) 555-0101' }, ...(asOf === undefined ? {} : { asOf }) };
      const answer = await service.request('POST', '/v1/consents/search', { role: 'auditor', body });
      return (answer.body as { people: { grants: unknown[]; withdrawals: unknown[] }[] }).people[0];
    };
    const asked = await subjectOf('+12125550101');
    const granted = (await eventsOf('consent.granted.v1')).find(({ data }) => data.subjectId === asked);
    const present = await search();
    expect(present).toMatchObject({
      grants: [{ purposeId: 'news', basis: 'confirmed' }],
      withdrawals: [{ scope: { kind: 'all' } }],
    });
    expect(await search(granted?.recordedAt)).toMatchObject({ grants: [{ purposeId: 'news' }], withdrawals: [] });
    expect(await search('2020-01-01T00:00:00Z')).toMatchObject({ grants: [], withdrawals: [] });
  });

  it('registers nobody', async () => {
    const before = (await eventsOf('subject.address-registered.v1')).length;
    const body = { recipient: { phone: '+12125550188' } };
    expect(await service.request('POST', '/v1/consents/search', { role: 'auditor', body })).toMatchObject({
      body: { known: false },
    });
    expect(await eventsOf('subject.address-registered.v1')).toHaveLength(before);
  });
});

describe('the service', () => {
  it('keeps following its other partitions when one of them is taken anew', async () => {
    const follow = service.app.get(FollowProviderStops, { strict: false });
    await follow.take([{ topic: 'dispatch.events', partition: 0 }]);
    const batch: RecordBatch = {
      topic: 'dispatch.events',
      partition: 1,
      records: [],
      epoch: 0,
      heartbeat: () => Promise.resolve(),
      isCurrent: () => true,
    };
    await expect(follow.apply(batch)).resolves.toBeUndefined();
  });

  it('gives subject keys to services only, and only those of the tenant', async () => {
    const subjectId = await subjectOf('+12125550101');
    const ask = (role: 'service' | 'admin'): Promise<TestAnswer> =>
      service.request('POST', '/internal/v1/keys/unwrap', { role, body: { subjectIds: [subjectId] } });
    expect((await ask('admin')).status).toBe(403);
    expect(await ask('service')).toMatchObject({ status: 200, body: { keys: [{ subjectId }] } });
  });

  it('keeps no number and no text in the clear anywhere', async () => {
    const planted = ['12125550191', '12125550101', '2125550104', 'not a number at all', 'JOIN (ref acme.web)'];
    await service.caughtUp();
    expect(await findPlanted(stack, planted, { texts: { log: service.logs() } })).toEqual([]);
  });

  it('answers 503, and takes the same POST later, while the store or the log is down', async () => {
    const body = (n: number): object => change({ messages: [text(`wamid.down.${n}`, `1212555016${n}`, 'STOP')] });
    await stack.parts.mongoProcess.kill('SIGKILL');
    expect(await post(body(1))).toMatchObject({ status: 503, body: { code: 'not-recorded' } });
    await stack.parts.restartMongo();
    await retried(body(1));
    await stack.parts.kafkaProcess.kill('SIGKILL');
    expect(await post(body(2))).toMatchObject({ status: 503, body: { code: 'not-recorded' } });
    await stack.parts.restartKafka();
    await retried(body(2));
    for (const n of [1, 2]) {
      const ids = (await eventsOf('consent.withdrawn.v1')).map(({ data }) => data.messageId);
      expect(ids).toContain(messageIdOf(`wamid.down.${n}`));
    }
  }, 120_000);

  it('rebuilds its read models to an equal digest', async () => {
    const { CONSENT_PROJECTOR } = await import('./tokens.ts');
    const projector = service.app.get<{ rebuild(log: unknown): Promise<{ equal: boolean }> }>(CONSENT_PROJECTOR, {
      strict: false,
    });
    await service.caughtUp();
    expect((await projector.rebuild(stack.log)).equal).toBe(true);
  });
});
