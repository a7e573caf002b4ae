import { fileURLToPath } from 'node:url';
import { localToken } from '@assent/service-runtime';
import { startFromSource, urlOf } from './service-process.ts';
import type { SourceProcess } from './service-process.ts';
import { startTestStack } from './test-stack.ts';
import type { TestStack } from './test-stack.ts';
import { waitUntil } from './wait-until.ts';

const LIMIT_MS = 120_000;
const MAIN = fileURLToPath(new URL('./toy-service.main.fixture.ts', import.meta.url));

let stack: TestStack;
let toy: SourceProcess;

beforeAll(async () => {
  stack = await startTestStack();
}, LIMIT_MS);
afterEach(() => toy.kill());
afterAll(() => stack.stop(), LIMIT_MS);

const start = (env: Record<string, string> = {}): SourceProcess =>
  startFromSource(MAIN, { ...stack.env, NODE_ENV: 'test', PORT: '0', ...env });

const call = (url: string, method = 'GET', body?: object): Promise<Response> =>
  fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${localToken('admin')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const logged = (message: string): Promise<unknown> =>
  waitUntil(`"${message}" is logged`, () => toy.lines().some(({ msg }) => msg === message));
const steps = (): unknown[] =>
  toy
    .lines()
    .filter(({ step }) => step !== undefined)
    .map(({ step }) => step);

describe('a service that is told to stop', () => {
  it(
    'goes not ready, finishes requests, workers, batch and checkpoint, then closes the log and at last the store',
    async () => {
      toy = start({ SHUTDOWN_DRAIN_MS: '700', TOY_REACTION_MS: '400' });
      const url = await urlOf(toy);
      const slow = call(`${url}/v1/slow/1500`, 'POST');
      await logged('slow request began');
      toy.child.kill('SIGTERM');
      await waitUntil('it is not ready', async () => (await call(`${url}/readyz`)).status === 503);
      expect(await (await call(`${url}/readyz`)).json()).toMatchObject({
        checks: { shutdown: { ok: false, reason: 'the service is stopping' } },
      });
      expect((await call(`${url}/livez`)).status).toBe(200);
      await waitUntil('it takes no new connection', () =>
        call(`${url}/livez`).then(
          () => false,
          () => true,
        ),
      );
      // The request that was running still reached its barrier, which needs the consumer, and its answer arrived.
      expect(await (await slow).json()).toEqual({ reached: true });
      expect(await toy.ended).toBe(0);
      expect(steps()).toEqual([
        'not-ready',
        'http-closed',
        'workers-stopped',
        'consumer-stopped',
        'log-closed',
        'store-closed',
      ]);
      // Every batch that began was finished, so its checkpoint was written.
      const began = toy.lines().filter(({ msg }) => msg === 'reaction began');
      expect(began.length).toBeGreaterThan(0);
      expect(toy.lines().filter(({ msg }) => msg === 'reaction done')).toHaveLength(began.length);
      expect(toy.errors()).toBe('');
    },
    LIMIT_MS,
  );

  it(
    'finishes the batch it is working on before it leaves',
    async () => {
      toy = start({ TOY_REACTION_MS: '1500' });
      const url = await urlOf(toy);
      const before = toy.lines().filter(({ msg }) => msg === 'reaction began').length;
      await call(`${url}/v1/purposes`, 'POST', { purposeId: 'slow-batch', name: 'Slow', category: 'utility' });
      await waitUntil(
        'a batch has begun',
        () => toy.lines().filter(({ msg }) => msg === 'reaction began').length > before,
      );
      toy.child.kill('SIGINT');
      expect(await toy.ended).toBe(0);
      const order = toy.lines().filter(({ msg, step }) => msg === 'reaction done' || step === 'consumer-stopped');
      expect(order.map(({ msg, step }) => step ?? msg)).toEqual([
        ...Array<string>(order.length - 1).fill('reaction done'),
        'consumer-stopped',
      ]);
      expect(order.length).toBeGreaterThan(1);
    },
    LIMIT_MS,
  );

  it(
    'ends at once at a second signal',
    async () => {
      toy = start();
      const url = await urlOf(toy);
      void call(`${url}/v1/slow/60000`, 'POST').catch(() => undefined);
      await logged('slow request began');
      toy.child.kill('SIGTERM');
      await waitUntil('the shutdown has begun', () => steps().includes('not-ready'));
      toy.child.kill('SIGTERM');
      expect(await toy.ended).toBe(128 + 15);
      expect(steps()).not.toContain('http-closed');
    },
    LIMIT_MS,
  );

  it(
    'is cut off after its grace',
    async () => {
      toy = start({ SHUTDOWN_GRACE_MS: '500' });
      const url = await urlOf(toy);
      void call(`${url}/v1/slow/60000`, 'POST').catch(() => undefined);
      await logged('slow request began');
      toy.child.kill('SIGTERM');
      expect(await toy.ended).toBe(1);
      expect(toy.lines().at(-1)).toMatchObject({ level: 'fatal', msg: 'the shutdown took too long' });
    },
    LIMIT_MS,
  );

  it(
    'does so also while it is still booting',
    async () => {
      toy = start();
      await waitUntil('it has said something', () => toy.lines().length > 0 || toy.child.exitCode !== null, {
        timeoutMs: 60_000,
      });
      toy.child.kill('SIGTERM');
      expect([0, 'SIGTERM']).toContain(await toy.ended);
    },
    LIMIT_MS,
  );
});

describe('a service that cannot start', () => {
  it(
    'says what is wrong with its configuration in words and exits with 78',
    async () => {
      toy = start({ PORT: 'eighty', NODE_ENV: 'production' });
      expect(await toy.ended).toBe(78);
      expect(toy.errors()).toMatch(
        /^toy cannot start. 2 settings are wrong:\n {2}ASSENT_TOKENS is not set; set it to .*\n {2}PORT is wrong/,
      );
      expect(toy.errors()).not.toMatch(/at .*\.ts/);
    },
    LIMIT_MS,
  );

  it(
    'says that the broker does not answer and exits with 1',
    async () => {
      toy = start({ KAFKA_BROKERS: '127.0.0.1:1' });
      expect(await toy.ended).toBe(1);
      expect(toy.errors()).toMatch(/^toy cannot start\. no Kafka broker answers at 127\.0\.0\.1:1/m);
    },
    LIMIT_MS,
  );
});

describe('a service that is told to rebuild', () => {
  it(
    'replays its read models and prints equal digests',
    async () => {
      toy = startFromSource(MAIN, { ...stack.env, NODE_ENV: 'test', PORT: '0' }, ['rebuild']);
      expect(await toy.ended).toBe(0);
      expect(
        toy
          .output()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual([
        expect.objectContaining({ service: 'toy', projection: 'toy.purposes.v1', equal: true, documents: 2 }),
      ]);
    },
    LIMIT_MS,
  );
});
