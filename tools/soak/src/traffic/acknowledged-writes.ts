import { setTimeout as sleep } from 'node:timers/promises';
import type { AcknowledgedWrite } from '../checkers/evidence.ts';
import { monotonicMs } from '../platform/monotonic.ts';

const REQUEST_TIMEOUT_MS = 15_000;
/** WhatsApp and careful clients try again; sooner than they would, because a run is short. */
const RETRY_MS = 150;

export interface WriteRequest {
  /** What it is, for the record. */
  readonly kind: string;
  readonly subjectId?: string;
  /** Tried in turn. */
  readonly urls: readonly string[];
  readonly method?: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** How long it is tried again after no answer or a 5xx; absent: 20 s. */
  readonly patienceMs?: number;
  /** Told of every try: the HTTP status, or undefined when no answer came. */
  readonly onTry?: (status: number | undefined) => void;
}

/** What a write came to: acknowledged (2xx), refused (4xx), or no answer in all its time. */
export type WriteOutcome =
  | {
      readonly outcome: 'acknowledged';
      readonly write: AcknowledgedWrite;
      readonly status: number;
      readonly body: unknown;
    }
  | { readonly outcome: 'refused'; readonly status: number; readonly body: unknown }
  | { readonly outcome: 'unanswered' };

/**
 * Sends a write until it is answered by a 2xx or a 4xx, always with the same bytes and headers (an `idempotency-key`
 * among them makes repeats harmless).
 */
export async function write(request: WriteRequest): Promise<WriteOutcome> {
  const deadline = monotonicMs() + (request.patienceMs ?? 20_000);
  for (let attempt = 0; ; attempt += 1) {
    const begunAtMs = Date.now();
    const begunAtMonotonicMs = monotonicMs();
    const answer = await tryOnce(request, request.urls[attempt % request.urls.length] ?? '');
    request.onTry?.(answer?.status);
    if (answer !== undefined && answer.status < 500) {
      const { status, body } = answer;
      if (status < 200 || status >= 300) return { outcome: 'refused', status, body };
      const acknowledged = { acknowledgedAtMs: Date.now(), acknowledgedAtMonotonicMs: monotonicMs() };
      const { kind, subjectId } = request;
      const who = subjectId === undefined ? {} : { subjectId };
      const write = { kind, ...who, ids: idsOf(body), begunAtMs, begunAtMonotonicMs, ...acknowledged };
      return { outcome: 'acknowledged', write, status, body };
    }
    if (monotonicMs() >= deadline) return { outcome: 'unanswered' };
    await sleep(RETRY_MS);
  }
}

async function tryOnce(
  { method = 'POST', headers, body }: WriteRequest,
  url: string,
): Promise<{ status: number; body: unknown } | undefined> {
  try {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await fetch(url, { method, headers, body, signal });
    const text = await response.text();
    return { status: response.status, body: jsonOf(text) };
  } catch {
    return undefined;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Everything in an answer that is a text, or the only text of a list. */
function idsOf(body: unknown): Record<string, string> {
  if (typeof body !== 'object' || body === null) return {};
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]: [string, unknown]) => {
      const only: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
      return typeof only === 'string' ? [[name, only]] : [];
    }),
  );
}
