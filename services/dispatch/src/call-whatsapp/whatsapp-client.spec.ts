import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WhatsappClient, type WhatsappMessage } from './whatsapp-client.ts';

const message: WhatsappMessage = {
  senderId: '100000000000001',
  to: { phone: '+12125550101' },
  template: { name: 'offer', language: 'en' },
  bodyParameters: ['Ada'],
  quickReplies: [{ index: 0, payload: 'OPTOUT' }],
  callbackData: 'attempt.dispatch.subject',
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('a call to WhatsApp', () => {
  let server: Server;
  let answer: Answer;
  let calls: string[];
  let client: WhatsappClient;
  /** What the monotonic clock shows from look to look; the last one stays. */
  let clock: number[];

  beforeEach(async () => {
    calls = [];
    clock = [1_000];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        calls.push(body);
        answer(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const monotonicMs = (): number => (clock.length > 1 ? clock.shift() : clock[0]) ?? 0;
    client = new WhatsappClient({ apiUrl: `http://127.0.0.1:${port}`, accessToken: 'token', monotonicMs });
  });

  afterEach(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });

  const reply =
    (status: number, body: object | string): Answer =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };

  it('sends one template message with its parameters, buttons and callback data', async () => {
    answer = reply(200, { messages: [{ id: 'wamid.1', message_status: 'accepted' }] });
    const outcome = await client.send(message, 2_000);
    expect(outcome).toEqual({ kind: 'sent', wamid: 'wamid.1', messageStatus: 'accepted', begunAtMs: 1_000 });
    expect(JSON.parse(calls[0] ?? '')).toMatchObject({
      messaging_product: 'whatsapp',
      to: '+12125550101',
      biz_opaque_callback_data: 'attempt.dispatch.subject',
      template: {
        components: [
          { type: 'body', parameters: [{ type: 'text', text: 'Ada' }] },
          { type: 'button', sub_type: 'quick_reply', index: '0', parameters: [{ type: 'payload', payload: 'OPTOUT' }] },
        ],
      },
    });
  });

  it.each([
    ['it was over before', [1_001], 'too-late'],
    ['it passed while the connection was made', [1_000, 1_001], 'connected-late'],
  ])('does not begin after its time: %s', async (_, shows, why) => {
    clock = shows;
    answer = reply(200, {});
    expect(await client.send(message, 1_000)).toEqual({ kind: 'not-begun', why });
    expect(calls).toEqual([]);
  });

  it.each<[string, Answer]>([
    ['that was taken', reply(200, { messages: [{ id: 'wamid.1' }] })],
    ['that was refused', reply(400, { error: { code: 131050 } })],
    ['without an answer', (request): void => void request.socket.destroy()],
  ])('tells when it was frozen between the last look at the time and the write, of a call %s', async (_, given) => {
    clock = [900, 1_000, 4_000];
    answer = given;
    expect(await client.send(message, 1_000)).toMatchObject({ begunAtMs: 4_000 });
    expect(calls).toHaveLength(1);
  });

  it('tells a refusal by its code', async () => {
    answer = reply(400, { error: { code: 131050, message: 'stopped' } });
    expect(await client.send(message, 2_000)).toMatchObject({ kind: 'refused', httpStatus: 400, errorCode: 131050 });
  });

  it.each<[string, Answer]>([
    ['a server error', reply(500, { error: { code: 131000 } })],
    ['an answer that is not JSON', reply(200, '<html>')],
    ['an answer without an id', reply(200, { messages: [] })],
    ['an answer that is null', reply(200, 'null')],
    ['an answer whose messages are no list', reply(200, { messages: { id: 'wamid.1' } })],
    ['a connection that breaks', (request): void => void request.socket.destroy()],
    [
      'an answer that is cut off',
      (_, response): void => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{');
        response.socket?.destroy();
      },
    ],
  ])('is unknown after %s', async (_, given) => {
    answer = given;
    expect((await client.send(message, 2_000)).kind).toBe('unknown');
    expect(calls).toHaveLength(1);
  });

  it('has not begun when nobody listens', async () => {
    const nobody = new WhatsappClient({ apiUrl: 'http://127.0.0.1:1', accessToken: 'token', monotonicMs: () => 1_000 });
    expect(await nobody.send(message, 2_000)).toEqual({ kind: 'not-begun', why: 'unreachable' });
  });
});
