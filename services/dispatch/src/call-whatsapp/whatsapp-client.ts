import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** What one call sends. */
export interface WhatsappMessage {
  readonly senderId: string;
  /** E.164 with `+`, or a business-scoped user id. */
  readonly to: { readonly phone: string } | { readonly bsuid: string };
  readonly template: { readonly name: string; readonly language: string };
  readonly bodyParameters: readonly string[];
  /** Payloads of quick-reply buttons by their index; a button without one answers with its label. */
  readonly quickReplies: readonly { readonly index: number; readonly payload: string }[];
  /** Echoed in every status (`biz_opaque_callback_data`). */
  readonly callbackData: string;
}

/**
 * What a call that has begun came to. - `sent`: accepted. - `refused`: the provider said no with an error code.
 * - `unknown`: bytes left and no understood answer came; the message may be on its way.
 */
type Answer =
  | { readonly kind: 'sent'; readonly wamid: string; readonly messageStatus?: string }
  | { readonly kind: 'refused'; readonly httpStatus: number; readonly errorCode?: number }
  | { readonly kind: 'unknown'; readonly why: string };

/** `begunAtMs`: monotonic milliseconds, read once the request was handed to the socket; its first byte left before. */
export type BegunCall = Answer & { readonly begunAtMs: number };

/**
 * `not-begun`: no byte left this process, so nothing can have been taken. `too-late`: the time was over before a
 * connection was asked for; `connected-late`: it passed while the provider was slow to take one.
 */
export type CallOutcome =
  BegunCall | { readonly kind: 'not-begun'; readonly why: 'too-late' | 'connected-late' | 'unreachable' };

/** How long an answer is waited for; then the outcome is unknown, never "not sent". */
export const ANSWER_TIMEOUT_MS = 10_000;
/** A larger answer is not read: the Cloud API's are below 1 KiB. */
const ANSWER_BYTES_MAX = 65_536;
/** Connections to the provider; a sender's rate is far below what these carry. */
const CONNECTIONS_MAX = 64;
/** Idle connections end before the provider's side ends them: a call on a dying connection has an unknown outcome. */
const IDLE_CONNECTION_MS = 4_000;
const GRAPH_VERSION = 'v23.0';

/**
 * The Cloud API's `POST /{phone-number-id}/messages`. One request per call of `send`, never repeated here: there is no
 * idempotency key, so a second request could be a second message (WhatsApp, "Send messages", 2025-11-04).
 */
export class WhatsappClient {
  readonly #base: URL;
  readonly #token: string;
  readonly #monotonicMs: () => number;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(options: { apiUrl: string; accessToken: string; monotonicMs: () => number }) {
    this.#base = new URL(options.apiUrl);
    this.#token = options.accessToken;
    this.#monotonicMs = options.monotonicMs;
    const settings = { keepAlive: true, maxSockets: CONNECTIONS_MAX, timeout: IDLE_CONNECTION_MS };
    this.#agent = this.#base.protocol === 'https:' ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  /**
   * Makes the call. Its first byte leaves before `beginBeforeMs` (monotonic milliseconds) or not at all: the headers are
   * written only once a connection stands and the time has been looked at again. Only a process that is frozen between
   * that look and the write is later; then `begunAtMs` tells.
   */
  send(message: WhatsappMessage, beginBeforeMs: number): Promise<CallOutcome> {
    if (this.#monotonicMs() > beginBeforeMs) return Promise.resolve({ kind: 'not-begun', why: 'too-late' });
    const body = Buffer.from(JSON.stringify(bodyOf(message)));
    return new Promise((resolve) => {
      let begunAtMs: number | undefined;
      const request = this.#open(message.senderId, body.length);
      const settle = (answer: Answer): void => {
        clearTimeout(timer);
        resolve(begunAtMs === undefined ? { kind: 'not-begun', why: 'unreachable' } : { ...answer, begunAtMs });
      };
      const giveUp = (why: string): void => {
        request.destroy();
        settle({ kind: 'unknown', why });
      };
      const timer = setTimeout(() => {
        giveUp('no-answer-in-time');
      }, ANSWER_TIMEOUT_MS);
      request.on('close', () => {
        clearTimeout(timer);
      });
      request.on('error', () => {
        giveUp('connection-lost');
      });
      request.on('response', (response) => {
        void readAnswer(response).then(settle);
      });
      whenConnected(request, () => {
        const now = this.#monotonicMs();
        if (now > beginBeforeMs) {
          request.destroy();
          resolve({ kind: 'not-begun', why: 'connected-late' });
          return;
        }
        begunAtMs = now; // whatever goes wrong from here on, bytes may have left
        request.end(body);
        begunAtMs = this.#monotonicMs();
      });
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(senderId: string, length: number): ClientRequest {
    const url = new URL(`/${GRAPH_VERSION}/${encodeURIComponent(senderId)}/messages`, this.#base);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return send(url, {
      method: 'POST',
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${this.#token}`,
        'content-type': 'application/json',
        'content-length': length,
      },
    });
  }
}

/** Calls `then` once the request has a connected (and, for TLS, secured) socket; nothing has been written by then. */
function whenConnected(request: ClientRequest, then: () => void): void {
  request.on('socket', (socket) => {
    if (!socket.connecting) {
      then();
      return;
    }
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', then);
  });
}

function bodyOf(message: WhatsappMessage): object {
  const { template, bodyParameters, quickReplies } = message;
  const parameters = bodyParameters.map((text) => ({ type: 'text', text }));
  const buttons = quickReplies.map(({ index, payload }) => ({
    type: 'button',
    sub_type: 'quick_reply',
    index: String(index),
    parameters: [{ type: 'payload', payload }],
  }));
  const components = [...(parameters.length > 0 ? [{ type: 'body', parameters }] : []), ...buttons];
  return {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...('phone' in message.to ? { to: message.to.phone } : { recipient: message.to.bsuid }),
    type: 'template',
    template: {
      name: template.name,
      language: { code: template.language },
      ...(components.length > 0 ? { components } : {}),
    },
    biz_opaque_callback_data: message.callbackData,
  };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const unknown = { kind: 'unknown', why: 'answer-not-understood' } as const;
  const text = await textOf(response);
  if (text === undefined) return { kind: 'unknown', why: 'answer-cut-off' };
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return unknown;
  }
  const httpStatus = response.statusCode ?? 0;
  if (httpStatus === 200) {
    const { messages } = (answer ?? {}) as { messages?: { id?: unknown; message_status?: unknown }[] };
    const first = Array.isArray(messages) ? messages[0] : undefined;
    if (typeof first?.id !== 'string') return unknown;
    const { message_status: status } = first;
    return {
      kind: 'sent',
      wamid: first.id,
      ...(typeof status === 'string' ? { messageStatus: status } : {}),
    };
  }
  const code = (answer as { error?: { code?: unknown } } | null)?.error?.code;
  if (typeof code !== 'number' || !Number.isSafeInteger(code)) return unknown;
  // A server error does not prove that nothing was taken, whatever its code says.
  if (httpStatus >= 500) return { kind: 'unknown', why: 'server-error' };
  return { kind: 'refused', httpStatus, errorCode: code };
}

async function textOf(response: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return response.complete ? Buffer.concat(chunks).toString('utf8') : undefined;
}
