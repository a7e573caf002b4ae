import { GraphError } from '../graph-error.ts';

/** One message per six seconds to one person, of which 45 may be borrowed (Meta's platform overview). */
const PAIR_INTERVAL_MS = 6_000;
const PAIR_BURST = 45;
/** Enough for every test; beyond, the longest unused pair is forgotten. */
const PAIRS_MAX = 100_000;

interface Bucket {
  tokens: number;
  updatedAtMs: number;
}

/** Throughput of each business number and the rate of each (number, person) pair. */
export class RateLimits {
  private readonly buckets = new Map<string, Bucket>();

  /** @param perSecond messages a second that one business number may send (80 by default at Meta) */
  constructor(private readonly perSecond: number) {}

  /** Counts one message; throws `GraphError` 130429 or 131056 when it is one too many. */
  take(phoneNumberId: string, person: string, nowMs: number): void {
    if (!this.takeFrom(phoneNumberId, this.perSecond, 1_000 / this.perSecond, nowMs)) {
      throw new GraphError(130429, 'Cloud API message throughput has been reached.');
    }
    if (!this.takeFrom(`${phoneNumberId}|${person}`, PAIR_BURST, PAIR_INTERVAL_MS, nowMs)) {
      throw new GraphError(131056, 'Too many messages sent from the sender phone number to the same recipient.');
    }
  }

  clear(): void {
    this.buckets.clear();
  }

  private takeFrom(key: string, burst: number, intervalMs: number, nowMs: number): boolean {
    const bucket = this.buckets.get(key) ?? { tokens: burst, updatedAtMs: nowMs };
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > PAIRS_MAX) {
      const oldest = this.buckets.keys().next().value;
      if (oldest !== undefined) this.buckets.delete(oldest);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.updatedAtMs) / intervalMs);
    bucket.updatedAtMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
