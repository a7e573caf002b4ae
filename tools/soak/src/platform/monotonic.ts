/**
 * Milliseconds of the machine's monotonic clock (CLOCK_MONOTONIC): comparable between processes, also with the
 * simulator's `receivedAtMonotonicMs`, and not with `performance.now()`.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
