import type { Clock } from './clock.ts';

/** A check of something the service needs: `undefined` when it is fine, else what is wrong, for people. */
export type HealthCheck = () => Promise<string | undefined>;

/** What `/readyz` and `/startupz` answer. */
export interface HealthReport {
  status: 'ok' | 'not-ok';
  /** Reasons by check; a check without a reason is fine. */
  checks: Readonly<Record<string, { ok: boolean; reason?: string }>>;
}

/** Longest a check may take, ms: below the probes' own timeouts. */
const CHECK_TIMEOUT_MS = 1_000;
/** How long a report is answered again, ms: whoever probes cannot make the service ask its broker and store at will. */
const REPORT_KEPT_MS = 500;

/** Whether this process should get traffic, and why not. */
export class Health {
  readonly #clock: Clock;
  readonly #checks = new Map<string, HealthCheck>();
  #stopping = false;
  #started = false;
  #report: { madeAtMs: number; report: Promise<HealthReport> } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a check to readiness. */
  addCheck(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
    this.#report = undefined;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** From now on not ready: the first step of a shutdown. */
  stop(): void {
    this.#stopping = true;
    this.#report = undefined;
  }

  /** Whether traffic should come here: no shutdown has begun and every check is fine. */
  async ready(): Promise<HealthReport> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#report === undefined || nowMs - this.#report.madeAtMs > REPORT_KEPT_MS) {
      this.#report = { madeAtMs: nowMs, report: this.#makeReport() };
    }
    const report = await this.#report.report;
    if (report.status === 'ok') this.#started = true;
    return report;
  }

  /** Whether the service has ever been ready: it has caught up with the log once. */
  async started(): Promise<HealthReport> {
    return this.#started ? { status: 'ok', checks: {} } : this.ready();
  }

  async #makeReport(): Promise<HealthReport> {
    if (this.#stopping)
      return { status: 'not-ok', checks: { shutdown: { ok: false, reason: 'the service is stopping' } } };
    const entries = [...this.#checks].map(async ([name, check]) => {
      const reason = await bounded(check);
      return [name, reason === undefined ? { ok: true } : { ok: false, reason }] as const;
    });
    const checks = Object.fromEntries(await Promise.all(entries));
    return { status: Object.values(checks).every(({ ok }) => ok) ? 'ok' : 'not-ok', checks };
  }
}

/** The check's reason; a failure or a timeout is one too. Error texts are left to the log. */
async function bounded(check: HealthCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve(`no answer within ${String(CHECK_TIMEOUT_MS)} ms`);
    }, CHECK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([check(), timeout]);
  } catch (error) {
    return `failed (${error instanceof Error ? error.name : 'unknown error'})`;
  } finally {
    clearTimeout(timer);
  }
}
