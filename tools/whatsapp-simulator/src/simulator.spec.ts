import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Changes } from './changes.ts';
import { systemClock } from './clock.ts';
import type { Simulator } from './simulator-api.ts';
import { startSimulator, type SimulatorOptions } from './simulator.ts';

const SENDER = '100000000000001';
const APP_SECRET = 'test-app-secret';
const PATIENCE_MS = 5_000;

interface Change {
  field: string;
  value: Record<string, unknown> & {
    statuses?: Record<string, unknown>[];
    messages?: Record<string, unknown>[];
    contacts?: Record<string, unknown>[];
    user_preferences?: Record<string, unknown>[];
  };
}
interface ReceivedPost {
  raw: Buffer;
  signature: string | undefined;
  changes: Change[];
  entries: { id: string; time?: number }[];
}

/** The business's side: keeps what it is sent and answers what it is told to. */
class Business {
  readonly posts: ReceivedPost[] = [];
  answers: number[] = [];
  challengeAnswer: ((challenge: string) => string) | undefined;
  private readonly changes = new Changes();
  private server: Server | undefined;
  url = '';

  async start(): Promise<this> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '', 'http://localhost');
        if (request.method === 'GET') {
          const known = url.searchParams.get('hub.verify_token') === 'test-verify-token';
          response.writeHead(known ? 200 : 403).end(url.searchParams.get('hub.challenge'));
          return;
        }
        const raw = Buffer.concat(chunks);
        const status = this.answers.shift() ?? 200;
        if (status === 200) this.keep(raw, request.headers['x-hub-signature-256']);
        response.writeHead(status).end();
        this.changes.notify();
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/webhooks/whatsapp`;
    return this;
  }

  statuses(): Record<string, unknown>[] {
    return this.all().flatMap(({ value }) => value.statuses ?? []);
  }

  messages(): Record<string, unknown>[] {
    return this.all().flatMap(({ value }) => value.messages ?? []);
  }

  all(): Change[] {
    return this.posts.flatMap(({ changes }) => changes);
  }

  async until(holds: () => boolean): Promise<void> {
    expect(await this.changes.until(holds, PATIENCE_MS)).toBe(true);
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private keep(raw: Buffer, signature: string | string[] | undefined): void {
    const envelope = JSON.parse(raw.toString('utf8')) as {
      object: string;
      entry: { id: string; time?: number; changes: Change[] }[];
    };
    expect(envelope.object).toBe('whatsapp_business_account');
    this.posts.push({
      raw,
      signature: Array.isArray(signature) ? signature[0] : signature,
      entries: envelope.entry,
      changes: envelope.entry.flatMap(({ changes }) => changes),
    });
  }
}

const anyString: unknown = expect.any(String);
const anyNumber: unknown = expect.any(Number);
const anyList: unknown = expect.any(Array);
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
const withPart = (part: object): unknown => expect.objectContaining(part);

let business: Business;
let simulator: Simulator;
const extra: Simulator[] = [];

const start = (options: Partial<SimulatorOptions> = {}) =>
  startSimulator({
    port: 0,
    webhookUrl: business.url,
    appSecret: APP_SECRET,
    verifyToken: 'test-verify-token',
    statusDelayMs: 5,
    webhookRetryBaseMs: 5,
    webhookInFlightMax: 1,
    ...options,
  });
const startAnother = async (options: Partial<SimulatorOptions>) => {
  const another = await start(options);
  extra.push(another);
  return another;
};

const offer = {
  messaging_product: 'whatsapp',
  to: '+12025550123',
  type: 'template',
  template: { name: 'offer', language: { code: 'en' }, components: [body('Ada')] },
  biz_opaque_callback_data: 'attempt-1',
};
const ask = {
  ...offer,
  template: {
    name: 'ask',
    language: { code: 'en' },
    components: [
      body('Acme'),
      {
        type: 'button',
        sub_type: 'quick_reply',
        index: '0',
        parameters: [{ type: 'payload', payload: 'CONFIRM|abc' }],
      },
    ],
  },
};
function body(...texts: string[]): object {
  return { type: 'body', parameters: texts.map((text) => ({ type: 'text', text })) };
}

async function send(
  message: unknown,
  o: { to?: Simulator; path?: string; token?: string | null; raw?: string } = {},
): Promise<{ status: number; answer: { error?: Record<string, unknown>; messages?: { id: string }[] } & object }> {
  const token = o.token === undefined ? 'any-token' : o.token;
  const response = await fetch(`${(o.to ?? simulator).url}${o.path ?? `/v23.0/${SENDER}/messages`}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: o.raw ?? JSON.stringify(message),
  });
  return { status: response.status, answer: (await response.json()) as object };
}
const codeOf = (sent: { answer: { error?: Record<string, unknown> } }) => sent.answer.error?.['code'];

async function control(method: string, path: string, content?: object): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${simulator.url}/simulator${path}`, {
    method,
    ...(content === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(content) }),
  });
  const text = await response.text();
  return { status: response.status, answer: text === '' ? undefined : JSON.parse(text) };
}

beforeEach(async () => {
  business = await new Business().start();
  simulator = await start();
  simulator.registerPerson({ phone: '+12025550123', name: 'Ada', bsuid: 'US.1349112' });
  simulator.registerTemplate({ name: 'offer', language: 'en', category: 'marketing', body: 'Hello {{1}}' });
  simulator.registerTemplate({
    name: 'ask',
    language: 'en',
    category: 'utility',
    body: '{{1}} may write to you?',
    buttons: [{ kind: 'quick-reply', text: 'Yes' }],
  });
});

afterEach(async () => {
  await Promise.all([simulator, ...extra.splice(0)].map((running) => running.close()));
  await business.stop();
});

describe('a call that sends a message', () => {
  it('is answered with the id and the recipient as the Cloud API does', async () => {
    expect(await send(offer)).toEqual({
      status: 200,
      answer: {
        messaging_product: 'whatsapp',
        contacts: [{ input: '+12025550123', wa_id: '12025550123' }],
        messages: [{ id: matching(/^wamid\.[A-Za-z0-9+/=]{32}$/), message_status: 'accepted' }],
      },
    });
  });

  it('may leave the version out', async () => {
    expect((await send(offer, { path: `/${SENDER}/messages` })).status).toBe(200);
  });

  it('to a user id is answered with the user id', async () => {
    const { answer } = await send({ ...offer, to: undefined, recipient: 'US.1349112' });
    expect(answer).toMatchObject({ contacts: [{ input: 'US.1349112', user_id: 'US.1349112' }] });
  });

  it('finds the person under the wa_id and under the phone where these differ', async () => {
    simulator.registerPerson({ phone: '+5521981234567', waId: '552181234567' });
    expect((await send({ ...offer, to: '+5521981234567' })).answer).toMatchObject({
      contacts: [{ input: '+5521981234567', wa_id: '552181234567' }],
    });
    expect((await send({ ...offer, to: '552181234567' })).answer).toMatchObject({
      contacts: [{ wa_id: '552181234567' }],
    });
  });

  it.each<[string, unknown, Parameters<typeof send>[1], number, number]>([
    ['without a token', offer, { token: null }, 401, 190],
    ['from an unknown number', offer, { path: '/v23.0/999999/messages' }, 400, 100],
    ['under an unknown path', offer, { path: '/v23.0/nowhere' }, 400, 2500],
    ['with broken JSON', undefined, { raw: '{' }, 400, 100],
    ['with a body of more than a megabyte', undefined, { raw: ' '.repeat(1_100_000) }, 413, 100],
    ['of an unknown template', { ...offer, template: { ...offer.template, name: 'x' } }, {}, 404, 132001],
    [
      'of a template in another language',
      { ...offer, template: { ...offer.template, language: { code: 'de' } } },
      {},
      404,
      132001,
    ],
    ['with too few parameters', { ...offer, template: { ...offer.template, components: [] } }, {}, 400, 132000],
    ['to the sender itself', { ...offer, to: '+12025550100' }, {}, 400, 131021],
    ['with free text outside the service window', { ...offer, type: 'text', text: { body: 'Hi' } }, {}, 400, 131047],
  ])('%s is refused', async (_, message, options, status, code) => {
    const refused = await send(message, options);
    expect(refused).toEqual({
      status,
      answer: {
        error: {
          message: matching(/^\(#\d+\) /),
          type: matching(/Exception$/),
          code,
          error_data: { messaging_product: 'whatsapp', details: anyString },
          fbtrace_id: anyString,
          ...(options?.path?.includes('999999') ? { error_subcode: 33 } : {}),
        },
      },
    });
  });

  it('with another token than the configured one is refused', async () => {
    const strict = await startAnother({ accessToken: 'right' });
    expect(codeOf(await send(offer, { to: strict, token: 'wrong' }))).toBe(190);
    expect(codeOf(await send(offer, { to: strict, token: 'right' }))).toBe(132001);
  });

  it('beyond the throughput of the number is refused', async () => {
    const slow = await startAnother({ throughputPerSecond: 1, acceptAnyTemplate: true, unknownRecipients: 'create' });
    expect((await send(offer, { to: slow })).status).toBe(200);
    expect(codeOf(await send(offer, { to: slow }))).toBe(130429);
  });

  it('to one person more than 45 times in a row is refused', async () => {
    const busy = await startAnother({
      throughputPerSecond: 1_000,
      acceptAnyTemplate: true,
      unknownRecipients: 'create',
    });
    for (let count = 0; count < 45; count += 1) expect((await send(offer, { to: busy })).status).toBe(200);
    expect(codeOf(await send(offer, { to: busy }))).toBe(131056);
  });

  it('with free text is taken for 24 hours after the person wrote', async () => {
    let now = Date.parse('2026-11-24T10:00:00Z');
    const timed = await startAnother({ clock: { now: () => now, monotonicMs: systemClock.monotonicMs } });
    timed.registerPerson({ phone: '+12025550123' });
    const text = { ...offer, type: 'text', text: { body: 'Hi' } };
    timed.act('12025550123', { text: 'Hello' });
    now += 86_399_999;
    expect((await send(text, { to: timed })).status).toBe(200);
    now += 1;
    expect(codeOf(await send(text, { to: timed }))).toBe(131047);
  });

  it.each([
    ['undeliverable', 200],
    ['refuse', 131030],
    ['create', 200],
  ] as const)('to a number that nobody has is answered by the rule %s', async (unknownRecipients, expected) => {
    const other = await startAnother({ unknownRecipients, acceptAnyTemplate: true });
    const sent = await send(offer, { to: other });
    expect(codeOf(sent) ?? sent.status).toBe(expected);
    if (unknownRecipients !== 'undeliverable') return;
    await business.until(() => business.statuses().length === 1);
    expect(business.statuses()[0]).toMatchObject({
      status: 'failed',
      recipient_id: '12025550123',
      errors: [{ code: 131026 }],
    });
  });
});

describe('the statuses of a message', () => {
  it('come in order with the callback data, the recipient and the price', async () => {
    simulator.registerPerson({ phone: '+12025550123', behaviour: { autoReadAfterMs: 5 } });
    const { answer } = await send(offer);
    await business.until(() => business.statuses().length === 3);
    expect(business.statuses().map(({ status }) => status)).toEqual(['sent', 'delivered', 'read']);
    expect(business.statuses()[0]).toEqual({
      id: answer.messages?.[0]?.id,
      status: 'sent',
      timestamp: matching(/^\d{10}$/),
      recipient_id: '12025550123',
      recipient_user_id: 'US.1349112',
      biz_opaque_callback_data: 'attempt-1',
      pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' },
    });
    expect(business.all()[0]?.value).toMatchObject({
      messaging_product: 'whatsapp',
      metadata: { phone_number_id: SENDER, display_phone_number: '12025550100' },
      contacts: [{ profile: { name: 'Ada' }, wa_id: '12025550123', user_id: 'US.1349112' }],
    });
  });

  it('leave the phone out for a person who hides it', async () => {
    simulator.registerPerson({ bsuid: 'GB.77', username: '@grace' });
    await send({ ...offer, to: undefined, recipient: 'GB.77' });
    await business.until(() => business.statuses().length === 2);
    const [sent, delivered] = business.all();
    expect(sent?.value.statuses?.[0]).toMatchObject({ recipient_user_id: 'GB.77' });
    expect(sent?.value.statuses?.[0]).not.toHaveProperty('recipient_id');
    expect(delivered?.value.contacts).toEqual([
      { profile: { name: 'Test Person', username: '@grace' }, user_id: 'GB.77' },
    ]);
  });

  it('are one failure, without contacts and user id, for a person who stopped marketing', async () => {
    simulator.act('12025550123', { preference: 'stop' });
    expect((await send(offer)).status).toBe(200);
    await business.until(() => business.statuses().length === 1);
    const change = business.all().find(({ value }) => value.statuses !== undefined);
    expect(change?.value).not.toHaveProperty('contacts');
    expect(change?.value.statuses?.[0]).toEqual({
      id: anyString,
      status: 'failed',
      timestamp: anyString,
      recipient_id: '12025550123',
      biz_opaque_callback_data: 'attempt-1',
      errors: [
        withPart({
          code: 131050,
          title: anyString,
          error_data: { details: anyString },
        }),
      ],
    });
    expect(simulator.inbox('12025550123').total).toBe(0);
  });

  it('are refused in the reply instead when that is asked for, until the person resumes', async () => {
    const other = await startAnother({ stopErrorIn: 'reply', acceptAnyTemplate: true });
    other.registerPerson({ phone: '+12025550123' });
    other.act('12025550123', { preference: 'stop' });
    expect(codeOf(await send(offer, { to: other }))).toBe(131050);
    other.act('12025550123', { preference: 'resume' });
    expect((await send(offer, { to: other })).status).toBe(200);
  });

  it('stop at sent for a person who is out of reach', async () => {
    simulator.registerPerson({ phone: '+12025550123', behaviour: { deliver: false } });
    await send(offer);
    await simulator.until(() => simulator.isSettled(), PATIENCE_MS);
    expect(business.statuses().map(({ status }) => status)).toEqual(['sent']);
  });

  it('are a failure with the code that the person or a fault names', async () => {
    simulator.addFault({ kind: 'fail-status', times: 1, code: 131049 });
    await send(offer);
    simulator.registerPerson({ phone: '+12025550123', behaviour: { failWithCode: 130472 } });
    await send(offer);
    await business.until(() => business.statuses().length === 2);
    expect(business.statuses().map(({ errors }) => (errors as { code: number }[])[0]?.code)).toEqual([131049, 130472]);
  });
});

describe('a person', () => {
  it('finds the filled template with its buttons in the inbox', async () => {
    const { answer } = await send(ask);
    await simulator.until(() => simulator.inbox('+12025550123').total === 1, PATIENCE_MS);
    expect(simulator.inbox('US.1349112').messages).toEqual([
      {
        messageId: answer.messages?.[0]?.id,
        phoneNumberId: SENDER,
        receivedAtMs: anyNumber,
        type: 'template',
        text: 'Acme may write to you?',
        template: { name: 'ask', language: 'en', parameters: ['Acme'] },
        buttons: [{ text: 'Yes', payload: 'CONFIRM|abc' }],
      },
    ]);
  });

  it('writes a text', async () => {
    const { messageId } = simulator.act('12025550123', { text: 'STOP', atMs: 1_764_000_000_999 });
    await business.until(() => business.messages().length === 1);
    expect(business.messages()).toEqual([
      {
        from: '12025550123',
        from_user_id: 'US.1349112',
        id: messageId,
        timestamp: '1764000000',
        type: 'text',
        text: { body: 'STOP' },
      },
    ]);
    expect(business.all()[0]?.value.contacts).toEqual([
      { profile: { name: 'Ada' }, wa_id: '12025550123', user_id: 'US.1349112' },
    ]);
  });

  it('without a phone writes under the user id alone', async () => {
    simulator.registerPerson({ bsuid: 'GB.77' });
    simulator.act('GB.77', { text: 'Hi' });
    await business.until(() => business.messages().length === 1);
    expect(business.messages()[0]).toMatchObject({ from_user_id: 'GB.77' });
    expect(business.messages()[0]).not.toHaveProperty('from');
    expect(business.all()[0]?.value.contacts?.[0]).not.toHaveProperty('wa_id');
  });

  it('presses a button of a template', async () => {
    const { answer } = await send(ask);
    await simulator.until(() => simulator.inbox('12025550123').total === 1, PATIENCE_MS);
    simulator.act('12025550123', { button: { text: 'Yes' } });
    await business.until(() => business.messages().length === 1);
    expect(business.messages()[0]).toMatchObject({
      type: 'button',
      button: { payload: 'CONFIRM|abc', text: 'Yes' },
      context: { from: '12025550100', id: answer.messages?.[0]?.id },
    });
  });

  it('presses a button of an interactive message', async () => {
    simulator.act('12025550123', { text: 'Hi' });
    const interactive = {
      type: 'button',
      body: { text: 'Sure?' },
      action: { buttons: [{ type: 'reply', reply: { id: 'yes-1', title: 'Yes' } }] },
    };
    expect((await send({ ...offer, type: 'interactive', interactive })).status).toBe(200);
    await simulator.until(() => simulator.inbox('12025550123').total === 1, PATIENCE_MS);
    simulator.act('12025550123', { button: { payload: 'yes-1' } });
    await business.until(() => business.messages().length === 2);
    expect(business.messages()[1]).toMatchObject({
      type: 'interactive',
      interactive: { type: 'button_reply', button_reply: { id: 'yes-1', title: 'Yes' } },
    });
  });

  it('cannot press a button they never got, unless the press is forged', async () => {
    expect(() => simulator.act('12025550123', { button: { payload: 'CONFIRM|x' } })).toThrow(
      withPart({ code: 'no-such-button' }) as Error,
    );
    simulator.act('12025550123', { button: { payload: 'CONFIRM|x', messageId: 'wamid.old', forged: true } });
    await business.until(() => business.messages().length === 1);
    expect(business.messages()[0]).toMatchObject({ button: { payload: 'CONFIRM|x' }, context: { id: 'wamid.old' } });
  });

  it('confirms by themselves when told to, and only what asks for it', async () => {
    simulator.registerPerson({ phone: '+12025550123', behaviour: { autoConfirmAfterMs: 5 } });
    await send(offer);
    await send(ask);
    await business.until(() => business.messages().length === 1);
    await simulator.until(() => simulator.isSettled(), PATIENCE_MS);
    expect(business.messages()).toEqual([
      withPart({ type: 'button', button: { payload: 'CONFIRM|abc', text: 'Yes' } }),
    ]);
  });

  it('stops marketing in the app', async () => {
    simulator.act('12025550123', { preference: 'stop', atMs: 1_764_000_000_999 });
    await business.until(() => business.all().length === 1);
    expect(business.all()[0]).toMatchObject({
      field: 'user_preferences',
      value: {
        metadata: { phone_number_id: SENDER },
        user_preferences: [
          {
            wa_id: '12025550123',
            user_id: 'US.1349112',
            category: 'marketing_messages',
            value: 'stop',
            timestamp: 1_764_000_000,
          },
        ],
      },
    });
  });

  it('sends a message of any other type', async () => {
    simulator.act('12025550123', { raw: { type: 'image', image: { id: '7', caption: 'stop' } }, answers: 'wamid.x' });
    await business.until(() => business.messages().length === 1);
    expect(business.messages()[0]).toMatchObject({
      type: 'image',
      image: { id: '7', caption: 'stop' },
      context: { id: 'wamid.x' },
    });
  });
});

describe('a webhook', () => {
  it('is signed over the exact bytes that are sent', async () => {
    simulator.act('12025550123', { text: 'Grüße 👋 \u2028 </script>' });
    await business.until(() => business.posts.length === 1);
    const post = business.posts[0];
    const expected = createHmac('sha256', APP_SECRET)
      .update(post?.raw ?? '')
      .digest('hex');
    expect(post?.signature).toBe(`sha256=${expected}`);
  });

  it('carries several updates in one POST', async () => {
    for (let count = 0; count < 30; count += 1) simulator.act('12025550123', { text: String(count) });
    await business.until(() => business.messages().length === 30);
    expect(business.posts).toHaveLength(1);
    expect(business.posts[0]?.entries).toHaveLength(1);
    expect(business.messages().map(({ text }) => (text as { body: string }).body)).toEqual(
      Array.from({ length: 30 }, (_, count) => String(count)),
    );
  });

  it('carries no more updates than it may', async () => {
    const small = await startAnother({ webhookBatchMax: 4 });
    small.registerPerson({ phone: '+12025550123' });
    for (let count = 0; count < 10; count += 1) small.act('12025550123', { text: 'x' });
    await business.until(() => business.messages().length === 10);
    expect(business.posts.map(({ changes }) => changes.length)).toEqual([4, 4, 2]);
  });

  it('comes again with the same bytes until it is answered with 200', async () => {
    business.answers = [500, 401, 202];
    simulator.act('12025550123', { text: 'STOP' });
    await business.until(() => business.posts.length === 1);
    await simulator.until(() => simulator.isSettled(), PATIENCE_MS);
    expect(simulator.webhooks().map(({ seq, status, attempt }) => [seq, status, attempt])).toEqual([
      [1, 500, 1],
      [2, 401, 2],
      [3, 202, 3],
      [4, 200, 4],
    ]);
    expect(new Set(simulator.webhooks().map(({ bytes }) => bytes)).size).toBe(1);
    expect(simulator.webhooks()[3]?.updates).toEqual([
      { field: 'messages', kind: 'message', messageId: anyString, what: 'text' },
    ]);
  });

  it('comes again when nobody answers', async () => {
    const { url } = business;
    const refusing = createServer((request) => request.socket.destroy());
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    simulator.setWebhookUrl(`http://127.0.0.1:${(refusing.address() as AddressInfo).port}/`);
    simulator.act('12025550123', { text: 'STOP' });
    await simulator.until(() => simulator.webhooks().length >= 2, PATIENCE_MS);
    expect(simulator.webhooks()[0]).toMatchObject({ error: anyString, attempt: 1 });
    simulator.setWebhookUrl(url);
    await business.until(() => business.messages().length === 1);
    refusing.close();
  });

  it('waits until it is known where it goes', async () => {
    const early = await startSimulator({ port: 0, appSecret: APP_SECRET, verifyToken: 'test-verify-token' });
    extra.push(early);
    early.registerPerson({ phone: '+12025550123' });
    early.act('12025550123', { text: 'Hi' });
    expect(await early.verifyWebhook()).toEqual({ verified: false, error: 'no webhook url' });
    early.setWebhookUrl(business.url);
    await business.until(() => business.messages().length === 1);
  });

  it('is verified by the handshake', async () => {
    expect(await simulator.verifyWebhook()).toEqual({ verified: true, status: 200 });
    expect(await simulator.verifyWebhook('another')).toEqual({ verified: false, status: 403 });
  });

  it('carries any other change', async () => {
    simulator.sendUpdate({ field: 'account_update', value: { event: 'DISABLED_UPDATE' }, time: 1_764_000_000 });
    await business.until(() => business.all().length === 1);
    expect(business.posts[0]?.entries[0]).toEqual({
      id: '300000000000001',
      time: 1_764_000_000,
      changes: [{ field: 'account_update', value: { event: 'DISABLED_UPDATE' } }],
    });
  });
});

describe('a fault', () => {
  const taken = () => simulator.calls().map(({ outcome, reply }) => `${outcome}/${reply}`);

  it('refuses the next calls with a code, and no more', async () => {
    simulator.addFault({ kind: 'error', times: 2, code: 131000 });
    const answers = [await send(offer), await send(offer), await send(offer)];
    expect(answers.map((sent) => [sent.status, codeOf(sent)])).toEqual([
      [500, 131000],
      [500, 131000],
      [200, undefined],
    ]);
    expect(simulator.faults()).toEqual([]);
    expect(taken()).toEqual(['refused/sent', 'refused/sent', 'accepted/sent']);
  });

  it('loses the reply of a message that was taken', async () => {
    simulator.addFault({ kind: 'lose-reply', times: 1 });
    const patience = new AbortController();
    const call = fetch(`${simulator.url}/${SENDER}/messages`, {
      method: 'POST',
      headers: { authorization: 'Bearer x' },
      body: JSON.stringify(offer),
      signal: patience.signal,
    });
    const answered = call.then(
      () => 'answered',
      () => 'given up',
    );
    expect(await simulator.until(() => simulator.callsTotal() === 1, PATIENCE_MS)).toBe(true);
    expect(await Promise.race([answered, sleep(100, 'silence')])).toBe('silence');
    patience.abort();
    expect(await answered).toBe('given up');
    await business.until(() => business.statuses().length === 2);
    expect(taken()).toEqual(['accepted/lost']);
  });

  it('delays the reply of a message that was taken at once', async () => {
    simulator.addFault({ kind: 'delay-reply', times: 1, delayMs: 150 });
    const before = systemClock.monotonicMs();
    const sent = send(offer);
    await simulator.until(() => simulator.callsTotal() === 1, PATIENCE_MS);
    await business.until(() => business.statuses().length === 2);
    expect((await sent).status).toBe(200);
    expect(systemClock.monotonicMs() - before).toBeGreaterThanOrEqual(149);
    expect(taken()).toEqual(['accepted/delayed']);
  });

  it('resets the connection before the body: nothing is taken', async () => {
    simulator.addFault({ kind: 'reset-before-body', times: 1 });
    await expect(send(offer)).rejects.toThrow();
    await simulator.until(() => simulator.isSettled(), PATIENCE_MS);
    expect(business.statuses()).toEqual([]);
    expect(taken()).toEqual(['broken/reset']);
    expect((await send(offer)).status).toBe(200);
  });

  it('resets the connection after the body: the message is taken', async () => {
    simulator.addFault({ kind: 'reset-after-body', times: 1 });
    await expect(send(offer)).rejects.toThrow();
    await business.until(() => business.statuses().length === 2);
    expect(taken()).toEqual(['accepted/reset']);
  });

  it('sends each status twice', async () => {
    simulator.addFault({ kind: 'duplicate-statuses', times: 1 });
    await send(offer);
    await business.until(() => business.statuses().length === 4);
    expect(business.statuses().map(({ status }) => status)).toEqual(
      expect.arrayContaining(['sent', 'sent', 'delivered', 'delivered']),
    );
    expect(new Set(business.statuses().map((status) => JSON.stringify(status))).size).toBe(2);
  });

  it('sends the statuses last first', async () => {
    simulator.registerPerson({ phone: '+12025550123', behaviour: { autoReadAfterMs: 1_000 } });
    simulator.addFault({ kind: 'reorder-statuses', times: 1 });
    await send(offer);
    await business.until(() => business.statuses().length === 3);
    expect(business.statuses().map(({ status }) => status)).toEqual(['read', 'delivered', 'sent']);
    const [read, , sent] = business.statuses().map(({ timestamp }) => Number(timestamp));
    expect(read).toBeGreaterThan(sent ?? Infinity);
  });
});

describe('the call log', () => {
  it('holds who was called by whom with which attempt, and the outcome', async () => {
    const { answer } = await send(offer);
    await send({ ...offer, template: { ...offer.template, name: 'nothing' } });
    expect(simulator.calls()).toEqual([
      {
        seq: 1,
        receivedAtMs: anyNumber,
        receivedAtMonotonicMs: anyNumber,
        phoneNumberId: SENDER,
        to: '+12025550123',
        type: 'template',
        template: 'offer',
        bizOpaqueCallbackData: 'attempt-1',
        outcome: 'accepted',
        reply: 'sent',
        httpStatus: 200,
        messageId: answer.messages?.[0]?.id,
      },
      withPart({ seq: 2, outcome: 'refused', httpStatus: 404, errorCode: 132001, template: 'nothing' }),
    ]);
  });

  it('times a call by its first byte, not by its last', async () => {
    const socket = connect(simulator.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const payload = JSON.stringify(offer);
    for (let call = 1; call <= 2; call += 1) {
      const firstByteMs = systemClock.monotonicMs();
      socket.write('P');
      await sleep(100);
      const restMs = systemClock.monotonicMs();
      socket.write(`OST /${SENDER}/messages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\n`);
      await sleep(50);
      socket.write(`content-length: ${payload.length}\r\n\r\n${payload}`);
      await new Promise((resolve) => socket.once('data', resolve));
      const { receivedAtMonotonicMs = 0 } = simulator.calls()[call - 1] ?? {};
      expect(receivedAtMonotonicMs).toBeGreaterThanOrEqual(firstByteMs);
      expect(receivedAtMonotonicMs).toBeLessThan(restMs);
    }
    socket.destroy();
  });

  it('holds a call that broke off before its body was whole', async () => {
    const socket = connect(simulator.port, '127.0.0.1');
    socket.write(`POST /${SENDER}/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"mess`);
    await sleep(50);
    socket.destroy();
    await simulator.until(() => simulator.callsTotal() === 1, PATIENCE_MS);
    expect(simulator.calls()).toEqual([withPart({ phoneNumberId: SENDER, outcome: 'broken', reply: 'lost' })]);
  });

  it('is in the file before the caller is answered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'assent-simulator-'));
    const file = join(folder, 'calls.jsonl');
    const logged = await startAnother({ callLogFile: file, acceptAnyTemplate: true, throughputPerSecond: 1_000 });
    logged.addFault({ kind: 'reset-after-body', times: 1 });
    await expect(send(offer, { to: logged })).rejects.toThrow();
    for (let count = 2; count <= 20; count += 1) {
      await send({ ...offer, biz_opaque_callback_data: `attempt-${count}` }, { to: logged });
      const lines = (await readFile(file, 'utf8')).trim().split('\n');
      expect(lines).toHaveLength(count);
    }
    const written = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(written).toEqual(logged.calls());
    await rm(folder, { recursive: true });
  });
});

describe('the control API', () => {
  it('does what the story needs over HTTP', async () => {
    expect(
      (await control('POST', '/people', { phone: '+447700900123', behaviour: { autoReadAfterMs: 0 } })).status,
    ).toBe(201);
    const template = { name: 'hi', language: 'en', category: 'marketing', body: 'Hi' };
    expect((await control('POST', '/templates', template)).status).toBe(201);
    await send({ ...offer, to: '447700900123', template: { name: 'hi', language: { code: 'en' } } });
    expect(await control('GET', '/people/447700900123/inbox?min=1&waitMs=5000')).toMatchObject({
      status: 200,
      answer: { total: 1, messages: [{ text: 'Hi' }] },
    });
    expect(await control('POST', '/people/447700900123/messages', { text: 'STOP' })).toMatchObject({
      status: 202,
      answer: { messageId: matching(/^wamid\./) },
    });
    expect(await control('GET', '/webhooks?settled=true&waitMs=5000')).toMatchObject({
      answer: { settled: true, backlog: { queued: 0, dropped: 0 } },
    });
    expect(business.messages()).toHaveLength(1);
    expect(await control('GET', '/calls?after=0&min=1&waitMs=5000')).toMatchObject({
      answer: { total: 1, calls: [{ seq: 1 }] },
    });
    expect(await control('GET', '/calls?after=1')).toMatchObject({ answer: { total: 1, calls: [] } });
    expect(await control('POST', '/verify-webhook')).toMatchObject({ status: 200, answer: { verified: true } });
    expect(await control('POST', '/verify-webhook', { verifyToken: 'x' })).toMatchObject({
      answer: { verified: false },
    });
    expect(await control('PUT', '/webhook', { url: business.url })).toMatchObject({ status: 200 });
    expect(await control('GET', '/people/447700900123')).toMatchObject({ answer: { waId: '447700900123' } });
    expect(await control('GET', '/people')).toMatchObject({ answer: { people: anyList } });
    expect(await control('GET', '/templates')).toMatchObject({ answer: { templates: anyList } });
    expect(await control('GET', '/phone-numbers')).toMatchObject({ answer: { phoneNumbers: [{ id: SENDER }] } });
  });

  it('takes and clears faults', async () => {
    expect(await control('POST', '/faults', { kind: 'error', code: 130429, times: 3 })).toMatchObject({ status: 201 });
    expect(await control('POST', '/faults', { kind: 'lose-reply' })).toMatchObject({
      answer: { kind: 'lose-reply', times: 1 },
    });
    expect(await control('GET', '/faults')).toMatchObject({ answer: { faults: [{ times: 3 }, { times: 1 }] } });
    expect((await control('DELETE', '/faults')).status).toBe(204);
    expect(simulator.faults()).toEqual([]);
  });

  it('sends other changes from other numbers', async () => {
    const number = {
      id: '100000000000002',
      displayPhoneNumber: '12025550199',
      wabaId: '300000000000002',
      portfolioId: '200000000000002',
    };
    expect((await control('POST', '/phone-numbers', number)).status).toBe(201);
    const update = { field: 'user_id_update', value: { a: 1 }, phoneNumberId: '100000000000002' };
    expect((await control('POST', '/updates', update)).status).toBe(202);
    await business.until(() => business.all().length === 1);
    expect(business.posts[0]?.entries[0]).toMatchObject({ id: '300000000000002' });
  });

  it('forgets everything but its log', async () => {
    await send(offer);
    expect((await control('POST', '/reset')).status).toBe(204);
    expect(simulator.people()).toEqual([]);
    expect(simulator.templates()).toEqual([]);
    expect(simulator.callsTotal()).toBe(1);
  });

  it.each<[string, string, string, object | undefined, number, string]>([
    ['an unknown person', 'GET', '/people/12025550199', undefined, 404, 'unknown-person'],
    [
      'the inbox of an unknown person',
      'GET',
      '/people/12025550199/inbox?min=1&waitMs=10',
      undefined,
      404,
      'unknown-person',
    ],
    ['a person without an address', 'POST', '/people', { name: 'Nobody' }, 400, 'invalid-request'],
    ['a misspelt field', 'POST', '/people', { phone: '+12025550177', behavior: {} }, 400, 'invalid-request'],
    [
      'an act that is two',
      'POST',
      '/people/12025550123/messages',
      { text: 'a', preference: 'stop' },
      400,
      'invalid-request',
    ],
    ['an act that is none', 'POST', '/people/12025550123/messages', {}, 400, 'invalid-request'],
    [
      'a button that is not there',
      'POST',
      '/people/12025550123/messages',
      { button: { payload: 'x' } },
      409,
      'no-such-button',
    ],
    [
      'an unknown business number',
      'POST',
      '/people/12025550123/messages',
      { text: 'a', phoneNumberId: '12345' },
      404,
      'unknown-phone-number',
    ],
    ['an unknown fault', 'POST', '/faults', { kind: 'earthquake' }, 400, 'invalid-request'],
    ['a fault with an unknown code', 'POST', '/faults', { kind: 'error', code: 7 }, 400, 'unknown-error-code'],
    ['a fault without its delay', 'POST', '/faults', { kind: 'delay-reply' }, 400, 'invalid-request'],
    ['a webhook that is no URL', 'PUT', '/webhook', { url: 'nowhere' }, 400, 'invalid-request'],
  ])('refuses %s', async (_, method, path, content, status, code) => {
    expect(await control(method, path, content)).toMatchObject({ status, answer: { error: { code } } });
  });
});
