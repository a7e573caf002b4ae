/** The only view of time that code below the edges has. */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01T00:00:00Z. May jump; stamps facts. */
  now(): number;
  /** Monotonic clock, milliseconds since an arbitrary instant. Never goes back; measures durations and deadlines. */
  monotonicMs(): number;
}

/** The machine's clocks: the one place of a service that reads them. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};
