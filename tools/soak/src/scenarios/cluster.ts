import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaNode } from '@assent/local-stack';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { staleEnds } from '../checkers/stale-ends.ts';
import { whileAskingForEnds } from '../nemesis/ask-for-ends.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';
import { duringTraffic, trafficViolations } from './mixed-traffic.ts';
import type { Scenario } from './scenario.ts';

const PEOPLE = 4;
const BLOWS = 2;
const PAUSE_MAX_MS = 1_000;
/** From shorter than a broker's session (1.5 s, after which its partitions are led by others) to well above. */
const DOWN_MAX_MS = 3_000;
/** One in so many blows hits two of the three brokers, so that nothing can be acknowledged meanwhile. */
const MAJORITY_CHANCE = 0.2;

/** What the traffic writes to, with the partitions of infra/kafka/topics.yaml. */
const TOPICS = { 'consent.events': 12, 'dispatch.events': 12, 'suppression.events': 12 };

const BLOW_KINDS = ['kill', 'freeze', 'stop'] as const;

/** Three brokers, each leading a third of the partitions, killed, frozen and stopped under traffic. */
export const cluster: Scenario = {
  name: 'cluster',
  ciRuns: 0,
  invariants: ['I1', 'I4'],
  platform: { kafkaNodes: 3, throughKafkaProxy: [] },
  run: async ({ platform, world, random, evidence, progress }) => {
    const { kafkaNodes } = platform.stack;
    const people = await world.optIn(PEOPLE);
    const trouble = async (): Promise<void> => {
      for (let blow = 0; blow < BLOWS; blow += 1) {
        await sleep(random.integer(0, PAUSE_MAX_MS));
        const victims = random.shuffled(kafkaNodes).slice(0, random.chance(MAJORITY_CHANCE) ? 2 : 1);
        const kind = random.pick(BLOW_KINDS);
        progress(`${kind}s brokers ${victims.map(({ id }) => id).join(' and ')}`);
        await strike(kind, victims, random);
      }
    };
    const { result: traffic, asked } = await whileAskingForEnds({ brokers: platform.brokers, topics: TOPICS }, () =>
      duringTraffic({ world, random, people }, trouble),
    );
    await platform.heal();
    const records = await evidence.readToEnd();
    const calls = readCallLog(platform.callLogFile);
    const stale = staleEnds(asked, traffic.acknowledged);
    return {
      violations: [...trafficViolations(traffic, calls, records)],
      counts: {
        blows: BLOWS,
        acknowledged: traffic.acknowledged.length,
        failedTries: traffic.failedTries,
        unanswered: traffic.unanswered.length,
        endsAsked: asked.length,
        staleEnds: stale.answers,
        staleEndsMaxMs: Math.round(stale.missedForMaxMs),
      },
    };
  },
};

/** Resolves when the brokers serve again. */
async function strike(
  kind: (typeof BLOW_KINDS)[number],
  victims: readonly KafkaNode[],
  random: SeededRandom,
): Promise<void> {
  const downMs = random.integer(0, DOWN_MAX_MS);
  if (kind === 'freeze') {
    const pids = victims.flatMap(({ pid }) => pid ?? []);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await sleep(downMs);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    return;
  }
  await Promise.all(victims.map((node) => (kind === 'kill' ? node.kill('SIGKILL') : node.stop())));
  await sleep(downMs);
  await Promise.all(victims.map((node) => node.restart()));
}
