import { setTimeout as sleep } from 'node:timers/promises';
import { readCallLog } from '../checkers/evidence-reader.ts';
import { typeOf } from '../checkers/evidence.ts';
import { oneCallPerAttempt } from '../checkers/one-call-per-attempt.ts';
import { oneMessagePerCause } from '../checkers/one-message-per-cause.ts';
import { outcomesTold } from '../checkers/outcomes-told.ts';
import { until } from '../platform/soak-platform.ts';
import { inTurn, type Person } from '../traffic/world.ts';
import type { RunContext, Scenario, Violation } from './scenario.ts';

/** What the simulator does to the next calls, and what the way to it does. Dispatch waits 10 s for an answer. */
const FAULTS = [
  { kind: 'lose-reply' },
  { kind: 'delay-reply', delayMs: 11_000 },
  { kind: 'delay-reply', delayMs: 500 },
  { kind: 'reset-before-body' },
  { kind: 'reset-after-body' },
  { kind: 'duplicate-statuses' },
  { kind: 'reorder-statuses' },
  { kind: 'error', code: 131000 },
  { kind: 'error', code: 130429 },
] as const;
/** An answer of the Cloud API's simulator has some 250 bytes of head and as many of body. */
const REPLY_BYTES_MAX = 600;
const CALL_TIMEOUT_MS = 30_000;
/** An answer that does not come makes a call unknown after 10 s. */
const SETTLED_AFTER_MS = 40_000;
/** What a killed process left in a call is unknown 30 s after another one has taken over. */
const SETTLED_AFTER_KILL_MS = 90_000;
/** Waiting for that takes longer than all the rest, so it is not done in every run. */
const KILL_EVERY = 4;

/** Replies lost, late, duplicated, cut at any byte, and dispatch killed during the call (I4). */
export const providerReplies: Scenario = {
  name: 'provider-replies',
  invariants: ['I4'],
  platform: { throughKafkaProxy: [] },
  run: async (context) => {
    const { platform, world, random, evidence, seed } = context;
    const people = await world.optIn(FAULTS.length + 5);
    const began = Date.now();
    const isKilled = seed % KILL_EVERY === 0;
    const killed = people.splice(0, 1);
    if (isKilled) await killDuringCall(context, killed);
    const untouched = people.splice(0, 3);
    for (const fault of random.shuffled(FAULTS)) await world.simulator('POST', '/faults', { ...fault, times: 1 });
    await inTurn(people, (person) => world.offer(person));
    await until(async () => ((await faultsLeft(context)) === 0 ? true : undefined), CALL_TIMEOUT_MS);
    await cutReplies(context, untouched);
    const untold = async (): Promise<Violation[]> => {
      const since = (await evidence.readToEnd()).filter(({ recordedAtMs }) => recordedAtMs >= began);
      return outcomesTold(readCallLog(platform.callLogFile), since);
    };
    const timeoutMs = isKilled ? SETTLED_AFTER_KILL_MS : SETTLED_AFTER_MS;
    await until(async () => ((await untold()).length === 0 ? true : undefined), timeoutMs);
    const records = await evidence.readToEnd();
    const calls = readCallLog(platform.callLogFile);
    const unknown = records.filter(
      (record) => record.recordedAtMs >= began && typeOf(record) === 'dispatch.attempt-unknown.v1',
    );
    return {
      violations: [...oneCallPerAttempt(calls, records), ...oneMessagePerCause(calls, records), ...(await untold())],
      counts: { faults: FAULTS.length + untouched.length, killed: isKilled ? 1 : 0, unknown: unknown.length },
    };
  },
};

async function faultsLeft({ world }: RunContext): Promise<number> {
  const { faults } = await world.simulator<{ faults: readonly unknown[] }>('GET', '/faults');
  return faults.length;
}

/** The process that calls is killed after the provider has the call and before it has answered. */
async function killDuringCall({ platform, world, random }: RunContext, people: readonly Person[]): Promise<void> {
  const before = readCallLog(platform.callLogFile).length;
  await world.simulator('POST', '/faults', { kind: 'delay-reply', delayMs: 5_000, times: people.length });
  for (const person of people) await world.offer(person);
  await until(
    () => (readCallLog(platform.callLogFile).length >= before + people.length ? true : undefined),
    CALL_TIMEOUT_MS,
  );
  await sleep(random.integer(0, 200));
  await Promise.all(platform.partsOf('dispatch').map((name) => platform.part(name).kill9()));
  await Promise.all(platform.partsOf('dispatch').map((name) => platform.part(name).waitReady()));
}

/** The way back from the provider breaks after some bytes of the reply, the first ones included. */
async function cutReplies({ platform, world, random }: RunContext, people: readonly Person[]): Promise<void> {
  for (const person of people) {
    const bytes = random.integer(0, REPLY_BYTES_MAX);
    for (const link of platform.whatsappLinks.values()) link.impair('toClient', { resetAfter: { bytes } });
    const before = readCallLog(platform.callLogFile).length;
    await world.offer(person);
    await until(() => (readCallLog(platform.callLogFile).length > before ? true : undefined), CALL_TIMEOUT_MS);
    await sleep(50);
    for (const link of platform.whatsappLinks.values()) link.heal();
  }
}
