import { Counter, Histogram, type Registry } from 'prom-client';
import type { DispatchDocument } from '../dispatch-ledger/dispatch.projection.ts';
import type { GateVerdict } from '../gate/gate.decider.ts';

const LATENESS_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

/** What the gate and the send loop report at /metrics. */
export class DispatchMetrics {
  readonly #decisions: Counter<'decision' | 'reason'>;
  readonly #lateness: Histogram;
  readonly #expiredCalls: Counter;
  readonly #now: () => number;

  /** @param now epoch milliseconds */
  constructor(registry: Registry, now: () => number) {
    this.#now = now;
    this.#decisions = new Counter({
      name: 'gate_decisions_total',
      help: 'Verdicts of the gate right before a call, by their first reason.',
      labelNames: ['decision', 'reason'],
      registers: [registry],
    });
    this.#lateness = new Histogram({
      name: 'dispatch_lateness_seconds',
      help: 'From the instant a message was due to the answer of the provider.',
      buckets: LATENESS_BUCKETS_SECONDS,
      registers: [registry],
    });
    this.#expiredCalls = new Counter({
      name: 'gate_expired_calls_total',
      help: 'Calls that may have begun after their decision had expired: the process was frozen in between.',
      registers: [registry],
    });
  }

  decided(verdict: GateVerdict): void {
    this.#decisions.inc({ decision: verdict.verdict, reason: verdict.reasons[0]?.code ?? 'none' });
  }

  calledAfterExpiry(): void {
    this.#expiredCalls.inc();
  }

  sent({ dueAt }: DispatchDocument): void {
    if (dueAt !== undefined) this.#lateness.observe(Math.max(0, this.#now() - Date.parse(dueAt)) / 1_000);
  }
}
