/** Time as the simulator sees it. */
export interface Clock {
  /** Epoch ms. */
  now(): number;
  /** Milliseconds since the machine started: one scale for every process on the machine. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
};
