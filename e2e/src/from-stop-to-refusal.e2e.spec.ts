import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedEvent } from '@assent/contracts';
import type { RuntimeConfig } from '@assent/service-runtime';
import {
  findPlanted,
  startTestService,
  startTestStack,
  type TestAnswer,
  type TestService,
  type TestStack,
  waitUntil,
} from '@assent/testing';
import { verifyFolder } from '@assent/verifier';
import { type Simulator, startSimulator } from '@assent/whatsapp-simulator';
import { AuditModule } from '../../services/audit/src/audit.module.ts';
import { AuditConfig } from '../../services/audit/src/config.ts';
import { AUDIT_PROJECTOR } from '../../services/audit/src/tokens.ts';
import { ConsentConfig } from '../../services/consent/src/config.ts';
import { ConsentModule } from '../../services/consent/src/consent.module.ts';
import { CONSENT_PROJECTOR } from '../../services/consent/src/tokens.ts';
import { DispatchConfig } from '../../services/dispatch/src/config.ts';
import { DispatchModule } from '../../services/dispatch/src/dispatch.module.ts';
import { DISPATCH_PROJECTOR } from '../../services/dispatch/src/tokens.ts';
import { SuppressionConfig } from '../../services/suppression/src/config.ts';
import { SuppressionModule } from '../../services/suppression/src/suppression.module.ts';
import { SUPPRESSION_PROJECTOR } from '../../services/suppression/src/tokens.ts';

const SENDER = '100000000000001';
/** Planted: must be nowhere in the clear. */
const PHONE = '+12125550142';
const PARAMETER = 'Grüße von Käthe 4711';
const PATIENCE = { timeoutMs: 30_000 };

let stack: TestStack;
let simulator: Simulator;
let folder: string;
let consent: TestService;
let suppression: TestService;
let dispatch: TestService;
let audit: TestService;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-story-'));
  stack = await startTestStack();
  simulator = await startSimulator({ port: 0, appSecret: 'local-app-secret', verifyToken: 'local-verify-token' });
  const start = (
    name: string,
    configClass: new () => RuntimeConfig,
    module: new (...deps: never[]) => object,
    env = {},
  ): Promise<TestService> => startTestService({ stack, name, configClass, module, env });
  consent = await start('consent', ConsentConfig, ConsentModule, {
    ASSENT_KEK_FILE: join(folder, 'kek'),
  });
  simulator.setWebhookUrl(`${consent.url}/webhooks/whatsapp`);
  suppression = await start('suppression', SuppressionConfig, SuppressionModule);
  dispatch = await start('dispatch', DispatchConfig, DispatchModule, {
    CONSENT_INTERNAL_URL: consent.url,
    WHATSAPP_API_URL: simulator.url,
    DISPATCH_REQUEST_KEYS_FILE: join(folder, 'request-keys.json'),
  });
  audit = await start('audit', AuditConfig, AuditModule, {
    AUDIT_DATA_DIR: join(folder, 'audit'),
    AUDIT_SIGNING_KEY_FILE: join(folder, 'audit-key.pem'),
  });
}, 240_000);

afterAll(async () => {
  await simulator.close();
  for (const service of [dispatch, suppression, consent, audit]) await service.stop();
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

async function ok(answer: Promise<TestAnswer>): Promise<Record<string, unknown>> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body as Record<string, unknown>;
}

async function eventsOf<T extends RecordedEvent['type']>(
  topic: Parameters<TestStack['events']>[0],
  type: T,
): Promise<Extract<RecordedEvent, { type: T }>[]> {
  return (await stack.events(topic)).filter(
    (event): event is Extract<RecordedEvent, { type: T }> => event.type === type,
  );
}

async function publish(): Promise<void> {
  const admin = { role: 'admin' as const };
  const templates = [
    { name: 'stop_receipt', category: 'utility', body: 'You will hear no more from us.', bodyParameters: 0 },
    {
      name: 'confirm',
      category: 'utility',
      body: 'May Acme write to you? {{1}}',
      bodyParameters: 1,
      buttons: [{ kind: 'quick-reply', text: 'Yes' }],
    },
    {
      name: 'offer',
      category: 'marketing',
      body: 'News: {{1}}. Answer STOP to stop.',
      bodyParameters: 1,
      buttons: [{ kind: 'quick-reply', text: 'Stop' }],
    },
  ] as const;
  for (const template of templates) {
    await ok(dispatch.request('POST', '/v1/templates', { ...admin, body: { ...template, language: 'en' } }));
    simulator.registerTemplate({ ...template, language: 'en' });
  }
  const receiptTemplate = { name: 'stop_receipt', language: 'en' };
  const sender = {
    senderId: SENDER,
    portfolioId: '200000000000001',
    displayName: 'Acme',
    ratePerSecond: 80,
    receiptTemplate,
  };
  await ok(dispatch.request('POST', '/v1/senders', { ...admin, body: sender }));
  const everyDay = Object.fromEntries(
    ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'].map((day) => [
      day,
      [['00:00', '24:00']],
    ]),
  );
  const exempt = [{ class: 'withdrawal-receipt' }, { class: 'opt-in-ask', selfStarted: true }];
  const always = {
    id: 'every-day',
    kind: 'windows',
    jurisdiction: '*',
    channel: 'whatsapp',
    status: 'active',
    weekdays: everyDay,
    holidays: 'as-weekday',
    sources: [{ kind: 'own', reference: 'the story is told at any hour' }],
    verifiedOn: '2026-11-24',
    confidence: 'high',
  };
  const rules = {
    id: 'always',
    version: 1,
    effectiveFrom: '2026-01-01T00:00:00Z',
    base: 'none',
    signedOff: [],
    rules: [always],
    exempt,
  };
  await ok(dispatch.request('POST', '/v1/rule-sets', { ...admin, body: rules }));
  await ok(
    consent.request('POST', '/v1/purposes', {
      ...admin,
      body: { purposeId: 'news', name: 'News', description: 'About tea', category: 'marketing' },
    }),
  );
  const text = { language: 'en', title: 'News', body: 'Once a week.', checkbox: 'I agree', optOutHint: 'Answer STOP' };
  const notice = { noticeId: 'news', version: 1, purposeIds: ['news'], controllerName: 'Acme', texts: [text] };
  const { position } = await ok(consent.request('POST', '/v1/notices', { ...admin, body: notice }));
  const point = {
    capturePointId: 'sms',
    methods: ['keyword'],
    noticeId: 'news',
    senderId: SENDER,
    keyword: 'JOIN',
    language: 'en',
    confirmationTemplate: { name: 'confirm', language: 'en' },
  };
  await ok(
    consent.request('POST', '/v1/capture-points', {
      ...admin,
      body: point,
      headers: { 'assent-min-position': String(position) },
    }),
  );
  await consent.caughtUp();
  await dispatch.caughtUp();
}

const ask = (schedule: object): Promise<TestAnswer> =>
  dispatch.request('POST', '/v1/dispatches', {
    role: 'sender',
    body: {
      recipient: { phone: PHONE },
      purposeId: 'news',
      senderId: SENDER,
      template: { name: 'offer', language: 'en' },
      parameters: [PARAMETER],
      schedule,
    },
  });
const statusOf = async (id: unknown): Promise<unknown> =>
  ((await dispatch.request('GET', `/v1/dispatches/${String(id)}`, { role: 'sender' })).body as { status?: unknown })
    .status;
const inbox = (): readonly { template?: { name: string } }[] => simulator.inbox(PHONE).messages;
const received = (name: string): number => inbox().filter(({ template }) => template?.name === name).length;

describe('one person, from the opt-in to the refusal after STOP', () => {
  let now: Record<string, unknown>;
  let tomorrow: Record<string, unknown>;

  it('opts in by keyword and confirms from the same number', async () => {
    await publish();
    simulator.registerPerson({ phone: PHONE, behaviour: { autoConfirmAfterMs: 20 } });
    expect(await ask({ kind: 'now' })).toMatchObject({
      body: { status: 'refused', reasons: [{ code: 'no-consent' }] },
    });
    simulator.act(PHONE, { text: 'Join' });
    await waitUntil(
      'the grant is in the log',
      async () => (await eventsOf('consent.events', 'consent.granted.v1')).length === 1,
      PATIENCE,
    );
    expect(received('confirm')).toBe(1);
  }, 90_000);

  it('gets the message that was asked for', async () => {
    await dispatch.caughtUp();
    now = await ok(ask({ kind: 'now' }));
    expect(now['status']).toBe('planned');
    await waitUntil(
      'it is delivered',
      async () => ['delivered', 'read'].includes(String(await statusOf(now['dispatchId']))),
      PATIENCE,
    );
    expect(received('offer')).toBe(1);
  }, 60_000);

  it('writes STOP, gets one receipt, and what was planned is cancelled', async () => {
    tomorrow = await ok(ask({ kind: 'at', at: new Date(Date.now() + 86_400_000).toISOString() }));
    expect(tomorrow['status']).toBe('planned');
    await dispatch.caughtUp();
    simulator.act(PHONE, { text: 'STOP' });
    await waitUntil('the receipt arrived', () => received('stop_receipt') === 1, PATIENCE);
    await waitUntil('it is cancelled', async () => (await statusOf(tomorrow['dispatchId'])) === 'cancelled', PATIENCE);
  }, 60_000);

  it('is refused to everybody from then on, with the position of the withdrawal', async () => {
    const refused = await ask({ kind: 'now' });
    const [withdrawn] = await eventsOf('consent.events', 'consent.withdrawn.v1');
    const at = withdrawn?.position;
    const ref = `consent.events/${at?.partition}@${at?.offset}`;
    expect(refused).toMatchObject({ status: 202, body: { status: 'refused', reasons: [{ code: 'withdrawn', ref }] } });
    const check = { recipient: { phone: PHONE }, purposeId: 'news', senderId: SENDER };
    expect(await suppression.request('POST', '/v1/checks', { role: 'sender', body: check })).toMatchObject({
      body: { answer: 'block' },
    });
    expect(received('offer')).toBe(1);
  });

  it('is explained to the auditor', async () => {
    await audit.caughtUp();
    const explained = await audit.request('GET', `/v1/explanations/${String(now['dispatchId'])}`, { role: 'auditor' });
    expect(explained.status).toBe(200);
    expect(JSON.stringify(explained.body)).toContain('dispatch.attempt-intended.v1');
  });

  it('leaves every attempt with an intent before its outcome and a vector that covers no earlier STOP', async () => {
    const attempts = await eventsOf('dispatch.events', 'dispatch.attempt-intended.v1');
    expect(attempts.map(({ data }) => data.class).sort()).toEqual(['message', 'opt-in-ask', 'withdrawal-receipt']);
    const [withdrawn] = await eventsOf('consent.events', 'consent.withdrawn.v1');
    const log = `consent.events/${withdrawn?.position.partition}`;
    const message = attempts.find(({ data }) => data.class === 'message');
    expect(message?.data.gate.positions[log]).toBeLessThanOrEqual(withdrawn?.position.offset ?? -1);
  });

  it('rebuilds every read model to an equal digest', async () => {
    const projectors = [
      [consent, CONSENT_PROJECTOR],
      [suppression, SUPPRESSION_PROJECTOR],
      [dispatch, DISPATCH_PROJECTOR],
      [audit, AUDIT_PROJECTOR],
    ] as const;
    for (const [service, token] of projectors) {
      await service.caughtUp();
      const projector = service.app.get<{ rebuild(log: unknown): Promise<{ equal: boolean }> }>(token, {
        strict: false,
      });
      expect((await projector.rebuild(stack.log)).equal).toBe(true);
    }
  }, 120_000);

  it('leaves no number and no text in the clear in topics, stores, tiles or logs', async () => {
    const texts = {
      consent: consent.logs(),
      suppression: suppression.logs(),
      dispatch: dispatch.logs(),
      audit: audit.logs(),
    };
    expect(await findPlanted(stack, [PHONE, PARAMETER], { texts, folders: [join(folder, 'audit')] })).toEqual([]);
  });

  it('is verified from the folder with no service running', async () => {
    await audit.caughtUp();
    for (const service of [dispatch, suppression, consent, audit]) await service.stop();
    const report = await verifyFolder({ folder: join(folder, 'audit', 'public') });
    expect(report).toMatchObject({ ok: true, faults: [] });
  }, 60_000);
});
