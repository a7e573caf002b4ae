import { Controller, Get, Module } from '@nestjs/common';
import { bootService, loadConfig } from '@assent/service-runtime';
import { findPlanted } from './find-planted.ts';
import { startTestService } from './test-service.ts';
import type { TestAnswer, TestService } from './test-service.ts';
import { startTestStack } from './test-stack.ts';
import type { TestStack } from './test-stack.ts';
import { ToyConfig, ToyModule } from './toy-service.fixture.ts';
import { waitUntil } from './wait-until.ts';

const BOOT_MS = 120_000;
const planted = '+15550100123';

let stack: TestStack;
let toy: TestService;

beforeAll(async () => {
  stack = await startTestStack();
  toy = await startTestService({ stack, name: 'toy', configClass: ToyConfig, module: ToyModule });
}, BOOT_MS);

afterAll(async () => {
  await toy.stop();
  await stack.stop();
}, BOOT_MS);

const publish = (purposeId: string, headers: Record<string, string> = {}, name = 'News'): Promise<TestAnswer> =>
  toy.request('POST', '/v1/purposes', { role: 'admin', body: { purposeId, name, category: 'marketing' }, headers });

/** The report of a service that is not ready; it is asked anew every half second. */
const notReady = (): Promise<unknown> =>
  waitUntil('it is not ready', async () => {
    const { status, body } = await toy.request('GET', '/readyz');
    return status === 503 && body;
  });

const readyAgain = (): Promise<unknown> =>
  waitUntil('it is ready again', async () => (await toy.request('GET', '/readyz')).status === 200, {
    timeoutMs: BOOT_MS,
  });

const inLog = async (purposeId: string): Promise<number> =>
  (await stack.events('consent.catalog')).filter(
    (event) => event.type === 'purpose.published.v1' && event.data.purposeId === purposeId,
  ).length;

describe('a write', () => {
  it('is in the log when it is answered, and its position makes the next read see it', async () => {
    const answer = await publish('news');
    expect(answer).toMatchObject({
      status: 201,
      body: { purposeId: 'news', position: expect.stringMatching(/^consent\.catalog\/\d+@\d+$/) as string },
    });
    expect(await inLog('news')).toBe(1);
    const { position } = answer.body as { position: string };
    expect(
      await toy.request('GET', '/v1/purposes/news', { role: 'auditor', headers: { 'assent-min-position': position } }),
    ).toMatchObject({
      status: 200,
      body: { purposeId: 'news', name: 'News' },
    });
  });

  it('gets the first answer when it is repeated under its key, and the same bytes are appended again', async () => {
    const first = await publish('again', { 'idempotency-key': 'key-1' });
    expect(await publish('again', { 'idempotency-key': 'key-1' })).toMatchObject({ status: 201, body: first.body });
    const events = (await stack.records('consent.catalog')).filter(({ value }) =>
      Buffer.from(value ?? []).includes('"again"'),
    );
    expect(events).toHaveLength(2);
    expect(Buffer.from(events[0]?.value ?? [])).toEqual(Buffer.from(events[1]?.value ?? []));
    expect(events[0]?.headers.map(({ name, value }) => [name, Buffer.from(value).toString()])).toEqual(
      events[1]?.headers.map(({ name, value }) => [name, Buffer.from(value).toString()]),
    );
  });

  it('is refused with 409 when its key belongs to another body, and nothing is appended', async () => {
    await publish('other', { 'idempotency-key': 'key-2' });
    expect(await publish('other', { 'idempotency-key': 'key-2' }, 'Changed')).toMatchObject({
      status: 409,
      body: { code: 'idempotency-key-reused' },
    });
    expect(await inLog('other')).toBe(1);
  });

  it.each([
    ['no token', { body: {} }, 401, 'unauthenticated'],
    ['the wrong role', { role: 'auditor' as const, body: {} }, 403, 'forbidden'],
    [
      'broken JSON',
      { role: 'admin' as const, rawBody: '{"purposeId":', headers: { 'content-type': 'application/json' } },
      400,
      'malformed-json',
    ],
    [
      'an unknown field',
      { role: 'admin' as const, body: { purposeId: 'bad', name: 'x', category: 'marketing', phone: planted } },
      400,
      'invalid-request',
    ],
    [
      'a prototype',
      {
        role: 'admin' as const,
        rawBody: '{"__proto__":{},"purposeId":"bad"}',
        headers: { 'content-type': 'application/json' },
      },
      400,
      'forbidden-key',
    ],
    [
      'a lone surrogate',
      { role: 'admin' as const, rawBody: '{"name":"\\ud800"}', headers: { 'content-type': 'application/json' } },
      400,
      'malformed-text',
    ],
    ['10 MB', { role: 'admin' as const, body: { name: 'x'.repeat(10_485_760) } }, 413, 'body-too-large'],
    [
      'a bad key',
      {
        role: 'admin' as const,
        body: { purposeId: 'bad', name: 'x', category: 'marketing' },
        headers: { 'idempotency-key': 'a b' },
      },
      400,
      'invalid-idempotency-key',
    ],
  ])('with %s is refused and leaves nothing behind', async (_name, request, status, code) => {
    const before = (await stack.records('consent.catalog')).length;
    expect(await toy.request('POST', '/v1/purposes', request)).toMatchObject({ status, body: { code } });
    expect((await stack.records('consent.catalog')).length).toBe(before);
  });
});

describe('a running service', () => {
  it('is live, ready and started, with its checks', async () => {
    expect(await toy.request('GET', '/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await toy.request('GET', '/startupz')).toMatchObject({ status: 200 });
    expect(await toy.request('GET', '/readyz')).toMatchObject({
      status: 200,
      body: {
        status: 'ok',
        checks: { kafka: { ok: true }, consumer: { ok: true }, mongodb: { ok: true }, readModels: { ok: true } },
      },
    });
  });

  it('measures its lag, its partitions and its requests', async () => {
    await publish('measured');
    await toy.caughtUp();
    const { body, headers } = await toy.request('GET', '/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    expect(body).toMatch(/projection_lag_events\{partition="consent\.catalog\/0",service="toy"\} 0/);
    expect(body).toMatch(/consumer_partitions\{state="consuming",service="toy"\} 3/);
    expect(body).toMatch(
      /http_request_duration_seconds_count\{service="toy",method="POST",route="\/v1\/purposes",status="201"\}/,
    );
    expect(body).toContain('nodejs_eventloop_lag_seconds');
  });

  it('describes its calls', async () => {
    expect(await toy.request('GET', '/openapi.json')).toMatchObject({
      status: 200,
      body: { paths: { '/v1/purposes': expect.any(Object) as object } },
    });
    expect((await toy.request('GET', '/docs')).status).toBe(200);
    expect((await toy.request('GET', '/docs/swagger-ui.css')).status).toBe(200);
  });

  it(
    'lets a consumer that joins later go on where the last one was, and not apply anything twice',
    async () => {
      await toy.caughtUp();
      const second = await startTestService({ stack, name: 'toy', configClass: ToyConfig, module: ToyModule });
      await publish('shared');
      await second.caughtUp();
      await second.stop();
      await publish('after');
      await toy.caughtUp();
      expect(await toy.request('GET', '/v1/purposes/after', { role: 'admin' })).toMatchObject({ status: 200 });
    },
    BOOT_MS,
  );

  it('tries a batch again whose consumer failed, whatever it threw', async () => {
    await publish('fail-once');
    await toy.caughtUp();
    expect(toy.logs()).toContain('"errorName":"TypeError"');
    expect(toy.logs()).not.toContain('a request failed');
  });

  it('leaves no personal data in topics, store, logs or metrics', async () => {
    await toy.request('POST', '/v1/purposes', {
      role: 'admin',
      body: { purposeId: planted, phone: planted },
      headers: { 'idempotency-key': `key-${planted}` },
    });
    await toy.request('GET', `/v1/purposes/${planted}?to=${planted}`, { role: 'admin' });
    await publish('planted', { 'idempotency-key': `key-${planted}` });
    const metrics = await toy.request('GET', '/metrics');
    expect(await findPlanted(stack, [planted], { texts: { log: toy.logs(), metrics: String(metrics.body) } })).toEqual(
      [],
    );
    await publish('leak', {}, Buffer.from(`a${planted}b`).toString('base64'));
    await toy.caughtUp();
    expect((await findPlanted(stack, [planted])).map((place) => place.replace(/\d+@\d+/, '#'))).toEqual([
      'consent.catalog/# value',
      `${stack.env.ASSENT_INSTANCE}_toy.purposes`,
    ]);
  });
});

describe('a service whose broker is gone', () => {
  it(
    'acknowledges nothing, is not ready but live, and appends the first decision once the broker is back',
    async () => {
      await stack.parts.kafkaProcess.kill('SIGKILL');
      expect(await publish('held', { 'idempotency-key': 'held-1' })).toMatchObject({
        status: 503,
        body: { code: 'log-unavailable' },
      });
      expect(await toy.request('GET', '/livez')).toMatchObject({ status: 200 });
      expect(await notReady()).toMatchObject({ checks: { kafka: { ok: false }, mongodb: { ok: true } } });
      await stack.parts.restartKafka();
      const answer = await waitUntil(
        'the write is taken',
        async () => {
          const repeat = await publish('held', { 'idempotency-key': 'held-1' });
          return repeat.status === 201 && repeat;
        },
        { timeoutMs: BOOT_MS },
      );
      expect(answer.body).toMatchObject({ purposeId: 'held' });
      await readyAgain();
      await toy.caughtUp({ timeoutMs: BOOT_MS });
      expect(await toy.request('GET', '/v1/purposes/held', { role: 'admin' })).toMatchObject({ status: 200 });
    },
    2 * BOOT_MS,
  );
});

describe('a service whose store is gone', () => {
  it(
    'acknowledges no write with a key, is not ready but live, and recovers',
    async () => {
      await stack.parts.mongoProcess.kill('SIGKILL');
      expect(await publish('stored', { 'idempotency-key': 'stored-1' })).toMatchObject({
        status: 503,
        body: { code: 'store-unavailable' },
      });
      expect(await toy.request('GET', '/livez')).toMatchObject({ status: 200 });
      expect(await notReady()).toMatchObject({ checks: { mongodb: { ok: false } } });
      expect(await inLog('stored')).toBe(0);
      await stack.parts.restartMongo();
      await waitUntil(
        'the write is taken',
        async () => (await publish('stored', { 'idempotency-key': 'stored-1' })).status === 201,
        { timeoutMs: BOOT_MS },
      );
      await readyAgain();
    },
    2 * BOOT_MS,
  );
});

describe('a service that is put together wrongly', () => {
  it(
    'does not boot, and says everything that is wrong',
    async () => {
      @Controller('v1/open')
      class OpenController {
        @Get()
        open(): object {
          return {};
        }
      }
      @Module({ imports: [ToyModule], controllers: [OpenController] })
      class OpenModule {}
      const config = loadConfig(ToyConfig, { ...stack.env, PORT: '0', LOG_LEVEL: 'silent' });
      await expect(bootService({ name: 'open', config, module: OpenModule })).rejects.toMatchObject({
        code: 'assembly-invalid',
        faults: ['OpenController.open has neither @Roles nor @Public'],
      });
    },
    BOOT_MS,
  );

  it(
    'does not boot on topics that differ from their declaration, and lists the differences',
    async () => {
      const config = loadConfig(ToyConfig, { ...stack.env, NODE_ENV: 'test', PORT: '0', LOG_LEVEL: 'silent' });
      config.NODE_ENV = 'production';
      await expect(bootService({ name: 'toy', config, module: ToyModule })).rejects.toThrow(
        /consent\.events[^]*partitions/,
      );
    },
    BOOT_MS,
  );
});
