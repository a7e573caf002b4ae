import { Counter, Gauge, type Registry } from 'prom-client';

/** How many leaves the logs have, and how far the newest signatures are behind them. */
export class AuditMetrics {
  private readonly leaves: Counter<'topic'>;

  constructor(private readonly registry: Registry) {
    this.leaves = new Counter({
      name: 'audit_leaves_total',
      help: 'Records that this process made leaves of and signed.',
      labelNames: ['topic'],
      registers: [registry],
    });
  }

  signed(topic: string, leaves: number): void {
    this.leaves.inc({ topic }, leaves);
  }

  /** @param ageMs how long the oldest unsigned leaf has waited, ms; asked when the metrics are read */
  watchAge(ageMs: () => number): void {
    new Gauge({
      name: 'audit_checkpoint_age_seconds',
      help: 'How long the oldest record without a signed checkpoint has waited, in the logs this process writes.',
      registers: [this.registry],
      collect() {
        this.set(ageMs() / 1_000);
      },
    });
  }
}
