import { setTimeout as sleep } from 'node:timers/promises';

/** Well below every session timeout of a consumer group. */
const WAIT_SLICE_MS = 1_000;

/** Many applications at a time, or one maintenance alone. */
export class MaintenanceLock {
  readonly #running = new Set<Promise<unknown>>();
  #maintenance: Promise<unknown> | undefined;

  /** Runs at once, or after the maintenance under way; `whileWaiting` is called every second until then. */
  async shared<T>(work: () => Promise<T>, whileWaiting: () => Promise<void>): Promise<T> {
    while (this.#maintenance !== undefined) {
      await Promise.race([this.#maintenance, sleep(WAIT_SLICE_MS, undefined, { ref: false })]);
      await whileWaiting();
    }
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Lets running applications end, keeps new ones waiting. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    while (this.#maintenance !== undefined) {
      await this.#maintenance;
    }
    const maintenance = Promise.allSettled(this.#running).then(work);
    this.#maintenance = maintenance.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await maintenance;
    } finally {
      this.#maintenance = undefined;
    }
  }
}
