import type { DynamicModule, Type } from '@nestjs/common';
import { partitionKey } from '@assent/event-log';
import { BatchConsumers, bootService, loadConfig, localToken } from '@assent/service-runtime';
import type { Clock, NewId, Role, RunningService, RuntimeConfig } from '@assent/service-runtime';
import type { TestStack } from './test-stack.ts';
import { waitUntil } from './wait-until.ts';

/** What a request of a test carries. */
export interface TestRequest {
  /** Sends the token for local use of this role. */
  role?: Role;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, instead of `body`; give the content-type yourself. */
  rawBody?: string | Uint8Array;
  headers?: Readonly<Record<string, string>>;
}

/** An answer; `body` is the parsed JSON, or the text of anything else. */
export interface TestAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** A service that runs in this process on a {@link TestStack}. */
export interface TestService extends Pick<RunningService, 'url' | 'app' | 'stop'> {
  /** Everything it has logged. */
  logs(): string;
  request(method: string, path: string, request?: TestRequest): Promise<TestAnswer>;
  /** Resolves when every consumer has applied every record that was in the log when this was called. */
  caughtUp(options?: { timeoutMs?: number }): Promise<void>;
}

/** What to run. */
export interface TestServiceOptions {
  stack: TestStack;
  name: string;
  configClass: new () => RuntimeConfig;
  module: Type | DynamicModule;
  /** Further settings. */
  env?: Readonly<Record<string, string>>;
  clock?: Clock;
  /** What the clock is checked against; absent: the clock given here, or the store's. */
  clockWitness?: () => Promise<number>;
  newId?: NewId;
}

/** A first join on a fresh broker takes seconds on a loaded machine. */
const BOOT = { timeoutMs: 60_000 };

/** Boots a service as `runService` would, on a free port; resolves when it is ready. */
export async function startTestService({
  stack,
  name,
  configClass,
  module,
  env,
  ...edges
}: TestServiceOptions): Promise<TestService> {
  let logs = '';
  const config = loadConfig(configClass, { NODE_ENV: 'test', LOG_LEVEL: 'info', PORT: '0', ...stack.env, ...env });
  const destination = {
    write: (line: string) => {
      logs += line;
    },
  };
  const { clock } = edges;
  // A clock that a test moves is the right one there.
  const witness = clock === undefined ? {} : { clockWitness: () => Promise.resolve(clock.now()) };
  const { url, app, stop } = await bootService({
    name,
    config,
    module,
    logDestination: destination,
    ...witness,
    ...edges,
  });
  const request = (method: string, path: string, options: TestRequest = {}): Promise<TestAnswer> =>
    send(`${url}${path}`, method, options);
  try {
    await waitUntil(`${name} is ready`, async () => (await request('GET', '/readyz')).status === 200, BOOT);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    app,
    stop,
    logs: () => logs,
    request,
    caughtUp: (options) => caughtUp(name, app.get(BatchConsumers, { strict: false }), stack, options),
  };
}

async function send(url: string, method: string, { role, body, rawBody, headers }: TestRequest): Promise<TestAnswer> {
  const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(role === undefined ? {} : { authorization: `Bearer ${localToken(role)}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(payload === undefined ? {} : { body: typeof payload === 'string' ? payload : Buffer.from(payload) }),
  });
  const text = await response.text();
  const isJson = /^application\/([a-z.+-]+\+)?json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text };
}

async function caughtUp(
  name: string,
  consumers: BatchConsumers,
  { log, partitions }: TestStack,
  options: { timeoutMs?: number } = {},
): Promise<void> {
  const followed = partitions(consumers.topics);
  let ends: ReadonlyMap<string, number> = new Map();
  await waitUntil(
    `${name} has caught up with the log`,
    async () => {
      // A partition that has no leader for a moment tells no end.
      if (ends.size < followed.length) ends = await log.endOffsets(followed);
      const next = await consumers.next(followed);
      return followed.map(partitionKey).every((key) => (next.get(key) ?? 0) >= (ends.get(key) ?? Infinity));
    },
    options,
  );
}
