import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import {
  dataSchemaOf,
  encodeEvent,
  type EventData,
  formatPosition,
  type NewRecord,
  type Position,
  sealDispatchRequest,
} from '@assent/contracts';
import type { Projector } from '@assent/projection';
import { findPlanted, type TestAnswer, type TestService, waitUntil } from '@assent/testing';
import type { JWK } from 'jose';
import {
  ask,
  CONFIRM,
  DispatchWorld,
  find,
  OFFER,
  offerTo,
  type Person,
  RECEIPT,
  SENDER,
  waitForStatus,
  zoneWhereItIs,
} from './dispatch.fixture.ts';
import { askDispatchId } from './send-due-dispatches/send-dispatch.ts';
import { DISPATCH_PROJECTOR } from './tokens.ts';

jest.setTimeout(60_000);

const HOUR_MS = 3_600_000;
let world: DispatchWorld;
let service: TestService;

beforeAll(async () => {
  world = await DispatchWorld.start();
  service = await world.service();
  await service.caughtUp();
}, 120_000);

afterAll(async () => {
  await world.stop();
}, 60_000);

const inMs = (ms: number): { kind: 'at'; at: string } => ({ kind: 'at', at: new Date(Date.now() + ms).toISOString() });
const templates = (person: Person): (string | undefined)[] => world.callsTo(person).map(({ template }) => template);
const cancel = (dispatchId: string): Promise<TestAnswer> =>
  service.request('POST', `/v1/dispatches/${dispatchId}/cancel`, { role: 'sender' });

describe('a message that was asked for', () => {
  it('is planned, sent once and delivered, and says what was decided on', async () => {
    const person = await world.subscriber();
    await service.caughtUp();
    const { dispatchId, status } = await ask(service, offerTo(person));
    expect(status).toBe('planned');
    await waitForStatus(service, dispatchId, 'sent');
    const [call, ...more] = world.callsTo(person);
    expect(more).toEqual([]);
    expect(call?.template).toBe(OFFER.name);
    expect(world.whatsapp.inbox(person.phone).messages[0]).toMatchObject({ text: 'Tea for Planted Name' });
    await world.reported(call?.callbackData ?? '', 'delivered');
    await waitForStatus(service, dispatchId, 'delivered');
    expect(await world.trail(dispatchId)).toEqual([
      'dispatch.accepted.v1',
      'dispatch.planned.v1',
      'dispatch.attempt-intended.v1',
      'dispatch.attempt-sent.v1',
      'dispatch.status-recorded.v1',
    ]);
    const intended = (await world.events('dispatch.attempt-intended.v1')).find(
      ({ data }) => data.dispatchId === dispatchId,
    );
    expect(intended?.data.gate).toMatchObject({
      verdict: 'allow',
      noticeId: 'news',
      noticeVersion: 1,
      ruleSet: 'demo@1',
    });
    const consentPartition = world.stack.log.partitionFor('consent.events', person.subjectId);
    expect(intended?.data.gate.positions).toHaveProperty([`consent.events/${consentPartition}`]);
  });

  it('waits for the hours of the person, and leaves when they begin', async () => {
    const person = await world.subscriber({ zone: zoneWhereItIs(3) });
    const { dispatchId, status, dueAt = '' } = await ask(service, offerTo(person));
    const waitMs = Date.parse(dueAt) - Date.now();
    expect({ status, hours: Math.ceil(waitMs / HOUR_MS) }).toEqual({ status: 'planned', hours: 5 });
    world.clock.shift(waitMs + 1);
    await waitForStatus(service, dispatchId, 'sent');
    world.clock.shift(-waitMs - 1);
  });

  it('is sent once under one Idempotency-Key, which another body may not use', async () => {
    const person = await world.subscriber();
    const headers = { 'idempotency-key': randomUUID() };
    const post = (body: object): Promise<TestAnswer> =>
      service.request('POST', '/v1/dispatches', { role: 'sender', headers, body });
    const first = await post(offerTo(person));
    expect(await post(offerTo(person))).toMatchObject({ status: 202, body: first.body });
    expect(await post(offerTo(person, { parameters: ['Another Name'] }))).toMatchObject({
      status: 409,
      body: { code: 'idempotency-key-reused' },
    });
    await waitForStatus(service, (first.body as { dispatchId: string }).dispatchId, 'sent');
    await service.caughtUp();
    expect(templates(person)).toEqual([OFFER.name]);
  });

  it('can be cancelled until it is sent', async () => {
    const person = await world.subscriber();
    const { dispatchId, position } = await ask(service, offerTo(person, { schedule: inMs(HOUR_MS) }));
    const headers = { 'assent-min-position': position };
    const path = `/v1/dispatches/${dispatchId}/cancel`;
    const answer = await service.request('POST', path, { role: 'sender', headers });
    expect(answer).toMatchObject({ status: 200, body: { dispatchId, status: 'cancelled' } });
    expect(await cancel(dispatchId)).toMatchObject({ status: 200 });
    await waitForStatus(service, dispatchId, 'cancelled');
    const sent = await ask(service, offerTo(person));
    await waitForStatus(service, sent.dispatchId, 'sent');
    expect(await cancel(sent.dispatchId)).toMatchObject({ status: 409, body: { code: 'already-sending' } });
    expect(await cancel(randomUUID())).toMatchObject({ status: 404, body: { code: 'no-such-dispatch' } });
  });

  it('is found by person and status, and never with what is sealed in it', async () => {
    const person = await world.subscriber();
    const { dispatchId, position } = await ask(service, offerTo(person, { schedule: inMs(HOUR_MS) }));
    const headers = { 'assent-min-position': position };
    const search = (body: object): Promise<TestAnswer> =>
      service.request('POST', '/v1/dispatches/search', { role: 'auditor', headers, body });
    const found = await search({ recipient: { phone: person.phone }, status: 'planned' });
    expect(found).toMatchObject({ status: 200, body: { dispatches: [{ dispatchId, status: 'planned' }] } });
    expect(JSON.stringify(found.body)).not.toMatch(/sealed|_position|wakeMinute/);
    expect((await search({ recipient: { phone: person.phone }, status: 'sent' })).body).toEqual({ dispatches: [] });
    await cancel(dispatchId);
  });

  it('is decided on without being sent when only that is asked', async () => {
    const person = await world.subscriber();
    await service.caughtUp();
    const before = (await world.stack.records('dispatch.events')).length;
    const answer = await service.request('POST', '/v1/decisions', { role: 'auditor', body: offerTo(person) });
    expect(answer).toMatchObject({ status: 200, body: { verdict: 'allow', gate: { ruleSet: 'demo@1' } } });
    expect((await world.stack.records('dispatch.events')).length).toBe(before);
  });
});

describe('a message that may not leave', () => {
  it.each([
    ['to somebody who never opted in', 'no-consent', {}],
    ['from a sender nobody registered', 'sender-unknown', { senderId: '100000000000999' }],
    ['with a template nobody registered', 'template-unknown', { template: { name: 'nope', language: 'en' } }],
    ['with another number of parameters', 'template-parameters', { parameters: [] }],
    ['for a purpose nobody published', 'purpose-unknown', { purposeId: 'nope' }],
    ['whose time has passed', 'expired', { expiresAt: '2026-01-01T00:00:00Z' }],
    ['too far ahead', 'too-far-ahead', { schedule: { kind: 'at', at: '2036-01-01T00:00:00Z' } }],
  ])('%s is refused: %s', async (_what, code, change) => {
    const person = code === 'no-consent' ? await world.person() : await world.subscriber();
    const answer = await ask(service, offerTo(person, change));
    expect(answer).toMatchObject({ status: 'refused', reasons: [{ code }] });
    expect(answer.position).toMatch(/^dispatch\.events\//);
    expect(await cancel(answer.dispatchId).then(({ status }) => status)).not.toBe(200);
  });

  it('is refused to a number that nobody is known by', async () => {
    const answer = await ask(service, offerTo({ phone: '+12025550199' }));
    expect(answer).toMatchObject({ status: 'refused', reasons: [{ code: 'no-consent' }] });
  });

  it('is refused while the address is suppressed, and names the cause', async () => {
    const person = await world.subscriber();
    const causeId = randomUUID();
    const { addressKey } = person;
    const position = await world.append('suppression.cause-added.v1', addressKey, {
      addressKey,
      causeId,
      kind: 'manual',
      scope: { kind: 'all' },
      reason: 'asked-by-phone',
      actor: 'spec',
      since: new Date().toISOString(),
    });
    const refused = await ask(service, offerTo(person));
    expect(refused.reasons).toMatchObject([{ code: 'suppressed-manual', ref: formatPosition(position) }]);
    const lift = { addressKey, causeIds: [causeId], reason: 'by-mistake', actor: 'spec' };
    await world.append('suppression.cause-lifted.v1', addressKey, lift);
    const sent = await ask(service, offerTo(person));
    await waitForStatus(service, sent.dispatchId, 'sent');
  });

  it('is refused after WhatsApp answered a call that the person stopped our marketing', async () => {
    const person = await world.subscriber();
    world.whatsapp.addFault({ kind: 'error', times: 1, code: 131050 });
    const { dispatchId } = await ask(service, offerTo(person));
    await waitForStatus(service, dispatchId, 'failed');
    expect(await ask(service, offerTo(person))).toMatchObject({
      status: 'refused',
      reasons: [{ code: 'suppressed-provider-verdict' }],
    });
  });

  it('is tried again later when WhatsApp says that the pace was too high', async () => {
    const person = await world.subscriber();
    world.whatsapp.addFault({ kind: 'error', times: 1, code: 131056 });
    const { dispatchId } = await ask(service, offerTo(person));
    await waitUntil('the failed attempt is written down', async () =>
      (await world.trail(dispatchId)).includes('dispatch.attempt-failed.v1'),
    );
    await waitForStatus(service, dispatchId, 'planned');
    expect(templates(person)).toHaveLength(1);
    world.clock.shift(20_000);
    await waitForStatus(service, dispatchId, 'sent');
    world.clock.shift(-20_000);
    expect(templates(person)).toHaveLength(2);
  });
});

describe('a message whose call got no answer', () => {
  it('is unknown, never sent again, and resolved by a later status', async () => {
    const person = await world.subscriber();
    world.whatsapp.addFault({ kind: 'reset-after-body', times: 1 });
    const { dispatchId } = await ask(service, offerTo(person));
    await waitForStatus(service, dispatchId, 'unknown');
    world.clock.shift(HOUR_MS);
    await service.caughtUp();
    world.clock.shift(-HOUR_MS);
    expect(world.callsTo(person)).toHaveLength(1);
    await world.reported(world.callsTo(person)[0]?.callbackData ?? '', 'delivered');
    await waitForStatus(service, dispatchId, 'delivered');
    expect(world.callsTo(person)).toHaveLength(1);
  });
});

describe('a person who says STOP', () => {
  it('gets one receipt, however often Meta tells it, and what was planned for them is cancelled', async () => {
    const person = await world.subscriber({ zone: zoneWhereItIs(3) });
    const { dispatchId } = await ask(service, offerTo(person, { schedule: inMs(24 * HOUR_MS) }));
    await service.caughtUp();
    const { receiptId, withdrawalId } = await world.stopped(person, { receiptDue: true });
    await world.stopped(person, { receiptDue: true, withdrawalId });
    await waitForStatus(service, receiptId, 'sent');
    await waitForStatus(service, dispatchId, 'cancelled');
    await service.caughtUp();
    expect(templates(person)).toEqual([RECEIPT.name]);
    expect(await ask(service, offerTo(person))).toMatchObject({ status: 'refused', reasons: [{ code: 'withdrawn' }] });
  });

  it('gets no receipt when five minutes have passed', async () => {
    const person = await world.subscriber();
    await service.caughtUp();
    world.clock.shift(6 * 60_000);
    const { receiptId } = await world.stopped(person, { receiptDue: true });
    await waitForStatus(service, receiptId, 'refused');
    world.clock.shift(-6 * 60_000);
    expect((await find(service, receiptId))['reasons']).toMatchObject([{ code: 'expired' }]);
    expect(templates(person)).toEqual([]);
  });
});

describe('a request to opt in', () => {
  it('by form is asked about once in seven days, also when two forms come together', async () => {
    const person = await world.person();
    const requests = [await world.asked(person), await world.asked(person)];
    const ids = requests.map((requestId) => askDispatchId('acme', requestId));
    const statuses = await waitUntil('both are decided', async () => {
      const found = await Promise.all(ids.map((id) => find(service, id)));
      const all = found.map(({ status }) => String(status));
      return all.every((status) => status === 'sent' || status === 'refused') ? all.sort() : undefined;
    });
    expect(statuses).toEqual(['refused', 'sent']);
    expect(templates(person)).toEqual([CONFIRM.name]);
    const [message] = world.whatsapp.inbox(person.phone).messages;
    expect(message?.buttons).toMatchObject([{ payload: expect.stringMatching(/^CONFIRM\|/) as unknown }]);
    const own = await world.asked(person, { selfStarted: true });
    await waitForStatus(service, askDispatchId('acme', own), 'sent');
  });

  it('by form asks nobody who has withdrawn; a message of their own does, at any hour', async () => {
    const person = await world.person({ zone: zoneWhereItIs(3) });
    await world.stopped(person, { agoMs: 60_000 });
    const form = askDispatchId('acme', await world.asked(person));
    await waitForStatus(service, form, 'refused');
    expect((await find(service, form))['reasons']).toMatchObject([{ code: 'withdrawn' }]);
    const own = askDispatchId('acme', await world.asked(person, { selfStarted: true }));
    await waitForStatus(service, own, 'sent');
    expect(templates(person)).toEqual([CONFIRM.name]);
  });
});

describe('a request over dispatch.requests', () => {
  const keyOf = async (): Promise<JWK> => {
    const { body } = await service.request('GET', '/.well-known/jwks.json');
    const [key] = (body as { keys: JWK[] }).keys;
    if (key === undefined) throw new Error('no key is published');
    return key;
  };
  const requestOf = (data: Partial<EventData['dispatch.requested.v1']>): EventData['dispatch.requested.v1'] => ({
    requestId: randomUUID(),
    purposeId: 'news',
    senderId: SENDER,
    template: OFFER,
    schedule: { kind: 'now' },
    ...data,
  });
  const recordOf = (data: EventData['dispatch.requested.v1']): NewRecord =>
    encodeEvent('dispatch.requests', {
      id: randomUUID(),
      source: '/team',
      type: 'dispatch.requested.v1',
      time: new Date().toISOString(),
      tenant: 'acme',
      partitionKey: 'any',
      dataSchema: dataSchemaOf('dispatch.requested.v1'),
      data,
    });
  const append = async (record: NewRecord): Promise<Position> => {
    const [position] = await world.stack.log.append([record]);
    if (position === undefined) throw new Error('not appended');
    return position;
  };
  const dispatchOf = (requestId: string): Promise<string> =>
    waitUntil('the request is answered', async () => {
      const accepted = await world.events('dispatch.accepted.v1');
      const refused = await world.events('dispatch.refused.v1');
      return [...accepted, ...refused].find(({ data }) => data.requestId === requestId)?.data.dispatchId;
    });
  const refusalAt = (position: Position): Promise<string | undefined> =>
    waitUntil('the request is refused', async () => {
      const refusals = await world.events('dispatch.request-refused.v1');
      return refusals.find(({ data }) => data.requestPosition === formatPosition(position))?.data.reasons[0]?.code;
    });

  it('is sent, named by subject or sealed to our key', async () => {
    const [person, other] = [await world.subscriber(), await world.subscriber()];
    const key = await keyOf();
    expect(key).not.toHaveProperty('d');
    await service.caughtUp();
    const parameters = ['Planted Name'];
    const bySubject = requestOf({
      subjectId: person.subjectId,
      sealedParameters: await sealDispatchRequest(key, { parameters }),
    });
    const byPhone = requestOf({
      sealedRecipient: await sealDispatchRequest(key, { recipient: { phone: other.phone }, parameters }),
    });
    for (const request of [bySubject, byPhone, byPhone]) await append(recordOf(request));
    for (const { requestId } of [bySubject, byPhone]) await waitForStatus(service, await dispatchOf(requestId), 'sent');
    await service.caughtUp();
    expect([templates(person), templates(other)]).toEqual([[OFFER.name], [OFFER.name]]);
  });

  it('is refused with an event when it is for nobody we know', async () => {
    const request = requestOf({ subjectId: randomUUID() });
    await append(recordOf(request));
    await waitForStatus(service, await dispatchOf(request.requestId), 'refused');
  });

  it('is refused with an event, and holds nobody up, when it can not be read or opened', async () => {
    const person = await world.subscriber();
    await service.caughtUp();
    const valid = recordOf(requestOf({ subjectId: person.subjectId, sealedParameters: await sealed(await keyOf()) }));
    const text = (value: object | string): NewRecord => ({
      ...valid,
      value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    });
    const damaged = (await sealed(await keyOf())).replace(/.{22}$/, 'A'.repeat(22));
    const otherKey = await sealed({ ...(await keyOf()), kid: 'another' });
    const inTheClear = { ...requestOf({}), recipient: { phone: '+12025550188' } };
    const far = { ...requestOf({ subjectId: person.subjectId }), expiresAt: '9999-12-31T23:59:59-12:00' };
    const refused = [
      [text('{"broken'), 'request-unreadable'],
      [text({ hello: 'world' }), 'request-unreadable'],
      [text(inTheClear), 'request-unreadable'],
      [{ ...valid, headers: [] }, 'request-unreadable'],
      [recordOf(requestOf({ subjectId: person.subjectId, sealedParameters: damaged })), 'sealed-request-undecryptable'],
      [recordOf(requestOf({ subjectId: person.subjectId, sealedParameters: otherKey })), 'sealed-request-unknown-key'],
    ] as const;
    for (const [record, code] of refused) expect(await refusalAt(await append(record))).toBe(code);
    await append(text(far));
    await dispatchOf(far.requestId);
    await append(valid);
    await waitUntil('the one behind them is sent', () => templates(person).length > 0);
  });

  async function sealed(key: JWK): Promise<string> {
    return sealDispatchRequest(key, { parameters: ['Planted Name'] });
  }
});

describe('the edge', () => {
  const body = offerTo({ phone: '+12025550100' });

  it.each<[string, number, string, () => Promise<TestAnswer>]>([
    ['no token', 401, 'unauthenticated', () => service.request('POST', '/v1/dispatches', { body })],
    ['another role', 403, 'forbidden', () => service.request('POST', '/v1/dispatches', { role: 'capture', body })],
    [
      'no recipient',
      400,
      'invalid-request',
      () => service.request('POST', '/v1/dispatches', { role: 'sender', body: { ...body, recipient: undefined } }),
    ],
    [
      'two recipients',
      400,
      'invalid-recipient',
      () =>
        service.request('POST', '/v1/dispatches', {
          role: 'sender',
          body: { ...body, recipient: { phone: '+12025550100', waId: '12025550100' } },
        }),
    ],
    ['a field nobody knows', 400, 'invalid-request', () => post({ ...body, extra: 1 })],
    ['a list', 400, 'invalid-request', () => post([body])],
    ['half a schedule', 400, 'invalid-schedule', () => post({ ...body, schedule: { kind: 'at' } })],
    [
      'a day that does not exist',
      400,
      'invalid-schedule',
      () => post({ ...body, schedule: { kind: 'local', date: '2026-02-30', time: '09:00' } }),
    ],
    ['a week instead of an instant', 400, 'invalid-request', () => post({ ...body, expiresAt: '2026-W48-1' })],
    ['a leap second', 400, 'invalid-expiry', () => post({ ...body, expiresAt: '2026-12-31T23:59:60Z' })],
    ['a language in capitals', 400, 'invalid-request', () => post({ ...body, template: { ...OFFER, language: 'EN' } })],
    ['a sender of letters', 400, 'invalid-request', () => post({ ...body, senderId: 'abc' })],
    ['an unusable id', 400, 'malformed-request', () => service.request('GET', '/v1/dispatches/1', { role: 'sender' })],
    [
      'a rule set that is none',
      422,
      'invalid-rule-set',
      () => service.request('POST', '/v1/rule-sets', { role: 'admin', body: { id: 'x' } }),
    ],
    [
      'a template with an empty list of buttons',
      400,
      'invalid-request',
      () =>
        service.request('POST', '/v1/templates', {
          role: 'admin',
          body: { ...OFFER, category: 'marketing', body: 'x', bodyParameters: 0, buttons: [] },
        }),
    ],
  ])('answers %s with %i %s and records nothing', async (_what, status, code, request) => {
    await service.caughtUp();
    const before = await counts();
    expect(await request()).toMatchObject({ status, body: { code } });
    expect(await counts()).toEqual(before);
  });

  it('registers senders, templates and rule sets, and lists them', async () => {
    const admin = { role: 'admin' as const };
    const sender = {
      senderId: '100000000000002',
      portfolioId: '200000000000001',
      displayName: 'Acme Two',
      ratePerSecond: 10,
      receiptTemplate: RECEIPT,
    };
    const template = { name: 'second', language: 'en_GB', category: 'utility', body: 'Hi', bodyParameters: 0 };
    expect(await service.request('POST', '/v1/senders', { ...admin, body: sender })).toMatchObject({ status: 201 });
    expect(await service.request('POST', '/v1/templates', { ...admin, body: template })).toMatchObject({ status: 201 });
    const rules = {
      id: 'late',
      version: 1,
      effectiveFrom: '2036-01-01T00:00:00Z',
      base: 'assent@1',
      signedOff: [],
      rules: [],
      exempt: [],
    };
    expect(await service.request('POST', '/v1/rule-sets', { ...admin, body: rules })).toMatchObject({ status: 201 });
    const faulty = { ...rules, version: 2, base: 'assent@99' };
    expect(await service.request('POST', '/v1/rule-sets', { ...admin, body: faulty })).toMatchObject({
      status: 422,
      body: { code: 'invalid-rule-set', faults: [{ path: '/base' }] },
    });
    await service.caughtUp();
    const changed = { ...rules, exempt: [{ class: 'withdrawal-receipt' }] };
    expect(await service.request('POST', '/v1/rule-sets', { ...admin, body: changed })).toMatchObject({
      status: 409,
      body: { code: 'rule-set-version-taken' },
    });
    const lists = await Promise.all(
      ['senders', 'templates', 'rule-sets'].map((name) => service.request('GET', `/v1/${name}`, { role: 'sender' })),
    );
    expect(lists.map(({ body: list }) => JSON.stringify(list))).toEqual([
      expect.stringContaining('Acme Two'),
      expect.stringContaining('en_GB'),
      expect.stringContaining('late'),
    ]);
  });

  function post(body_: unknown): Promise<TestAnswer> {
    return service.request('POST', '/v1/dispatches', { role: 'sender', body: body_ });
  }

  async function counts(): Promise<number[]> {
    const topics = ['dispatch.events', 'dispatch.policy'] as const;
    return Promise.all(topics.map(async (topic) => (await world.stack.records(topic)).length));
  }
});

describe('at the end of it all', () => {
  it('each call was one attempt whose intent is in the log', async () => {
    const intended = (await world.events('dispatch.attempt-intended.v1')).map(({ data }) => data.attemptId);
    const called = world.whatsapp.calls().map(({ bizOpaqueCallbackData = '' }) => bizOpaqueCallbackData.split('.')[0]);
    expect(new Set(called).size).toBe(called.length);
    expect(called.filter((attemptId) => !intended.includes(attemptId ?? ''))).toEqual([]);
    expect(called.length).toBeGreaterThan(10);
  });

  it('nothing about a person is anywhere in the clear', async () => {
    const metrics = await service.request('GET', '/metrics');
    const numbers = world.whatsapp.people().flatMap(({ phone }) => (phone === undefined ? [] : [phone]));
    const planted = [...numbers, '+12025550199', 'Planted Name', 'https://acme.example/c/planted'];
    const allowed = await findPlanted(world.stack, ['+12025550188']);
    expect(allowed.every((place) => place.startsWith('dispatch.requests/'))).toBe(true);
    expect(
      await findPlanted(world.stack, planted, { texts: { logs: service.logs(), metrics: String(metrics.body) } }),
    ).toEqual([]);
  });

  it('the read models built anew are the same', async () => {
    await service.caughtUp();
    const projector: Projector = service.app.get(DISPATCH_PROJECTOR, { strict: false });
    const { equal, documents } = await projector.rebuild(world.stack.log);
    expect({ equal, some: documents > 20 }).toEqual({ equal: true, some: true });
  });
});
