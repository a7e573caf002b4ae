import { setTimeout as sleep } from 'node:timers/promises';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { rebuildService } from '../nemesis/rebuild-service.ts';
import { monotonicMs } from '../platform/monotonic.ts';
import { type ServiceName, SERVICES } from '@assent/cli';
import type { PartName } from '../platform/parts.ts';
import { type SoakPlatform, until } from '../platform/soak-platform.ts';
import { duringTraffic, trafficViolations } from './mixed-traffic.ts';
import { partitionsOwned } from './partitions-owned.ts';
import type { Scenario, Violation } from './scenario.ts';

const PEOPLE = 8;
const SHARE_TIMEOUT_MS = 60_000;
/** A member that is silent for 6 s loses its partitions; then the other one takes them in less than a second. */
const TAKE_OVER_TIMEOUT_MS = 60_000;

/**
 * Two processes of each service. They share the partitions; one of each is killed or frozen under traffic, the other
 * takes over, and the frozen one does no harm when it goes on (I4, I5).
 */
export const twoOfEverything: Scenario = {
  name: 'two-of-everything',
  invariants: ['I1', 'I4', 'I5'],
  platform: { processes: { consent: 2, suppression: 2, dispatch: 2, audit: 2 }, throughKafkaProxy: [] },
  run: async (context) => {
    const { platform, world, random, evidence, seed, progress } = context;
    const violations: Violation[] = [];
    for (const service of SERVICES) violations.push(...(await judgeShares(platform, service)));
    const people = await world.optIn(PEOPLE);
    const service = SERVICES[seed % SERVICES.length] ?? 'dispatch';
    const [loser, winner] = random.shuffled(platform.partsOf(service)) as [PartName, PartName];
    const isFrozen = service === 'dispatch' || random.chance(0.5);
    const all = await partitionsOf(platform, service);
    progress(`${loser} is ${isFrozen ? 'frozen' : 'killed'}`);
    let takeOverMs = 0;
    const traffic = await duringTraffic({ world, random, people }, async () => {
      await sleep(random.integer(0, 1_000));
      const beganMs = monotonicMs();
      if (isFrozen) platform.pause(loser);
      else await platform.part(loser).kill9({ stayDown: true });
      const hasAll = await until(
        async () => ((await partitionsOwned(platform, winner)) >= all ? true : undefined),
        TAKE_OVER_TIMEOUT_MS,
      );
      takeOverMs = monotonicMs() - beganMs;
      if (hasAll === undefined) violations.push({ invariant: 'two', what: `${winner} did not take over` });
      if (isFrozen) platform.resume(loser);
      else platform.part(loser).start();
    });
    await platform.heal();
    violations.push(...(await judgeShares(platform, service)));
    await Promise.all(platform.partsOf(service).map((name) => platform.part(name).stop()));
    const rebuilt = await rebuildService(platform, service);
    await platform.heal();
    const records = await evidence.readToEnd();
    const calls = readCallLog(platform.callLogFile);
    return {
      violations: [...violations, ...trafficViolations(traffic, calls, records), ...rebuilt.violations],
      counts: {
        acknowledged: traffic.acknowledged.length,
        calls: calls.length,
        takeOverMs: Math.round(takeOverMs),
        documents: rebuilt.documents,
      },
    };
  },
};

/** Each process of a service owns some of its partitions; a rebalance may be under way. */
async function judgeShares(platform: SoakPlatform, service: ServiceName): Promise<Violation[]> {
  const names = platform.partsOf(service);
  const areShared = await until(async () => {
    const shares = await Promise.all(names.map((name) => partitionsOwned(platform, name)));
    return shares.every((share) => share > 0) ? true : undefined;
  }, SHARE_TIMEOUT_MS);
  return areShared === true ? [] : [{ invariant: 'two', what: `the processes of ${service} do not share its work` }];
}

async function partitionsOf(platform: SoakPlatform, service: ServiceName): Promise<number> {
  const shares = await Promise.all(platform.partsOf(service).map((name) => partitionsOwned(platform, name)));
  return shares.reduce((sum, share) => sum + share, 0);
}
