import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  KEY_CACHE_ENTRIES_MAX,
  KEY_CACHE_TTL_MAX_MS,
  SubjectKeyClient,
  SubjectKeyClientError,
  unwrapKeysAnswer,
  type SubjectKeyClientOptions,
} from './subject-key-client.ts';
import type { SubjectKey } from './subject-keys.ts';

interface Asked {
  readonly path: string | undefined;
  readonly authorization: string | undefined;
  readonly subjectIds: readonly string[];
}

/** What the consent service answers; each test sets it. */
type Answer = (asked: Asked, response: ServerResponse) => void;

let server: Server;
let answer: Answer;
let requests: Asked[];
let nowMs: number;

beforeAll(async () => {
  server = createServer((request, response) => {
    void (async () => {
      const asked = await read(request);
      requests.push(asked);
      answer(asked, response);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  requests = [];
  nowMs = 1_000_000;
  answer = liveKeys;
});

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const { subjectIds } = JSON.parse(Buffer.concat(chunks).toString()) as { subjectIds: string[] };
  return { path: request.url, authorization: request.headers.authorization, subjectIds };
}

const key = Buffer.alloc(32, 5);
const base64 = key.toString('base64');

const liveKeys: Answer = ({ subjectIds }, response) => {
  response.end(JSON.stringify({ keys: subjectIds.map((subjectId) => ({ subjectId, key: base64 })) }));
};

function answerWith(body: unknown, status = 200): Answer {
  return (_asked, response) => {
    response.statusCode = status;
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

function client(options: Partial<SubjectKeyClientOptions> = {}): SubjectKeyClient {
  const { port } = server.address() as AddressInfo;
  return new SubjectKeyClient({
    consentUrl: `http://127.0.0.1:${String(port)}`,
    token: 'local-service',
    monotonicMs: () => nowMs,
    timeoutMs: 5_000,
    ...options,
  });
}

describe('asking for keys', () => {
  it('asks the internal route with the token', async () => {
    const keys = await client().keys(['a', 'b']);
    expect(requests).toEqual([
      { path: '/internal/v1/keys/unwrap', authorization: 'Bearer local-service', subjectIds: ['a', 'b'] },
    ]);
    expect(keys.get('a')).toEqual({ state: 'live', key });
  });

  it('tells a destroyed key from one that was never there', async () => {
    answer = answerWith({ keys: [{ subjectId: 'a', gone: true }] });
    expect(Object.fromEntries(await client().keys(['a', 'b']))).toEqual({
      a: { state: 'gone' },
      b: { state: 'unknown' },
    });
  });

  it('asks for more than 500 in several requests, and for each id once', async () => {
    const ids = Array.from({ length: 1_001 }, (_, i) => `id-${String(i)}`);
    const keys = await client().keys([...ids, ...ids]);
    expect(keys.size).toBe(1_001);
    expect(requests.map(({ subjectIds }) => subjectIds.length)).toEqual([500, 500, 1]);
  });

  it('asks nothing for nothing', async () => {
    expect((await client().keys([])).size).toBe(0);
    expect(requests).toEqual([]);
  });

  it('reads what the other side writes', async () => {
    const found = new Map<string, SubjectKey>([
      ['a', { state: 'live', key }],
      ['b', { state: 'gone' }],
      ['c', { state: 'unknown' }],
    ]);
    answer = answerWith(unwrapKeysAnswer(found));
    expect(await client().keys(['a', 'b', 'c'])).toEqual(found);
  });
});

describe('a key that was asked for before', () => {
  it('is not asked for again until its time is over', async () => {
    const keys = client();
    await keys.keys(['a']);
    nowMs += KEY_CACHE_TTL_MAX_MS - 1;
    await keys.keys(['a', 'b']);
    nowMs += 1;
    await keys.keys(['a']);
    expect(requests.map(({ subjectIds }) => subjectIds)).toEqual([['a'], ['b'], ['a']]);
  });

  it('is kept no longer than five minutes, whatever is configured', async () => {
    const keys = client({ cacheTtlMs: 10 * KEY_CACHE_TTL_MAX_MS });
    await keys.keys(['a']);
    nowMs += KEY_CACHE_TTL_MAX_MS;
    await keys.keys(['a']);
    expect(requests).toHaveLength(2);
  });

  it('ages from the question, not from the answer', async () => {
    answer = (asked, response) => {
      nowMs += 1_000;
      liveKeys(asked, response);
    };
    const keys = client({ cacheTtlMs: 1_000 });
    await keys.keys(['a']);
    await keys.keys(['a']);
    expect(requests).toHaveLength(2);
  });

  it('is asked for again when there was none', async () => {
    answer = answerWith({ keys: [] });
    const keys = client();
    await keys.keys(['a']);
    answer = liveKeys;
    expect((await keys.keys(['a'])).get('a')?.state).toBe('live');
  });

  it('is dropped, the oldest first, when there are too many', async () => {
    const keys = client();
    const ids = Array.from({ length: KEY_CACHE_ENTRIES_MAX + 1 }, (_, i) => `id-${String(i)}`);
    await keys.keys(ids);
    requests = [];
    await keys.keys(ids.slice(1));
    expect(requests).toEqual([]);
    await keys.keys(['id-0']);
    expect(requests).toHaveLength(1);
  });
});

describe('a key service that does not give keys', () => {
  async function faultOf(asking: SubjectKeyClient): Promise<unknown> {
    try {
      return await asking.keys(['a']);
    } catch (error) {
      if (!(error instanceof SubjectKeyClientError)) throw error;
      expect(error.message).not.toMatch(/local-service/);
      return error.code;
    }
  }

  it.each([
    [400, 'key-service-refused'],
    [401, 'key-service-refused'],
    [403, 'key-service-refused'],
    [404, 'key-service-refused'],
    [429, 'key-service-failed'],
    [500, 'key-service-failed'],
    [503, 'key-service-failed'],
  ])('fails with a code for status %d', async (status, code) => {
    answer = answerWith({}, status);
    expect(await faultOf(client())).toBe(code);
  });

  it('fails when nobody listens', async () => {
    expect(await faultOf(client({ consentUrl: 'http://127.0.0.1:1' }))).toBe('key-service-unreachable');
  });

  it('fails when the connection breaks', async () => {
    answer = (_asked, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{', () => response.destroy());
    };
    expect(await faultOf(client())).toBe('key-service-unreachable');
  });

  it('fails when no answer comes in time, and when it does not end in time', async () => {
    answer = () => undefined;
    expect(await faultOf(client({ timeoutMs: 50 }))).toBe('key-service-timeout');
    answer = (_asked, response) => response.write('{"keys":[');
    expect(await faultOf(client({ timeoutMs: 200 }))).toBe('key-service-timeout');
  });

  it('fails on a redirect, which would carry the token elsewhere', async () => {
    answer = (_asked, response) => {
      response.writeHead(307, { location: '/elsewhere' }).end();
    };
    expect(await faultOf(client())).toBe('key-service-unreachable');
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['no JSON', '{"keys":'],
    ['no list', { keys: {} }],
    ['null', 'null'],
    ['an id nobody asked for', { keys: [{ subjectId: 'b', key: base64 }] }],
    [
      'an id twice',
      {
        keys: [
          { subjectId: 'a', key: base64 },
          { subjectId: 'a', gone: true },
        ],
      },
    ],
    ['a key that is gone', { keys: [{ subjectId: 'a', key: base64, gone: true }] }],
    ['neither', { keys: [{ subjectId: 'a' }] }],
    ['gone that is not true', { keys: [{ subjectId: 'a', gone: 'no' }] }],
    ['a short key', { keys: [{ subjectId: 'a', key: Buffer.alloc(31).toString('base64') }] }],
    ['far too much', `{"keys":[],"rest":"${'x'.repeat(256 * 1024)}"}`],
  ])('fails on an answer with %s', async (_name, body) => {
    answer = answerWith(body);
    expect(await faultOf(client())).toBe('key-service-bad-answer');
  });

  it('gives keys again once it answers', async () => {
    const keys = client();
    answer = answerWith({}, 503);
    await faultOf(keys);
    answer = liveKeys;
    expect((await keys.keys(['a'])).get('a')?.state).toBe('live');
  });
});
