import { readCallLog } from '../checkers/evidence-reader.ts';
import { killInTurn, victimsOf } from '../nemesis/kill-parts.ts';
import { rebuildService } from '../nemesis/rebuild-service.ts';
import { type ServiceName, SERVICES } from '@assent/cli';
import type { SoakPlatform } from '../platform/soak-platform.ts';
import { duringTraffic, trafficViolations } from './mixed-traffic.ts';
import type { RunContext, RunResult, Scenario } from './scenario.ts';

const PEOPLE = 4;
const KILLS = 4;
/** A start after a crash may take this many times a cold start. */
const START_RATIO_MAX = 2;

/** kill -9 of services, broker and store at random points under traffic (I1, I3, I5). */
export const crash: Scenario = {
  name: 'crash',
  invariants: ['I1', 'I4', 'I5'],
  platform: { throughKafkaProxy: [] },
  ciRuns: 0,
  run: async (context) => {
    const { platform, world, random, evidence, progress } = context;
    const people = await world.optIn(PEOPLE);
    const victims = random.shuffled(victimsOf(platform)).slice(0, KILLS);
    progress(`kills ${victims.join(', ')}`);
    const traffic = await duringTraffic({ world, random, people }, () => killInTurn(platform, victims, random));
    await platform.heal();
    const starts = await restartAndRebuild(context);
    const records = await evidence.readToEnd();
    const calls = readCallLog(platform.callLogFile);
    return {
      violations: [...trafficViolations(traffic, calls, records), ...starts.violations],
      counts: {
        kills: victims.length,
        acknowledged: traffic.acknowledged.length,
        failedTries: traffic.failedTries,
        unanswered: traffic.unanswered.length,
        ...starts.counts,
      },
    };
  },
};

/** One service, in turn by the seed: stopped, rebuilt, started cold, killed, started again. */
async function restartAndRebuild({ platform, seed }: RunContext): Promise<RunResult> {
  const service = SERVICES[seed % SERVICES.length] ?? 'consent';
  await Promise.all(platform.partsOf(service).map((name) => platform.part(name).stop()));
  const rebuilt = await rebuildService(platform, service);
  const coldStartMs = await startAll(platform, service);
  const afterCrashMs = await crashAll(platform, service);
  const isSlow = afterCrashMs > START_RATIO_MAX * coldStartMs;
  const again = isSlow ? await crashAll(platform, service) : afterCrashMs;
  const violations = [...rebuilt.violations];
  if (again > START_RATIO_MAX * coldStartMs) {
    const what = `${service} was ready ${Math.round(again)} ms after a crash, ${Math.round(coldStartMs)} ms cold`;
    violations.push({ invariant: 'start', what });
  }
  const counts = {
    documents: rebuilt.documents,
    coldStartMs: Math.round(coldStartMs),
    afterCrashMs: Math.round(again),
  };
  return { violations, counts };
}

/** Milliseconds until the slowest of the service's processes is ready. */
async function startAll(platform: SoakPlatform, service: ServiceName): Promise<number> {
  const parts = platform.partsOf(service).map((name) => platform.part(name));
  for (const part of parts) part.start();
  return Math.max(...(await Promise.all(parts.map((part) => part.waitReady()))));
}

async function crashAll(platform: SoakPlatform, service: ServiceName): Promise<number> {
  const parts = platform.partsOf(service).map((name) => platform.part(name));
  await Promise.all(parts.map((part) => part.kill9({ stayDown: true })));
  return startAll(platform, service);
}
