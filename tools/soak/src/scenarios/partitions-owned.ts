import type { PartName } from '../platform/parts.ts';
import type { SoakPlatform } from '../platform/soak-platform.ts';

const ANSWER_TIMEOUT_MS = 2_000;

/** Partitions that a process says it owns, from its metrics; 0 when it does not answer. */
export async function partitionsOwned(platform: SoakPlatform, name: PartName): Promise<number> {
  try {
    const response = await fetch(`${platform.url(name)}/metrics`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    const counts = [...(await response.text()).matchAll(/^consumer_partitions\{[^}]*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  } catch {
    return 0;
  }
}
