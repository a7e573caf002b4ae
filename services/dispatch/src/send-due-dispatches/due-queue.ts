/** Dispatches known to be due soon, per process: what is beyond stays in the store until it is near. */
export const DUE_KEPT_MAX = 10_000;

/**
 * Dispatches to look at, by instant. A small set in memory in front of the store: losing it loses nothing, because the
 * send loop asks the store again.
 */
export class DueQueue {
  readonly #dueAt = new Map<string, number>();

  /** Plans a look at `at` (epoch ms); the later of two wishes for one dispatch wins. False when the queue is full. */
  plan(dispatchId: string, at: number): boolean {
    if (!this.#dueAt.has(dispatchId) && this.#dueAt.size >= DUE_KEPT_MAX) return false;
    this.#dueAt.set(dispatchId, at);
    return true;
  }

  has(dispatchId: string): boolean {
    return this.#dueAt.has(dispatchId);
  }

  forget(dispatchId: string): void {
    this.#dueAt.delete(dispatchId);
  }

  /** Takes out at most `limit` dispatches that are due at `now`, the longest due first. */
  takeDue(now: number, limit: number): string[] {
    const due = [...this.#dueAt].filter(([, at]) => at <= now).sort(([, a], [, b]) => a - b);
    const taken = due.slice(0, limit).map(([dispatchId]) => dispatchId);
    for (const dispatchId of taken) this.#dueAt.delete(dispatchId);
    return taken;
  }

  /** The next instant (epoch ms) at which something is due; undefined when nothing is planned. */
  nextAt(): number | undefined {
    let next: number | undefined;
    for (const at of this.#dueAt.values()) if (next === undefined || at < next) next = at;
    return next;
  }
}
