import { createHmac } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { RingBuffer } from '../ring-buffer.ts';
import { Timers } from '../timers.ts';
import type { Update, UpdateSummary } from './updates.ts';

export interface WebhookSettings {
  /** Without one, updates wait. */
  readonly url?: string;
  readonly appSecret: string;
  /** Updates in one POST at most; Meta sends up to 1,000. */
  readonly batchMax: number;
  /** How long an update may wait for others to share its POST. */
  readonly batchWindowMs: number;
  /** POSTs under way at once. With more than one, updates can arrive out of order, as Meta's do. */
  readonly inFlightMax: number;
  /** Wait before the second retry; the first is at once, and each wait is twice the one before. */
  readonly retryBaseMs: number;
}

/** One attempt to deliver one POST. */
export interface WebhookDelivery {
  readonly seq: number;
  /** Epoch ms. */
  readonly postedAtMs: number;
  /** Absent when no answer came. */
  readonly status?: number;
  readonly error?: string;
  readonly ms: number;
  /** 1 for the first. */
  readonly attempt: number;
  readonly bytes: number;
  readonly updates: readonly UpdateSummary[];
}

export interface WebhookBacklog {
  /** Updates that wait for a POST. */
  readonly queued: number;
  /** POSTs under way. */
  readonly inFlight: number;
  /** POSTs that failed and will be tried again. */
  readonly retrying: number;
  /** Updates given up, because of too many attempts or too long a queue. */
  readonly dropped: number;
}

interface Batch {
  readonly body: Buffer;
  readonly updates: readonly Update[];
  attempt: number;
}

/** Meta's limit for a payload. */
const POST_BYTES_MAX = 3 * 1_024 * 1_024;
const UPDATES_QUEUED_MAX = 200_000;
const BATCHES_RETRYING_MAX = 10_000;
/** Meta tries for seven days; the simulator for about ten minutes. */
const ATTEMPTS_MAX = 15;
const RETRY_WAIT_MAX_MS = 60_000;
const ANSWER_TIMEOUT_MS = 20_000;
const DELIVERIES_KEPT_MAX = 10_000;

/** Delivers updates to the business's webhook: batched, signed over the exact bytes sent, tried again on anything but 200. */
export class WebhookSender {
  private url: string | undefined;
  private queue: Update[] = [];
  private readonly retryQueue: Batch[] = [];
  private readonly timers: Timers;
  private readonly deliveries = new RingBuffer<WebhookDelivery>(DELIVERIES_KEPT_MAX);
  private readonly underWay = new Set<AbortController>();
  private closed = false;
  private inFlight = 0;
  private retrying = 0;
  private dropped = 0;
  private flushPlanned = false;

  constructor(
    private readonly settings: WebhookSettings,
    private readonly clock: Clock,
    private readonly onChange: () => void,
  ) {
    this.url = settings.url;
    this.timers = new Timers(onChange);
  }

  setUrl(url: string): void {
    this.url = url;
    this.planFlush();
  }

  getUrl(): string | undefined {
    return this.url;
  }

  enqueue(update: Update): void {
    if (this.queue.length >= UPDATES_QUEUED_MAX) this.dropped += 1;
    else this.queue.push(update);
    this.planFlush();
  }

  list(): readonly WebhookDelivery[] {
    return this.deliveries.items();
  }

  backlog(): WebhookBacklog {
    return { queued: this.queue.length, inFlight: this.inFlight, retrying: this.retrying, dropped: this.dropped };
  }

  close(): void {
    this.closed = true;
    for (const post of this.underWay) post.abort();
    this.timers.clear();
    this.queue = [];
  }

  private planFlush(): void {
    if (this.flushPlanned || this.url === undefined || this.closed) return;
    this.flushPlanned = true;
    this.timers.after(this.settings.batchWindowMs, () => {
      this.flushPlanned = false;
      this.flush();
    });
  }

  private flush(): void {
    while (this.inFlight < this.settings.inFlightMax) {
      const batch = this.retryQueue.shift() ?? this.nextBatch();
      if (batch === undefined) return;
      void this.post(batch);
    }
  }

  private nextBatch(): Batch | undefined {
    if (this.queue.length === 0) return undefined;
    let bytes = 0;
    let count = 0;
    for (const update of this.queue.slice(0, this.settings.batchMax)) {
      bytes += Buffer.byteLength(JSON.stringify(update.change)) + 200;
      if (count > 0 && bytes > POST_BYTES_MAX) break;
      count += 1;
    }
    const updates = this.queue.splice(0, count);
    return { updates, body: Buffer.from(JSON.stringify(envelopeOf(updates))), attempt: 0 };
  }

  private async post(batch: Batch): Promise<void> {
    this.inFlight += 1;
    batch.attempt += 1;
    const postedAtMs = this.clock.now();
    const startedMs = this.clock.monotonicMs();
    const outcome = await this.send(batch.body);
    this.inFlight -= 1;
    if (this.closed) return;
    this.deliveries.push({
      seq: this.deliveries.total + 1,
      postedAtMs,
      ...outcome,
      ms: this.clock.monotonicMs() - startedMs,
      attempt: batch.attempt,
      bytes: batch.body.length,
      updates: batch.updates.map(({ summary }) => summary),
    });
    if (outcome.status !== 200) this.planRetry(batch);
    this.flush();
    this.onChange();
  }

  private async send(body: Buffer): Promise<{ status?: number; error?: string }> {
    const post = new AbortController();
    const timeout = setTimeout(() => {
      post.abort();
    }, ANSWER_TIMEOUT_MS);
    this.underWay.add(post);
    try {
      const response = await fetch(this.url ?? '', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'facebookexternalua',
          'x-hub-signature-256': signatureOf(body, this.settings.appSecret),
        },
        body: new Uint8Array(body),
        redirect: 'manual',
        signal: post.signal,
      });
      await response.arrayBuffer();
      return { status: response.status };
    } catch (error) {
      return { error: error instanceof Error ? error.name : 'unknown' };
    } finally {
      clearTimeout(timeout);
      this.underWay.delete(post);
    }
  }

  private planRetry(batch: Batch): void {
    if (batch.attempt >= ATTEMPTS_MAX || this.retrying >= BATCHES_RETRYING_MAX) {
      this.dropped += batch.updates.length;
      return;
    }
    this.retrying += 1;
    const waitMs = batch.attempt === 1 ? 0 : this.settings.retryBaseMs * 2 ** (batch.attempt - 2);
    this.timers.after(Math.min(waitMs, RETRY_WAIT_MAX_MS), () => {
      this.retrying -= 1;
      this.retryQueue.push(batch);
      this.flush();
    });
  }
}

/** `X-Hub-Signature-256` of a body: HMAC-SHA-256 over its exact bytes. */
export function signatureOf(body: Uint8Array, appSecret: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}

function envelopeOf(updates: readonly Update[]): object {
  const entries = new Map<string, { id: string; time?: number; changes: object[] }>();
  for (const { wabaId, change, time } of updates) {
    const entry = entries.get(wabaId) ?? { id: wabaId, changes: [] };
    if (time !== undefined) entry.time = time;
    entry.changes.push(change);
    entries.set(wabaId, entry);
  }
  return { object: 'whatsapp_business_account', entry: [...entries.values()] };
}
