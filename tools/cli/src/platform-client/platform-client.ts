import type { ServiceName } from '../start-platform/platform-processes.ts';

const REQUEST_TIMEOUT_MS = 20_000;

export type LocalRole = 'capture' | 'sender' | 'operator' | 'auditor' | 'privacy' | 'admin';

export interface ServiceRequest {
  readonly role?: LocalRole;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as a page's form is. */
  readonly form?: Readonly<Record<string, string>>;
  /** Position that the answer must have seen, as a write answered it. */
  readonly minPosition?: string;
}

export interface ServiceAnswer {
  readonly status: number;
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown;
}

/** The services of a local platform over HTTP, with the bearer tokens for local use. */
export class PlatformClient {
  readonly #urls: Readonly<Record<ServiceName, string>>;

  constructor(urls: Readonly<Record<ServiceName, string>>) {
    this.#urls = urls;
  }

  /** Answers whatever the service answered. Rejects when it does not answer in time. */
  async call(service: ServiceName, method: string, path: string, request: ServiceRequest = {}): Promise<ServiceAnswer> {
    const { role, json, form, minPosition } = request;
    const body =
      form === undefined ? (json === undefined ? undefined : JSON.stringify(json)) : new URLSearchParams(form);
    const response = await fetch(`${this.#urls[service]}${path}`, {
      method,
      headers: {
        ...(role === undefined ? {} : { authorization: `Bearer local-${role}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(minPosition === undefined ? {} : { 'assent-min-position': minPosition }),
      },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    const isJson = /^application\/([a-z.+-]+\+)?json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
  }
}
