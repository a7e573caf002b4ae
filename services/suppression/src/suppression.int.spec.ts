import { dataSchemaOf, deterministicId, encodeEvent, type EventData, type EventType } from '@assent/contracts';
import { AddressKeys, addressesOf, parsePeppers } from '@assent/identity';
import {
  findPlanted,
  startTestService,
  startTestStack,
  type TestAnswer,
  type TestService,
  type TestStack,
} from '@assent/testing';
import { SuppressionConfig } from './config.ts';
import { SuppressionModule } from './suppression.module.ts';
import { SUPPRESSION_PROJECTOR } from './tokens.ts';

const ada = { phone: '+12125550101', subjectId: '11111111-1111-4111-8111-111111111101' };
const ben = { phone: '+12125550102', subjectId: '11111111-1111-4111-8111-111111111102' };
const keys = new AddressKeys(parsePeppers('local:bG9jYWwtcGVwcGVyLW9mLXRoaXJ0eS10d28tYnl0ZXM='));
const sealed = `v1.${'A'.repeat(16)}.${'B'.repeat(43)}`;

let stack: TestStack;
let service: TestService;

beforeAll(async () => {
  stack = await startTestStack();
  service = await startTestService({
    stack,
    name: 'suppression',
    configClass: SuppressionConfig,
    module: SuppressionModule,
  });
  await append('consent.catalog', 'purpose.published.v1', 'news', {
    purposeId: 'news',
    name: 'News',
    description: 'News about tea',
    category: 'marketing',
  });
  await register(ada);
  await register(ben);
}, 120_000);

afterAll(async () => {
  await service.stop();
  await stack.stop();
}, 60_000);

type Topic = Parameters<typeof encodeEvent>[0];

async function append<T extends EventType>(
  topic: Topic,
  type: T,
  key: string,
  data: EventData[T],
  time = '2026-11-20T09:00:00.000Z',
): Promise<void> {
  const id = deterministicId(type, key, JSON.stringify(data));
  const event = {
    id,
    source: '/test',
    type,
    time,
    tenant: 'acme',
    partitionKey: key,
    dataSchema: dataSchemaOf(type),
    data,
  };
  await stack.log.append([encodeEvent(topic, event as unknown as Parameters<typeof encodeEvent>[1])]);
}

async function register({ phone, subjectId }: typeof ada): Promise<void> {
  const [address] = addressesOf({ phone });
  const addressKey = keys.keyOf('acme', address!);
  await append('consent.events', 'subject.address-registered.v1', subjectId, {
    subjectId,
    addressKey,
    kind: 'phone',
    sealedAddress: sealed,
  });
}

async function withdraw(subjectId: string, at: string): Promise<void> {
  await append('consent.events', 'consent.withdrawn.v1', subjectId, {
    subjectId,
    withdrawalId: deterministicId('w', subjectId, at),
    scope: { kind: 'all' },
    lane: 'person',
    method: 'keyword',
    occurredAt: at,
    effectiveAt: at,
    receiptDue: false,
  });
}

const check = (body: object, role: 'sender' | 'capture' = 'sender'): Promise<TestAnswer> =>
  service.request('POST', '/v1/checks', { role, body });
const about = { purposeId: 'news', senderId: '100000000000001' };

describe('a check', () => {
  it('is clear for somebody of whom nothing is known, and says that this is not consent', async () => {
    const answer = await check({ recipient: { phone: '+12125550177' }, ...about });
    expect(answer).toMatchObject({ status: 200, body: { answer: 'clear', causes: [] } });
    expect((answer.body as { text: string }).text).toContain('not yet consent');
  });

  it('blocks as soon as a withdrawal is in the log, without anybody waiting for it', async () => {
    await withdraw(ada.subjectId, '2026-11-20T10:00:00.000Z');
    const answer = await check({ recipient: { phone: '+1 212 555 0101' }, ...about });
    expect(answer.body).toMatchObject({ answer: 'block', causes: [{ kind: 'withdrawal', scope: { kind: 'all' } }] });
  });

  it('is on hold for an id that names nobody', async () => {
    const answer = await check({ recipient: { subjectId: '99999999-9999-4999-8999-999999999999' } });
    expect(answer.body).toMatchObject({ answer: 'hold', reasons: [{ code: 'recipient-unknown' }] });
  });

  it('is clear again after a proven grant that came later', async () => {
    await append('consent.events', 'consent.granted.v1', ada.subjectId, {
      subjectId: ada.subjectId,
      grantId: deterministicId('g', ada.subjectId),
      purposeIds: ['news'],
      basis: 'confirmed',
      requestedAt: '2026-11-21T10:00:00.000Z',
      grantedAt: '2026-11-21T10:01:00.000Z',
      noticeId: 'news',
      noticeVersion: 1,
      method: 'keyword',
    });
    expect((await check({ recipient: { phone: ada.phone }, ...about })).body).toMatchObject({ answer: 'clear' });
  });

  it('answers many in the order asked, with the positions it waited for', async () => {
    const checks = [
      { recipient: { phone: ada.phone }, ...about },
      { recipient: { subjectId: ben.subjectId }, ...about },
    ];
    const answer = await check({ checks });
    const { answers } = answer.body as { answers: { answer: string; positions: Record<string, number> }[] };
    expect(answers.map((one) => one.answer)).toEqual(['clear', 'clear']);
    expect(Object.keys(answers[0]?.positions ?? {}).some((log) => log.startsWith('consent.events/'))).toBe(true);
  });

  it('holds while the purpose is not known', async () => {
    const answer = await check({ recipient: { phone: ben.phone }, purposeId: 'unheard-of' });
    expect(answer.body).toMatchObject({ answer: 'hold', reasons: [{ code: 'purpose-unknown' }] });
  });

  it('holds a sender for which a withdrawal is quarantined', async () => {
    const senderId = '999999999999999';
    await append('consent.events', 'consent.withdrawal-quarantined.v1', `sender:${senderId}`, {
      senderId,
      receivedAt: '2026-11-20T10:00:00.000Z',
      reason: 'unknown-sender',
      sealedUpdate: sealed,
    });
    const answer = await check({ recipient: { phone: ben.phone }, purposeId: 'news', senderId });
    expect(answer.body).toMatchObject({ answer: 'hold', reasons: [{ code: 'sender-held' }] });
  });

  it.each<[string, object, number, string]>([
    ['no recipient', {}, 400, 'invalid-request'],
    ['two ways to name the person', { recipient: { phone: '1', waId: '1' } }, 400, 'invalid-recipient'],
    ['an unknown field', { recipient: { phone: '+12125550101' }, extra: 1 }, 400, 'invalid-request'],
    ['both forms at once', { recipient: { phone: '1' }, checks: [] }, 400, 'invalid-request'],
  ])('refuses %s', async (_, body, status, code) => {
    expect(await check(body)).toMatchObject({ status, body: { code } });
  });

  it('refuses a role that may not ask', async () => {
    expect(await check({ recipient: { phone: ben.phone } }, 'capture')).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
  });
});

describe('a manual suppression', () => {
  let causeId: string;
  const operator = { role: 'operator' as const };

  it('blocks an address at once, whether or not anybody is known by it', async () => {
    const body = { recipient: { phone: '+12125550178' }, reason: 'asked-by-phone' };
    const added = await service.request('POST', '/v1/suppressions', { ...operator, body });
    expect(added.status).toBe(201);
    causeId = (added.body as { causeIds: string[] }).causeIds[0] ?? '';
    const answer = await check({ recipient: { phone: '+12125550178' }, ...about });
    expect(answer.body).toMatchObject({ answer: 'block', causes: [{ id: causeId, kind: 'manual' }] });
  });

  it('is found with its reason', async () => {
    const body = { recipient: { phone: '+12125550178' } };
    expect((await service.request('POST', '/v1/suppressions/search', { ...operator, body })).body).toMatchObject({
      causes: [{ causeId, reason: 'asked-by-phone' }],
    });
  });

  it('is lifted by its id only', async () => {
    const lift = (causeIds: string[]): Promise<TestAnswer> =>
      service.request('POST', '/v1/suppressions/lift', { ...operator, body: { causeIds, reason: 'mistake' } });
    const withdrawal = deterministicId('w', ada.subjectId, '2026-11-20T10:00:00.000Z');
    expect(await lift([withdrawal])).toMatchObject({ status: 422, body: { code: 'not-liftable' } });
    expect(await lift([causeId])).toMatchObject({ status: 200, body: { lifted: [causeId] } });
    expect((await check({ recipient: { phone: '+12125550178' }, ...about })).body).toMatchObject({ answer: 'clear' });
  });

  it('answers a repeat under its key the same, and another body with 409', async () => {
    const send = (reason: string): Promise<TestAnswer> =>
      service.request('POST', '/v1/suppressions', {
        ...operator,
        body: { recipient: { phone: '+12125550179' }, reason },
        headers: { 'idempotency-key': 'once' },
      });
    const first = await send('first');
    expect(await send('first')).toMatchObject({ status: 201, body: first.body });
    expect(await send('second')).toMatchObject({ status: 409, body: { code: 'idempotency-key-reused' } });
  });

  it.each<[string, object, string]>([
    ['a scope that is none', { recipient: { phone: '1' }, reason: 'x', scope: { kind: 'purpose' } }, 'invalid-scope'],
    ['a reason that could name somebody', { recipient: { phone: '1' }, reason: 'Ada asked' }, 'invalid-request'],
  ])('refuses %s', async (_, body, code) => {
    expect(await service.request('POST', '/v1/suppressions', { ...operator, body })).toMatchObject({
      status: 400,
      body: { code },
    });
  });
});

describe('the service', () => {
  it('keeps no number in the clear anywhere', async () => {
    await service.caughtUp();
    expect(await findPlanted(stack, ['12125550178', '12125550101'], { texts: { log: service.logs() } })).toEqual([]);
  });

  it('reports how long a withdrawal took to get into its read models', async () => {
    await withdraw(ada.subjectId, '2026-11-22T10:00:00.000Z');
    await service.caughtUp();
    const { body } = await service.request('GET', '/metrics');
    expect(body).toMatch(/^optout_propagation_seconds_count\{service="suppression"\} [1-9]/m);
    expect(body).toMatch(/^barrier_stale_end_offsets_total\{service="suppression"\} 0$/m);
  });

  it('rebuilds its read models to an equal digest', async () => {
    const projector = service.app.get<{ rebuild(log: unknown): Promise<{ equal: boolean }> }>(SUPPRESSION_PROJECTOR, {
      strict: false,
    });
    await service.caughtUp();
    expect((await projector.rebuild(stack.log)).equal).toBe(true);
  });
});
