import type { AcknowledgedWrite } from './evidence.ts';

/** One answer for the ends of logs: per `topic/partition` the next offset. */
export interface EndsAsked {
  /** Monotonic milliseconds, before the question left. */
  readonly askedAtMs: number;
  readonly ends: ReadonlyMap<string, number>;
}

export interface StaleEnds {
  /** Answers that missed a write which had been acknowledged before the question. */
  readonly answers: number;
  /** How long the oldest missed write had been acknowledged. */
  readonly missedForMaxMs: number;
}

/**
 * Residual (b) of docs/adr/0003, counted: a broker that does not know yet that another one leads tells an end below what
 * that one has acknowledged. A barrier that waits for this end would not wait for that write.
 */
export function staleEnds(asked: readonly EndsAsked[], writes: readonly AcknowledgedWrite[]): StaleEnds {
  const acknowledged = writes.flatMap(({ ids, acknowledgedAtMonotonicMs: atMs }) =>
    [...(ids['position'] ?? '').matchAll(/([a-z.]+\/\d+)@(\d+)/g)].map(([, log = '', offset]) => ({
      log,
      offset: Number(offset),
      atMs,
    })),
  );
  const missedForMs = asked.flatMap(({ askedAtMs, ends }) => {
    const missed = acknowledged
      .filter(({ log, offset, atMs }) => atMs < askedAtMs && (ends.get(log) ?? Infinity) <= offset)
      .map(({ atMs }) => askedAtMs - atMs);
    return missed.length === 0 ? [] : [Math.max(...missed)];
  });
  return { answers: missedForMs.length, missedForMaxMs: Math.max(0, ...missedForMs) };
}
