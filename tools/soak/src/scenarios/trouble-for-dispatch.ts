import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy } from '../fault-proxy/fault-proxy.ts';
import type { PartName } from '../platform/parts.ts';
import type { SoakPlatform } from '../platform/soak-platform.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';

/** What happens to the dispatch processes in one run. */
export interface Trouble {
  readonly kills: number;
  readonly restarts: number;
  readonly pauses: number;
  readonly slowLinks: number;
  readonly cutLinks: number;
  readonly lateProjections: number;
}

interface Act {
  readonly atMs: number;
  readonly kind: keyof Trouble;
  run(): Promise<void>;
}

/** Long enough that a check and its call can lie on either side of it; shorter than a session of the consumer group. */
const PAUSE_MS = { min: 100, max: 3_500 } as const;
const SLOW_FOR_MS = { min: 400, max: 2_500 } as const;
/** A read model that is later than this is behind for the barrier (1 s), which is half of the point. */
const KAFKA_DELAY_MS = { min: 50, max: 1_500 } as const;
/** Each round trip to the store costs this; a batch takes several. */
const STORE_DELAY_MS = { min: 5, max: 300 } as const;

/**
 * Kills, pauses and restarts dispatch processes and delays or cuts their ways to Kafka and the store, for `windowMs`; a
 * seed says what and when. Answers what was done, with every fault healed and every process running or coming back.
 */
export async function troubleDispatch(
  platform: SoakPlatform,
  random: SeededRandom,
  windowMs: number,
): Promise<Trouble> {
  const acts = planOf(platform, random, windowMs);
  const began = performance.now();
  await Promise.all(
    acts.map(async (act) => {
      await sleep(Math.max(0, act.atMs - (performance.now() - began)));
      await act.run();
    }),
  );
  const count = (kind: keyof Trouble): number => acts.filter((act) => act.kind === kind).length;
  return {
    kills: count('kills'),
    restarts: count('restarts'),
    pauses: count('pauses'),
    slowLinks: count('slowLinks'),
    cutLinks: count('cutLinks'),
    lateProjections: count('lateProjections'),
  };
}

function planOf(platform: SoakPlatform, random: SeededRandom, windowMs: number): Act[] {
  const parts = platform.partsOf('dispatch');
  const at = (): number => random.integer(0, windowMs);
  const acts: Act[] = [];
  // One process at a time loses its partitions; the group needs about six seconds to notice a kill.
  if (random.chance(0.5)) acts.push(killed(platform, random.pick(parts), at()));
  else if (random.chance(0.4)) acts.push(restarted(platform, random.pick(parts), at()));
  for (let pauses = random.integer(1, 3); pauses > 0; pauses -= 1)
    acts.push(paused(platform, random.pick(parts), at(), random.integer(PAUSE_MS.min, PAUSE_MS.max)));
  for (let slow = random.integer(1, 3); slow > 0; slow -= 1) {
    const isKafka = random.chance(0.5);
    const link = isKafka ? platform.kafkaLinks[0] : platform.storeLinks.get(random.pick(parts));
    const { min, max } = isKafka ? KAFKA_DELAY_MS : STORE_DELAY_MS;
    const delayMs = random.integer(min, max);
    if (link !== undefined) acts.push(slowed(link, delayMs, at(), random.integer(SLOW_FOR_MS.min, SLOW_FOR_MS.max)));
  }
  if (random.chance(0.6)) acts.push(late(platform, random.pick(parts), random.integer(100, 1_500), at()));
  if (random.chance(0.3)) acts.push(cut(platform, random, at()));
  return acts;
}

function killed(platform: SoakPlatform, part: PartName, atMs: number): Act {
  return { atMs, kind: 'kills', run: () => platform.part(part).kill9() };
}

function restarted(platform: SoakPlatform, part: PartName, atMs: number): Act {
  return {
    atMs,
    kind: 'restarts',
    run: async () => {
      await platform.part(part).stop();
      platform.part(part).start();
    },
  };
}

function paused(platform: SoakPlatform, part: PartName, atMs: number, forMs: number): Act {
  return {
    atMs,
    kind: 'pauses',
    run: async () => {
      platform.pause(part);
      await sleep(forMs);
      platform.resume(part);
    },
  };
}

function slowed(link: FaultProxy, delayMs: number, atMs: number, forMs: number): Act {
  return {
    atMs,
    kind: 'slowLinks',
    run: async () => {
      link.impair('toClient', { delayMs, jitterMs: delayMs / 2 });
      await sleep(forMs);
      link.impair('toClient', { delayMs: 0, jitterMs: 0 });
    },
  };
}

/** The read models of one process are late (see test-builds/late-projections), everything else of it is not. */
function late(platform: SoakPlatform, part: PartName, projectionDelayMs: number, atMs: number): Act {
  return {
    atMs,
    kind: 'lateProjections',
    run: async () => {
      platform.part(part).tell({ projectionDelayMs });
      await sleep(SLOW_FOR_MS.max);
      platform.part(part).tell({ projectionDelayMs: 0 });
    },
  };
}

/** Every connection of both processes to Kafka, or of one to the store, is reset, and new ones for a while, too. */
function cut(platform: SoakPlatform, random: SeededRandom, atMs: number): Act {
  const part = random.pick(platform.partsOf('dispatch'));
  const links = random.chance(0.5) ? platform.kafkaLinks : [platform.storeLinks.get(part)];
  const forMs = random.integer(100, 1_500);
  return {
    atMs,
    kind: 'cutLinks',
    run: async () => {
      for (const link of links) link?.cut();
      await sleep(forMs);
      for (const link of links) link?.heal();
    },
  };
}
