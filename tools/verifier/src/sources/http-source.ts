import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { type Listed, type Source, SourceError } from './source.ts';

/** A server that has not answered whole by then is taken as one that does not answer. */
export const ANSWER_TIMEOUT_MS = 30_000;
/** A connection may be cut, and a server may be busy for a moment. */
const TRIES_MAX = 3;
const PAUSE_MS = 200;
const CONNECTIONS_MAX = 8;
/** Of an answer that says that there is no such file: some servers send a page. */
const MISSING_BYTES_MAX = 65_536;

export interface HttpSettings {
  /** Sent as `Authorization: Bearer …`, to this server only: redirects are not followed. */
  readonly bearer?: string;
  readonly timeoutMs?: number;
}

/**
 * An audit log behind a web server: the audit service itself, or any server of static files. No redirects, no
 * compression, no more bytes than the file may have, no longer than the time allowed.
 */
export class HttpSource implements Source {
  readonly lists = false;
  bytesRead = 0;
  private readonly base: URL;
  private readonly agent: HttpAgent;

  constructor(
    readonly name: string,
    private readonly settings: HttpSettings = {},
  ) {
    this.base = new URL(name.endsWith('/') ? name : `${name}/`);
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    this.agent = this.base.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.get(path, bytesMax);
      } catch (error) {
        const again = error instanceof SourceError && (error.code === 'unreadable' || isBusy(error));
        if (!again || tries === TRIES_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
      }
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a web server does not say what it has
  async *list(): AsyncIterable<Listed> {
    yield* [];
  }

  close(): void {
    this.agent.destroy();
  }

  private get(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    const { bearer, timeoutMs = ANSWER_TIMEOUT_MS } = this.settings;
    const send = this.base.protocol === 'https:' ? requestHttps : requestHttp;
    return new Promise((resolve, reject) => {
      const request = send(new URL(path, this.base), {
        agent: this.agent,
        headers: {
          'accept-encoding': 'identity',
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        },
      });
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        settle();
      };
      const fail = (error: SourceError): void => {
        end(() => {
          reject(error);
        });
        request.destroy();
      };
      const timer = setTimeout(() => {
        fail(new SourceError('timed-out', path, `after ${timeoutMs} ms`));
      }, timeoutMs);
      request.on('error', (error: Error & { code?: string }) => {
        fail(new SourceError('unreadable', path, error.code));
      });
      request.on('response', (response) => {
        this.receive(path, response, bytesMax, fail, (bytes) => {
          end(() => {
            resolve(bytes);
          });
        });
      });
      request.end();
    });
  }

  private receive(
    path: string,
    response: IncomingMessage,
    bytesMax: number,
    fail: (error: SourceError) => void,
    done: (bytes: Uint8Array | undefined) => void,
  ): void {
    const problem = problemOf(path, response);
    if (problem !== undefined) {
      fail(problem);
      return;
    }
    const found = response.statusCode === 200;
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > (found ? bytesMax : MISSING_BYTES_MAX)) fail(new SourceError('too-large', path));
      else if (found) chunks.push(chunk);
    });
    response.on('error', () => {
      fail(new SourceError('unreadable', path, 'the answer was cut'));
    });
    response.on('end', () => {
      if (!response.complete) {
        fail(new SourceError('unreadable', path, 'the answer was cut'));
        return;
      }
      this.bytesRead += length;
      done(found ? Buffer.concat(chunks) : undefined);
    });
  }
}

function problemOf(path: string, { statusCode = 0, headers }: IncomingMessage): SourceError | undefined {
  if (statusCode >= 300 && statusCode < 400) return new SourceError('redirected', path, `HTTP ${statusCode}`);
  if (statusCode !== 200 && statusCode !== 404) return new SourceError('refused', path, `HTTP ${statusCode}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' ? undefined : new SourceError('encoded', path, 'a content encoding nobody asked for');
}

function isBusy({ detail = '' }: SourceError): boolean {
  return ['HTTP 429', 'HTTP 502', 'HTTP 503', 'HTTP 504'].includes(detail);
}
