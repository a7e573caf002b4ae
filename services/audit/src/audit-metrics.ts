import { Counter, Gauge, type Registry } from 'prom-client';

/** How many leaves the logs have, and how far the newest signatures are behind them. */
export class AuditMetrics {
  private readonly leaves: Counter<'topic'>;
  private readonly witnessAnswers: Counter<'witness' | 'outcome'>;

  constructor(private readonly registry: Registry) {
    this.leaves = new Counter({
      name: 'audit_leaves_total',
      help: 'Records that this process made leaves of and signed.',
      labelNames: ['topic'],
      registers: [registry],
    });
    this.witnessAnswers = new Counter({
      name: 'audit_witness_answers_total',
      help: 'Answers of witnesses by what came of them; split-view means a witness has seen another log.',
      labelNames: ['witness', 'outcome'],
      registers: [registry],
    });
  }

  /** Counts the answer of a witness; `split-view` is an alarm. */
  witnessed(witness: string, outcome: string): void {
    this.witnessAnswers.inc({ witness, outcome });
  }

  signed(topic: string, leaves: number): void {
    this.leaves.inc({ topic }, leaves);
  }

  /** @param ageMs how long the oldest unsigned leaf, unbound checkpoint or log to be taken has waited, ms; asked when the metrics are read */
  watchAge(ageMs: () => number): void {
    new Gauge({
      name: 'audit_checkpoint_age_seconds',
      help: 'How long the oldest record has waited for a signed checkpoint and the head that binds it, where this process signs.',
      registers: [this.registry],
      collect() {
        this.set(ageMs() / 1_000);
      },
    });
  }

  /** @param ageMs how long the oldest head without a quorum of witnesses has waited, ms */
  watchQuorum(ageMs: () => number): void {
    new Gauge({
      name: 'audit_cosigned_checkpoint_age_seconds',
      help: 'How long the oldest head without a quorum of witnesses has waited, where this process asks them.',
      registers: [this.registry],
      collect() {
        this.set(ageMs() / 1_000);
      },
    });
  }
}
