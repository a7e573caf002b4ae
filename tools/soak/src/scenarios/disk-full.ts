import { setTimeout as sleep } from 'node:timers/promises';
import { acknowledgedInLog } from '../checkers/acknowledged-in-log.ts';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { oneCallPerAttempt } from '../checkers/one-call-per-attempt.ts';
import { setDiskFull } from '../nemesis/full-disk.ts';
import { rebuildService } from '../nemesis/rebuild-service.ts';
import { SERVICES } from '@assent/cli';
import { duringTraffic, refusedWrites } from './mixed-traffic.ts';
import type { Scenario } from './scenario.ts';

const PEOPLE = 6;
const FULL_MS = 3_000;

/**
 * The disk of the broker or of the store is full for a while under traffic (I1, I3): nothing is acknowledged that is not
 * in the log, and once there is room again and the part was restarted, everything goes on.
 */
export const diskFull: Scenario = {
  name: 'disk-full',
  ciRuns: 0,
  invariants: ['I1', 'I4', 'I5'],
  platform: { throughKafkaProxy: [] },
  run: async ({ platform, world, random, evidence, seed, progress }) => {
    const { stack } = platform;
    const victim = seed % 2 === 0 ? 'broker' : 'store';
    const pid = (): number | undefined => (victim === 'broker' ? stack.kafka.pid : stack.mongo.pid);
    if (!(await setDiskFull(pid() ?? 0, false))) {
      progress('NOT TESTED: this machine has no prlimit that may limit the files of a process (util-linux, Linux)');
      return { violations: [], counts: { notTested: 1 } };
    }
    const people = await world.optIn(PEOPLE);
    progress(`the disk of the ${victim} is full`);
    const traffic = await duringTraffic({ world, random, people }, async () => {
      await sleep(random.integer(0, 1_000));
      await setDiskFull(pid() ?? 0, true);
      await sleep(FULL_MS);
      // Both stop serving for good when they can't write; whoever makes room starts them again.
      await (victim === 'broker' ? stack.restartKafka() : stack.restartMongo());
    });
    await platform.heal();
    const service = SERVICES[seed % SERVICES.length] ?? 'consent';
    await Promise.all(platform.partsOf(service).map((name) => platform.part(name).stop()));
    const rebuilt = await rebuildService(platform, service);
    await platform.heal();
    const records = await evidence.readToEnd();
    return {
      violations: [
        ...refusedWrites(traffic),
        ...acknowledgedInLog(traffic.acknowledged, records),
        ...oneCallPerAttempt(readCallLog(platform.callLogFile), records),
        ...rebuilt.violations,
      ],
      counts: {
        acknowledged: traffic.acknowledged.length,
        failedTries: traffic.failedTries,
        unanswered: traffic.unanswered.length,
        documents: rebuilt.documents,
      },
    };
  },
};
