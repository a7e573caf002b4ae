import { setTimeout as pause } from 'node:timers/promises';

/** Pause between two looks, ms. */
const PAUSE_MS = 20;
/** How long is waited unless told otherwise, ms: a loaded machine needs seconds for what takes milliseconds. */
const TIMEOUT_MS = 15_000;

/**
 * Waits until a condition holds.
 *
 * @param what for the failure: what is waited for
 * @param condition looked at again and again; anything but `undefined`, `null` and `false` ends the wait. Its errors
 *   count as "not yet"
 * @returns what the condition gave
 * @throws Error after `timeoutMs`, naming `what` and the last error
 */
export async function waitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = TIMEOUT_MS }: { timeoutMs?: number } = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadlineMs = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const result = await condition();
      cause = undefined;
      if (result !== undefined && result !== null && result !== false)
        return result as Exclude<T, undefined | null | false>;
    } catch (error) {
      cause = error;
    }
    await pause(PAUSE_MS);
  } while (performance.now() < deadlineMs);
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  throw new Error(`waited ${String(timeoutMs)} ms in vain for: ${what}${why}`, { cause });
}
