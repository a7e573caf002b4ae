import { setTimeout as pause } from 'node:timers/promises';

const PAUSE_MS = 50;

/**
 * Looks again and again until `look` answers something, or the time is over. Errors of `look` pass through.
 *
 * @returns what it answered, or undefined after `timeoutMs`
 */
export async function waitUntil<T>(look: () => Promise<T | undefined>, timeoutMs: number): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined || performance.now() >= deadline) return found;
    await pause(PAUSE_MS);
  }
}
