import { KEY_BYTES } from './aes-gcm.ts';
import { errorField } from './error-fields.ts';
import { SUBJECT_KEYS_BATCH_MAX, type SubjectKey } from './subject-keys.ts';

/** The consent service's internal route; the tenant is that of the token. */
export const UNWRAP_KEYS_PATH = '/internal/v1/keys/unwrap';

/** What the route answers. Ids it has no key for are left out. */
export interface UnwrapKeysAnswer {
  readonly keys: readonly (
    { readonly subjectId: string; readonly key: string } | { readonly subjectId: string; readonly gone: true }
  )[];
}

/** The answer of the route for what `SubjectKeys.get` found; keys as base64. */
export function unwrapKeysAnswer(keys: ReadonlyMap<string, SubjectKey>): UnwrapKeysAnswer {
  const known = [...keys].flatMap(([subjectId, found]): UnwrapKeysAnswer['keys'] => {
    if (found.state === 'live') return [{ subjectId, key: Buffer.from(found.key).toString('base64') }];
    return found.state === 'gone' ? [{ subjectId, gone: true }] : [];
  });
  return { keys: known };
}

/** An erasure must be seen everywhere within minutes, even where the event that tells of it is late. */
export const KEY_CACHE_TTL_MAX_MS = 5 * 60_000;

/** About 4 MB of keys in memory; more would only serve subjects that are asked for once. */
export const KEY_CACHE_ENTRIES_MAX = 10_000;

/** A gate has 2 s from its first question to its call. */
const TIMEOUT_DEFAULT_MS = 1_000;

/** 500 keys take about 60 KB. */
const ANSWER_BYTES_MAX = 256 * 1024;

export type SubjectKeyClientFault =
  /** No connection, or it broke. */
  | 'key-service-unreachable'
  /** No answer in time. */
  | 'key-service-timeout'
  /** The service refused: wrong token, wrong role, or a request it does not understand. */
  | 'key-service-refused'
  /** The service failed, or is starting or stopping. */
  | 'key-service-failed'
  /** The answer is not what was agreed on. */
  | 'key-service-bad-answer';

/** No keys could be had: hold what needed them. Never carries a key, a token or a subject. */
export class SubjectKeyClientError extends Error {
  override readonly name = 'SubjectKeyClientError';
  readonly code: SubjectKeyClientFault;
  /** HTTP status, when there was one. */
  readonly status?: number;
  constructor(code: SubjectKeyClientFault, details: { status?: number; cause?: unknown } = {}) {
    super(`subject keys: ${code}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.status !== undefined) this.status = details.status;
  }
}

export interface SubjectKeyClientOptions {
  /** Origin of the consent service, such as http://127.0.0.1:4001. */
  readonly consentUrl: string;
  /** Bearer token with role `service`; its tenant is the tenant of every key. */
  readonly token: string;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonicMs: () => number;
  /** How long one request may take, answer included. */
  readonly timeoutMs?: number;
  /** How long a key is kept; at most `KEY_CACHE_TTL_MAX_MS`. */
  readonly cacheTtlMs?: number;
}

interface CacheEntry {
  readonly key: SubjectKey;
  readonly expiresAtMs: number;
}

/**
 * Subjects' keys for the services that hold none: asked of the consent service in batches, kept in memory for minutes.
 * Fails closed: it gives keys, or the knowledge that there is none, or throws.
 */
export class SubjectKeyClient {
  readonly #options: SubjectKeyClientOptions;
  readonly #url: URL;
  readonly #timeoutMs: number;
  readonly #cacheTtlMs: number;
  /** In order of age, so the first entry is the one to drop. */
  readonly #cache = new Map<string, CacheEntry>();

  constructor(options: SubjectKeyClientOptions) {
    this.#options = options;
    this.#url = new URL(UNWRAP_KEYS_PATH, options.consentUrl);
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_DEFAULT_MS;
    this.#cacheTtlMs = Math.min(options.cacheTtlMs ?? KEY_CACHE_TTL_MAX_MS, KEY_CACHE_TTL_MAX_MS);
  }

  /**
   * The keys of these subjects; every id that was asked for is in the answer. Subjects that are not cached are asked
   * for in batches of at most 500, one after the other.
   *
   * @throws SubjectKeyClientError; what earlier batches brought is cached
   */
  async keys(subjectIds: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>> {
    const found = new Map<string, SubjectKey>();
    const missing: string[] = [];
    for (const subjectId of new Set(subjectIds)) {
      const cached = this.#cached(subjectId);
      if (cached === undefined) missing.push(subjectId);
      else found.set(subjectId, cached);
    }
    for (let start = 0; start < missing.length; start += SUBJECT_KEYS_BATCH_MAX) {
      const batch = missing.slice(start, start + SUBJECT_KEYS_BATCH_MAX);
      const askedAtMs = this.#options.monotonicMs();
      const answered = keysIn(await this.#post(batch), batch);
      for (const subjectId of batch) {
        const key = answered.get(subjectId) ?? { state: 'unknown' };
        found.set(subjectId, key);
        if (key.state !== 'unknown') this.#keep(subjectId, key, askedAtMs);
      }
    }
    return found;
  }

  #cached(subjectId: string): SubjectKey | undefined {
    const entry = this.#cache.get(subjectId);
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs > this.#options.monotonicMs()) return entry.key;
    this.#cache.delete(subjectId);
    return undefined;
  }

  /** The time counts from the question: the answer may have been true no longer than that. */
  #keep(subjectId: string, key: SubjectKey, askedAtMs: number): void {
    this.#cache.delete(subjectId);
    this.#cache.set(subjectId, { key, expiresAtMs: askedAtMs + this.#cacheTtlMs });
    if (this.#cache.size <= KEY_CACHE_ENTRIES_MAX) return;
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest);
      return;
    }
  }

  async #post(subjectIds: readonly string[]): Promise<string> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { authorization: `Bearer ${this.#options.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ subjectIds }),
        signal: AbortSignal.timeout(this.#timeoutMs),
        // A redirect would carry the token elsewhere.
        redirect: 'error',
      });
      if (response.ok) return await limitedText(response);
      await response.body?.cancel();
      const code = response.status < 500 && response.status !== 429 ? 'key-service-refused' : 'key-service-failed';
      throw new SubjectKeyClientError(code, { status: response.status });
    } catch (error) {
      if (error instanceof SubjectKeyClientError) throw error;
      const timedOut = errorField(error, 'name') === 'TimeoutError';
      throw new SubjectKeyClientError(timedOut ? 'key-service-timeout' : 'key-service-unreachable', { cause: error });
    }
  }
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = response.body;
  if (body === null) return '';
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new SubjectKeyClientError('key-service-bad-answer');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads an answer strictly: anything unasked, double or of another shape spoils it all. */
function keysIn(text: string, asked: readonly string[]): ReadonlyMap<string, SubjectKey> {
  const open = new Set(asked);
  const found = new Map<string, SubjectKey>();
  for (const entry of entriesOf(text)) {
    const { subjectId, key, gone } = fieldsOf(entry);
    if (typeof subjectId !== 'string' || !open.delete(subjectId))
      throw new SubjectKeyClientError('key-service-bad-answer');
    if (gone === true && key === undefined) found.set(subjectId, { state: 'gone' });
    else if (typeof key === 'string' && gone === undefined) found.set(subjectId, { state: 'live', key: keyBytes(key) });
    else throw new SubjectKeyClientError('key-service-bad-answer');
  }
  return found;
}

function entriesOf(text: string): readonly unknown[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    // Without the cause: a parser's message quotes the text, and the text holds keys.
    throw new SubjectKeyClientError('key-service-bad-answer');
  }
  const { keys } = fieldsOf(answer);
  if (!Array.isArray(keys)) throw new SubjectKeyClientError('key-service-bad-answer');
  return keys as readonly unknown[];
}

function keyBytes(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== KEY_BYTES) throw new SubjectKeyClientError('key-service-bad-answer');
  return bytes;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
