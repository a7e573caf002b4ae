import 'reflect-metadata';
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Body, Controller, Get, Module, Param, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppendError } from '@assent/event-log';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsDefined,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { mongo } from 'mongoose';
import { Registry } from 'prom-client';
import { CurrentCaller, localTokens, Public, Roles } from './access.ts';
import type { Caller } from './access.ts';
import { serveApiDocument } from './api-document.ts';
import { applyHttpEdge } from './http-edge.ts';
import { BODY_LIMIT_BYTES, fastifyAdapter, RawJson } from './http-server.ts';
import { WriteAnswer } from './idempotency-records.ts';
import { createLogger, NestLogs } from './logging.ts';
import { Problem } from './problem.ts';
import { CurrentTrace } from './request-trace.ts';
import type { RequestTrace } from './request-trace.ts';
import { declaredRoutes, UncheckedBody } from './routes-audit.ts';

const planted = '+15550100123';

class RecipientDto {
  @IsString()
  @MaxLength(20)
  phone!: string;
}

class ToyDto {
  @IsDefined()
  @IsObject()
  @ValidateNested()
  @Type(() => RecipientDto)
  recipient!: RecipientDto;

  @IsOptional()
  @IsIn(['now', 'later'])
  when?: string;

  @IsOptional()
  @ArrayMaxSize(3)
  @ValidateNested({ each: true })
  @Type(() => RecipientDto)
  others?: RecipientDto[];

  @IsOptional()
  @Matches(/^[a-z]+$/, { each: true })
  tags?: string[];
}

class FormDto {
  @IsString()
  language!: string;
}

const failures: Record<string, () => Error> = {
  problem: () =>
    new Problem({
      status: 409,
      code: 'toy-conflict',
      title: 'A conflict',
      detail: 'Do otherwise.',
      extra: { reasons: ['a'], status: 1 },
    }),
  unknown: () => new TypeError(`cannot read ${planted}`),
  append: () => new AppendError('append-failed', 'not acknowledged', [0]),
  large: () => new AppendError('record-too-large', 'too large'),
  network: () => new mongo.MongoNetworkError('connection 1 closed'),
};

let clockOffBy: () => Promise<number>;
let handled = 0;

@Controller('v1/toys')
class ToyController {
  @Post()
  @Roles('sender', 'admin')
  make(@Body() dto: ToyDto, @CurrentCaller() caller: Caller): object {
    handled += 1;
    return { isDto: dto.recipient instanceof RecipientDto, ...caller };
  }
  @Post('raw')
  @Public()
  @RawJson({ limitBytes: 2 * BODY_LIMIT_BYTES })
  raw(@Req() request: { rawBody?: Buffer; body: unknown }): object {
    return { bytes: request.rawBody?.length ?? 0, parsed: request.body !== undefined };
  }
  @Post('loose')
  @Roles('capture')
  @UncheckedBody('keeps what it does not know')
  loose(@Body() body: Record<string, unknown>): object {
    return { keys: Object.keys(body) };
  }
  @Post('form')
  @Public()
  form(@Body() form: FormDto): object {
    return { language: form.language };
  }
  @Post('written')
  @Public()
  written(): WriteAnswer {
    return new WriteAnswer({ status: 202, answer: { toyId: 't1' } }, [
      { topic: 'consent.events', partition: 3, offset: 12 },
    ]);
  }
  @Get('page/:token')
  @Public()
  page(@Param('token') token: string, @CurrentTrace() trace: RequestTrace): object {
    return { length: token.length, ...trace };
  }
  @Get('failing/:kind')
  @Public()
  failing(@Param('kind') kind: string): never {
    throw failures[kind]?.() ?? new Error('no such failure');
  }
}

@Module({ controllers: [ToyController] })
class ToyModule {}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;
  body: Record<string, unknown>;
}

let app: NestFastifyApplication;
let log = '';
const registry = new Registry();
let reached = true;
let stopping = false;

async function send(
  method: string,
  url: string,
  options: { token?: string; body?: string | Buffer; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const headers = {
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...options.headers,
  };
  const response = await app.inject({
    method: method as 'GET',
    url,
    headers,
    ...(options.body === undefined ? {} : { payload: options.body }),
  });
  const isJson = /json/.test(String(response.headers['content-type']));
  return {
    status: response.statusCode,
    headers: response.headers,
    body: isJson ? (JSON.parse(response.body) as Record<string, unknown>) : { text: response.body },
  };
}

const post = (body: string | Buffer, headers: Record<string, string> = {}, token = 'local-sender'): Promise<Answer> =>
  send('POST', '/v1/toys', { token, body, headers: { 'content-type': 'application/json', ...headers } });

const good = JSON.stringify({ recipient: { phone: planted } });

beforeAll(async () => {
  const logger = createLogger({
    name: 'toy',
    level: 'debug',
    destination: {
      write: (line: string) => {
        log += line;
      },
    },
  });
  app = await NestFactory.create<NestFastifyApplication>(ToyModule, fastifyAdapter(logger), {
    logger: new NestLogs(logger),
    bodyParser: false,
    abortOnError: false,
  });
  const { rawLimitBytes, dtos } = declaredRoutes(app);
  const minPositions = {
    follows: (topic: string) => topic === 'consent.events',
    partitionCount: () => 12,
    waitFor: () => Promise.resolve(reached),
  };
  applyHttpEdge(app, {
    logger,
    registry,
    tokens: localTokens(),
    minPositions,
    rawLimitBytes,
    isStopping: () => stopping,
    clockCheck: { offByMs: () => clockOffBy() },
  });
  serveApiDocument(app, { title: 'Toy', description: 'A toy.', dtos });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});

afterAll(() => app.close());

beforeEach(() => {
  handled = 0;
  clockOffBy = () => Promise.resolve(0);
  log = '';
  reached = true;
});

describe('a process whose clock is off', () => {
  beforeEach(() => {
    clockOffBy = () => Promise.resolve(-3_600_000);
  });

  it('takes no write, and says so', async () => {
    const answer = await post(good);
    expect(answer).toMatchObject({ status: 503, body: { code: 'clock-off' } });
    expect(answer.headers['retry-after']).toBe('5');
    expect(handled).toBe(0);
  });

  it('still tells a stranger nothing but that', async () => {
    expect((await post(good, {}, 'wrong')).status).toBe(401);
  });

  it('still answers what it knows', async () => {
    expect((await send('GET', '/v1/toys/page/x')).status).toBe(200);
  });

  it('is not presumed while the store does not tell', async () => {
    clockOffBy = () => Promise.reject(new Error('down'));
    expect((await post(good)).status).toBe(201);
  });
});

describe('a request that is in order', () => {
  it('reaches its handler with a DTO and the caller', async () => {
    expect(await post(good)).toMatchObject({
      status: 201,
      body: { isDto: true, tenant: 'acme', roles: ['sender'], actor: 'local-sender' },
    });
  });

  it('is answered with headers that keep it private', async () => {
    expect((await post(good)).headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  it('gives its random id and a well-formed traceparent to the handler, and nothing else the caller says', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const traced = await send('GET', '/v1/toys/page/x', { headers: { traceparent, 'x-request-id': planted } });
    expect(traced.body).toMatchObject({
      traceParent: traceparent,
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect((await send('GET', '/v1/toys/page/x', { headers: { traceparent: planted } })).body).not.toHaveProperty(
      'traceParent',
    );
  });

  it('may carry a page token of 1,000 characters', async () => {
    expect((await send('GET', `/v1/toys/page/${'a'.repeat(1_000)}`)).body).toMatchObject({ length: 1_000 });
  });

  it('is answered by a WriteAnswer with its status, its answer and its position', async () => {
    expect(await send('POST', '/v1/toys/written')).toMatchObject({
      status: 202,
      body: { toyId: 't1', position: 'consent.events/3@12' },
    });
  });

  it('may be a form', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await send('POST', '/v1/toys/form', { body: 'language=en', headers })).toMatchObject({
      status: 201,
      body: { language: 'en' },
    });
    expect((await send('POST', '/v1/toys/form', { body: 'language=en&language=de', headers })).body).toMatchObject({
      code: 'invalid-request',
    });
    expect((await send('POST', '/v1/toys/form', { body: '__proto__=x', headers })).body).toMatchObject({
      code: 'malformed-form',
    });
    expect(
      (await send('POST', '/v1/toys/form', { body: `language=${'x'.repeat(20_000)}`, headers })).body,
    ).toMatchObject({ code: 'body-too-large' });
  });
});

describe('a request that is not in order', () => {
  it.each([
    [400, 'malformed-json', '{"recipient":'],
    [400, 'malformed-json', ''],
    [400, 'malformed-text', '{"recipient":{"phone":"\\ud800"}}'],
    [400, 'forbidden-key', `{"__proto__":{"admin":true},"recipient":{"phone":"${planted}"}}`],
    [400, 'too-deep', '{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)],
    [413, 'body-too-large', JSON.stringify({ recipient: { phone: 'x'.repeat(10_485_760) } })],
    [400, 'invalid-request', '{}'],
    [400, 'invalid-request', 'null'],
    [400, 'invalid-request', '[]'],
    [400, 'invalid-request', '"text"'],
    [400, 'invalid-request', '{"recipient":[]}'],
    [400, 'invalid-request', '{"recipient":"x"}'],
    [400, 'invalid-request', '{"recipient":{"phone":5}}'],
    [400, 'invalid-request', `{"recipient":{"phone":"${planted}"},"surprise":1}`],
    [400, 'invalid-request', `{"recipient":{"phone":"${planted}","surprise":1}}`],
  ])('is answered %i %s: %.40s', async (status, code, body) => {
    const answer = await post(body);
    expect(answer).toMatchObject({ status, body: { status, code, type: `urn:assent:problem:${code}` } });
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body['title']).toEqual(expect.any(String));
    expect(answer.body['detail']).toEqual(expect.any(String));
    expect(handled).toBe(0);
  });

  it('is told which fields break which rules, never their values', async () => {
    const { body } = await post(
      JSON.stringify({ recipient: { phone: planted.repeat(5), [planted]: 1 }, when: planted, extra: planted }),
    );
    expect(body['errors']).toEqual(
      expect.arrayContaining([
        { field: 'recipient.phone', rules: ['maxLength'] },
        { field: 'recipient.(a field we do not know)', rules: ['unknownField'] },
        { field: 'when', rules: ['isIn'] },
        { field: 'extra', rules: ['unknownField'] },
      ]),
    );
    expect(JSON.stringify(body)).not.toContain(planted);
  });

  it.each([
    ['text/plain', 'hello'],
    ['application/xml', '<a/>'],
    ['nonsense', '{}'],
  ])('is answered 415 with content-type %s', async (type, body) => {
    expect(await post(body, { 'content-type': type })).toMatchObject({
      status: 415,
      body: { code: 'unsupported-media-type' },
    });
  });

  it('is answered 400 malformed-url where the URL cannot be decoded', async () => {
    expect(await send('GET', '/v1/toys/page/%zz')).toMatchObject({ status: 400, body: { code: 'malformed-url' } });
    expect(await send('GET', `/v1/toys/page/${'a'.repeat(2_000)}`)).toMatchObject({
      status: 414,
      body: { code: 'url-too-long' },
    });
  });

  it('is answered 404 no-such-route where there is no route, without its URL', async () => {
    for (const [method, url] of [
      ['GET', `/nothing/${planted}?to=${planted}`],
      ['DELETE', '/v1/toys'],
    ] as const) {
      const answer = await send(method, url, { token: 'local-sender' });
      expect(answer).toMatchObject({ status: 404, body: { code: 'no-such-route' } });
      expect(JSON.stringify(answer.body)).not.toContain(planted.slice(1));
    }
  });
});

describe('a caller', () => {
  const tokens: [string, string | undefined][] = [
    ['no token', undefined],
    ['an unknown token', 'Bearer local-king'],
    ['another scheme', 'Basic local-sender'],
    ['an empty token', 'Bearer '],
    ['the hash of a token', `Bearer ${createHash('sha256').update('local-sender').digest('hex')}`],
    ['a very long token', `Bearer ${'x'.repeat(5_000)}`],
  ];
  it.each(tokens)('is answered 401 with %s', async (_name, authorization) => {
    const answer = await post(good, authorization === undefined ? { authorization: '' } : { authorization });
    expect(answer).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { code: 'unauthenticated' },
    });
    expect(handled).toBe(0);
  });

  it('is answered 403 without one of the roles, before its body is judged', async () => {
    expect(await post('{}', {}, 'local-auditor')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });
});

describe('a handler that fails', () => {
  it('with a Problem is answered as it says, and its extras cannot replace the standard members', async () => {
    expect(await send('GET', '/v1/toys/failing/problem')).toMatchObject({
      status: 409,
      body: { code: 'toy-conflict', status: 409, reasons: ['a'] },
    });
  });

  it.each([
    ['append', 503, 'log-unavailable'],
    ['large', 413, 'facts-too-large'],
    ['network', 503, 'store-unavailable'],
  ])('with %s is answered %i %s', async (kind, status, code) => {
    const answer = await send('GET', `/v1/toys/failing/${kind}`);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.headers['retry-after']).toBe(status === 503 ? '2' : undefined);
  });

  it('with anything else is answered 500 without a word of it; the log has the error without numbers', async () => {
    const answer = await send('GET', '/v1/toys/failing/unknown');
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal-error' } });
    expect(JSON.stringify(answer.body)).not.toMatch(/cannot read|toys|\.ts/);
    expect(log).toContain('"type":"TypeError"');
    expect(log).not.toContain(planted.slice(1));
    expect(answer.body['instance']).toBe(`urn:uuid:${/"requestId":"([^"]+)"/.exec(log)?.[1] ?? ''}`);
  });
});

describe('a raw route', () => {
  const headers = { 'content-type': 'application/json' };

  it('gets the bytes of anything that claims to be JSON, unparsed', async () => {
    for (const body of ['{"a":', '{"__proto__":1}', '{"a":"\\ud800"}', 'x'.repeat(BODY_LIMIT_BYTES + 1)]) {
      expect((await send('POST', '/v1/toys/raw', { body, headers })).body).toEqual({
        bytes: body.length,
        parsed: false,
      });
    }
  });

  it('refuses a body above its own limit', async () => {
    const body = 'x'.repeat(2 * BODY_LIMIT_BYTES + 1);
    expect(await send('POST', '/v1/toys/raw', { body, headers })).toMatchObject({
      status: 413,
      body: { code: 'body-too-large' },
    });
  });

  it('leaves the limit of other routes as it is, also for a body of unknown length', async () => {
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as { port: number };
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(
        {
          port,
          path: '/v1/toys',
          method: 'POST',
          headers: { ...headers, authorization: 'Bearer local-sender', 'transfer-encoding': 'chunked' },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      request.on('error', reject);
      request.end(`{"recipient":{"phone":"${'x'.repeat(BODY_LIMIT_BYTES)}"}}`);
    });
    expect(status).toBe(413);
  });
});

describe('a route with @UncheckedBody', () => {
  it('keeps fields it does not know, and still refuses what is no clean JSON', async () => {
    const options = { token: 'local-capture', headers: { 'content-type': 'application/json' } };
    expect((await send('POST', '/v1/toys/loose', { ...options, body: '{"a":1,"b":2}' })).body).toEqual({
      keys: ['a', 'b'],
    });
    expect((await send('POST', '/v1/toys/loose', { ...options, body: '{"__proto__":2}' })).body).toMatchObject({
      code: 'forbidden-key',
    });
  });
});

describe('a request with Assent-Min-Position', () => {
  const at = (position: string): Promise<Answer> =>
    send('GET', '/v1/toys/page/x', { headers: { 'assent-min-position': position } });

  it('waits and is answered once the positions are applied', async () => {
    expect((await at('consent.events/3@12, consent.events/4@0')).status).toBe(200);
  });

  it('is answered 503 when they are not applied in time', async () => {
    reached = false;
    expect(await at('consent.events/3@12')).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'position-not-reached' },
    });
  });

  it('does not wait for topics the service does not follow', async () => {
    reached = false;
    expect((await at('suppression.events/3@12')).status).toBe(200);
  });

  it.each([
    'x',
    '',
    'consent.events/12@1',
    'other.topic/1@1',
    'consent.events/1@-1',
    Array.from({ length: 17 }, () => 'consent.events/1@1').join(','),
  ])('is answered 400 for %.30s', async (position) => {
    expect(await at(position)).toMatchObject({ status: 400, body: { code: 'invalid-position' } });
  });
});

describe('the request log and metrics', () => {
  it('name the template of the route, the status and the tenant, never the URL, the token or the body', async () => {
    await post(good, { authorization: 'Bearer local-sender' });
    await send('GET', `/v1/toys/page/${planted}?phone=${planted}`);
    await send('GET', `/none/${planted}`);
    const lines = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ method, route, status, tenant }) => ({ method, route, status, tenant }))).toEqual([
      { method: 'POST', route: '/v1/toys', status: 201, tenant: 'acme' },
      { method: 'GET', route: '/v1/toys/page/:token', status: 200, tenant: undefined },
      { method: 'GET', route: '(none)', status: 404, tenant: undefined },
    ]);
    expect(log).not.toMatch(/15550100123|local-sender/);
    const metrics = await registry.metrics();
    expect(metrics).toContain('http_request_duration_seconds_count{method="POST",route="/v1/toys",status="201"}');
    expect(metrics).not.toContain('15550100123');
  });
});

describe('a service that is stopping', () => {
  it('closes each connection with its answer', async () => {
    stopping = true;
    expect((await send('GET', '/v1/toys/page/x')).headers['connection']).toBe('close');
    stopping = false;
    expect((await send('GET', '/v1/toys/page/x')).headers['connection']).not.toBe('close');
  });
});

describe('the API document', () => {
  it('is public as JSON and as a page', async () => {
    const { status, body } = await send('GET', '/openapi.json');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      openapi: expect.stringMatching(/^3/) as string,
      paths: { '/v1/toys': { post: expect.any(Object) as object } },
    });
    expect((await send('GET', '/docs')).body['text']).toContain('swagger-ui');
  });

  it('describes bodies by the rules they are checked by', async () => {
    const { components } = (await send('GET', '/openapi.json')).body as { components: { schemas: object } };
    expect(components.schemas).toMatchObject({
      ToyDto: {
        properties: {
          recipient: { $ref: '#/components/schemas/RecipientDto' },
          when: { type: 'string', enum: ['now', 'later'] },
          others: { type: 'array', maxItems: 3, items: { $ref: '#/components/schemas/RecipientDto' } },
          tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' } },
        },
        required: ['recipient'],
      },
      RecipientDto: { properties: { phone: { type: 'string', maxLength: 20 } }, required: ['phone'] },
    });
  });
});
