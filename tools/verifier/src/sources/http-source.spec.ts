import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { preferences } from '../written-log/events.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';
import { HttpSource } from './http-source.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, file: Uint8Array | undefined) => void;

const sink = new FilesInMemory();
const written = new WrittenLog({ origin: 'log.example', sink, key: new TestKey(1) });
written.append('consent.events/0', preferences(300));
written.sign();
const log = new BrokenLog(sink.files);
const ENTRIES = 'logs/consent.events/0/tile/entries/000';

const honest: Answer = (_, response, file) => {
  response.writeHead(file === undefined ? 404 : 200).end(file);
};

let server: Server;
let base: string;
let answer: Answer;
const asked: { url: string; authorization: string | undefined }[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
    answer(request, response, log.files.get((request.url ?? '').slice('/some/where/'.length)));
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/where`;
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

beforeEach(() => {
  answer = honest;
  asked.length = 0;
});

/** Answers like an honest server, but for one file. */
const except = (path: string, other: Answer): Answer => {
  return (request, response, file) => {
    (request.url?.endsWith(path) === true ? other : honest)(request, response, file);
  };
};

const verify = async (timeoutMs = 2_000) => {
  const source = new HttpSource(base, { bearer: 'secret', timeoutMs });
  try {
    return await log.verify({ source });
  } finally {
    source.close();
  }
};

describe('a log behind a web server', () => {
  it('is verified; the token goes with every question', async () => {
    expect(await verify()).toMatchObject({ ok: true, checked: { leaves: 300, events: 300 } });
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret']));
  });

  it('is verified when it does not offer the offset index; that is noted', async () => {
    answer = (request, response, file) => {
      honest(request, response, request.url?.includes('/offsets/') === true ? undefined : file);
    };
    const { ok, notes } = await verify();
    expect([ok, notes]).toEqual([
      true,
      ['consent.events/0: the server does not offer the offset index, so it was not checked'],
    ]);
  });

  it('is asked again when it is busy or a connection is cut, and not for ever', async () => {
    let times = 0;
    answer = except('/checkpoint', (request, response, file) => {
      times += 1;
      if (times === 1) response.destroy();
      else if (times === 2) response.writeHead(503).end();
      else honest(request, response, file);
    });
    expect(await verify()).toMatchObject({ ok: true });
    answer = except(ENTRIES, (_, response) => response.writeHead(503).end());
    await expect(verify()).rejects.toMatchObject({ code: 'refused', detail: 'HTTP 503' });
  });

  it('is named where its answer is another one than was signed', async () => {
    answer = except(ENTRIES, (_, response) => response.end(new BrokenLog(log.files).flip(ENTRIES, 999).bytes(ENTRIES)));
    expect((await verify()).faults).toMatchObject([{ code: 'entry-changed', index: 0 }]);
  });
});

describe('a server that means ill', () => {
  it.each<[string, string, Answer]>([
    ['never answers', 'timed-out', () => undefined],
    [
      'answers a byte at a time',
      'timed-out',
      (_, response) => {
        const drip = setInterval(() => response.write('x'), 20);
        response.on('close', () => {
          clearInterval(drip);
        });
      },
    ],
    [
      'cuts every answer',
      'unreadable',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('x');
        setTimeout(() => response.destroy(), 5);
      },
    ],
    ['refuses the token', 'refused', (_, response) => response.writeHead(401).end()],
  ])('and %s is given up: the run is not finished', async (_, code, other) => {
    answer = except(ENTRIES, other);
    await expect(verify(250)).rejects.toMatchObject({ code });
  });

  it.each<[string, string, Answer]>([
    [
      'sends elsewhere',
      'redirected',
      (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    [
      'compresses what nobody wanted compressed',
      'encoded',
      (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000)));
      },
    ],
  ])('and %s is told so', async (_, code, other) => {
    answer = except(ENTRIES, other);
    const [fault] = (await verify()).faults;
    expect([fault?.code, fault?.text]).toEqual(['folder-unreadable', expect.stringContaining(code)]);
  });

  it('and has a file without an end is read no further than the file may go', async () => {
    let sent = 0;
    answer = except('heads/checkpoint', (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x'))) sent += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect((await verify()).faults).toMatchObject([{ code: 'checkpoint-invalid', log: 'heads' }]);
    expect(sent).toBeLessThan(20_000_000);
  });

  it('and answers differently each time is not believed', async () => {
    let times = 0;
    answer = except('tile/0/000', (_, response, file) => {
      times += 1;
      const bytes = Buffer.from(file ?? []);
      bytes[times] = (bytes[times] ?? 0) ^ 1;
      response.end(bytes);
    });
    expect((await verify()).ok).toBe(false);
    // One checkpoint is asked for once, so nobody can show another one in between.
    expect(asked.filter(({ url }) => url.endsWith('heads/checkpoint'))).toHaveLength(1);
  });
});
