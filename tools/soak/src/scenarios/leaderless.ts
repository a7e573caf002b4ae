import type { KafkaNode } from '@assent/local-stack';
import { acknowledgedInLog } from '../checkers/acknowledged-in-log.ts';
import type { AcknowledgedWrite } from '../checkers/evidence.ts';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { oneCallPerAttempt } from '../checkers/one-call-per-attempt.ts';
import { oneMessagePerCause } from '../checkers/one-message-per-cause.ts';
import { Copies, type LogPartition, partitionOfKey } from '../nemesis/single-copy.ts';
import { monotonicMs } from '../platform/monotonic.ts';
import { until } from '../platform/soak-platform.ts';
import type { WriteOutcome } from '../traffic/acknowledged-writes.ts';
import { SENDER_ID } from '../traffic/cast.ts';
import { stop } from '../traffic/stops.ts';
import type { Person } from '../traffic/world.ts';
import type { RunContext, RunResult, Scenario, Violation } from './scenario.ts';

const PEOPLE = 8;
/** As infra/kafka/topics.yaml declares subject-keyed topics locally. */
const PARTITIONS = 12;
/** The other partitions of the stopped broker are led by others after 1.5 s; consumers and producers find them then. */
const GO_ON_TIMEOUT_MS = 30_000;
const COME_BACK_TIMEOUT_MS = 30_000;
/** Whose log has no leader asks again until it has one. */
const PATIENCE_MS = 60_000;

/** Whose log has no leader, and whose has. */
interface Split {
  readonly log: LogPartition;
  readonly held: readonly Person[];
  readonly others: readonly Person[];
}

/**
 * The one broker that has a copy of one partition is stopped; every other partition has copies elsewhere. People whose log
 * has no leader are held, everybody else is decided and written to meanwhile, and when the broker is back nobody was
 * lost (I1, I3).
 */
export const leaderless: Scenario = {
  name: 'leaderless',
  ciRuns: 0,
  invariants: ['I1', 'I3', 'I4'],
  platform: { kafkaNodes: 3, throughKafkaProxy: [] },
  run: async (context) => {
    const { platform, world, random, progress } = context;
    const people = await world.optIn(PEOPLE);
    const topic = random.pick(['consent.events', 'dispatch.events'] as const);
    const split = splitBy(topic, people, random.pick(people.filter(isNotBesideTheSender)));
    const node = random.pick(platform.stack.kafkaNodes);
    const copies = await Copies.open(platform.brokers);
    const { replicas } = await copies.of(split.log);
    progress(`${topic}/${split.log.partition} is on broker ${node.id} only, which is stopped`);
    try {
      await copies.move(split.log, [node.id]);
      return await whileLeaderless(context, split, node, copies);
    } finally {
      if (node.pid === undefined) await node.restart();
      await copies.move(split.log, replicas);
      await copies.close();
      await platform.heal();
    }
  },
};

async function whileLeaderless(
  { platform, world, random, evidence }: RunContext,
  { log, held, others }: Split,
  node: KafkaNode,
  copies: Copies,
): Promise<RunResult> {
  // In order: of a last copy that was killed Kafka can't tell whether it is whole, and waits for a person to elect it.
  await node.stop();
  await copies.untilLeaderless(log);
  const fromMs = monotonicMs();
  const offer = (person: Person): Promise<WriteOutcome> => world.offer(person, { patienceMs: PATIENCE_MS });
  const heldOffers = Promise.all(held.map(offer));
  const otherOffers = await Promise.all(others.map(offer));
  const wereSent = await untilCalled(platform.callLogFile, otherOffers, GO_ON_TIMEOUT_MS);
  const stopped = await stop(world, random.pick(others), 'keyword', random);
  const untilMs = monotonicMs();
  await node.restart();
  const offers = [...otherOffers, ...(await heldOffers)];
  const cameBack = await untilCalled(platform.callLogFile, offers, COME_BACK_TIMEOUT_MS);
  const cameBackMs = monotonicMs() - untilMs;
  const [records, calls] = [await evidence.readToEnd(), readCallLog(platform.callLogFile)];
  const heldIds = new Set(held.map(({ subjectId }) => subjectId));
  const early = calls.filter(
    ({ bizOpaqueCallbackData, receivedAtMonotonicMs: at }) =>
      at > fromMs && at < untilMs && heldIds.has(bizOpaqueCallbackData?.split('.')[2] ?? ''),
  );
  return {
    violations: [
      ...wereSent.map((id) => problem(`dispatch ${id} was not sent while another partition had no leader`)),
      ...early.map(() => problem('a call was made for somebody whose log had no leader')),
      ...cameBack.map((id) => problem(`dispatch ${id} was not sent after the leader was back`)),
      ...acknowledgedInLog([stopped, ...offers.flatMap(acknowledged)], records),
      ...oneCallPerAttempt(calls, records),
      ...oneMessagePerCause(calls, records),
    ],
    counts: {
      held: held.length,
      others: others.length,
      leaderlessMs: Math.round(untilMs - fromMs),
      cameBackMs: Math.round(cameBackMs),
    },
  };
}

/** The gate of everybody waits for the log of the sender's key, so that one must have a leader. */
function isNotBesideTheSender({ subjectId }: Person): boolean {
  return partitionOfKey(subjectId, PARTITIONS) !== partitionOfKey(`sender:${SENDER_ID}`, PARTITIONS);
}

function splitBy(topic: string, people: readonly Person[], { subjectId }: Person): Split {
  const partition = partitionOfKey(subjectId, PARTITIONS);
  const isHeld = (person: Person): boolean => partitionOfKey(person.subjectId, PARTITIONS) === partition;
  return {
    log: { topic, partition },
    held: people.filter(isHeld),
    others: people.filter((person) => !isHeld(person)),
  };
}

/** Waits until each offer was called; answers the dispatches that were not, and offers nobody answered. */
async function untilCalled(callLog: string, offers: readonly WriteOutcome[], timeoutMs: number): Promise<string[]> {
  const ids = offers.map((outcome) => acknowledged(outcome)[0]?.ids['dispatchId'] ?? outcome.outcome);
  const missing = (): string[] => {
    const called = new Set(
      readCallLog(callLog).map(({ bizOpaqueCallbackData }) => bizOpaqueCallbackData?.split('.')[1]),
    );
    return ids.filter((id) => !called.has(id));
  };
  await until(() => (missing().length === 0 ? true : undefined), timeoutMs);
  return missing();
}

function acknowledged(outcome: WriteOutcome): AcknowledgedWrite[] {
  return outcome.outcome === 'acknowledged' ? [outcome.write] : [];
}

function problem(what: string): Violation {
  return { invariant: 'I3', what };
}
