import { setTimeout as sleep } from 'node:timers/promises';
import type { PartName } from '../platform/parts.ts';
import type { SoakPlatform } from '../platform/soak-platform.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';

const PAUSE_MAX_MS = 800;
/** How long a killed broker or store is down. */
const DOWN_MAX_MS = 1_000;

export type Victim = PartName | 'broker' | 'store';

/** Everything of the platform that can crash; the simulator is the outside world. */
export function victimsOf(platform: SoakPlatform): Victim[] {
  const services = [...platform.parts.keys()].filter((name) => name !== 'simulator');
  return [...services, 'broker', 'store'];
}

/**
 * Kills `victims` with SIGKILL one after another, after random pauses; what ran comes back, as under an orchestrator.
 * Resolves when broker and store are back; services may still be starting.
 */
export async function killInTurn(
  platform: SoakPlatform,
  victims: readonly Victim[],
  random: SeededRandom,
): Promise<void> {
  for (const victim of victims) {
    await sleep(random.integer(0, PAUSE_MAX_MS));
    await kill(platform, victim, random.integer(0, DOWN_MAX_MS));
  }
}

async function kill(platform: SoakPlatform, victim: Victim, downMs: number): Promise<void> {
  const { stack } = platform;
  switch (victim) {
    case 'broker':
      await stack.kafkaProcess.kill('SIGKILL');
      await sleep(downMs);
      return stack.restartKafka();
    case 'store':
      await stack.mongoProcess.kill('SIGKILL');
      await sleep(downMs);
      return stack.restartMongo();
    default:
      return platform.part(victim).kill9();
  }
}
