import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { acknowledgedInLog } from '../checkers/acknowledged-in-log.ts';
import type { AcknowledgedWrite, CallRecord, RawRecord, Violation } from '../checkers/evidence.ts';
import { oneCallPerAttempt } from '../checkers/one-call-per-attempt.ts';
import { oneMessagePerCause } from '../checkers/one-message-per-cause.ts';
import type { WriteOutcome } from '../traffic/acknowledged-writes.ts';
import { PUBLIC_CODE, SENDER_ID } from '../traffic/cast.ts';
import type { SeededRandom } from '../traffic/seeded-random.ts';
import { textMessage } from '../traffic/whatsapp-webhooks.ts';
import type { Person, World } from '../traffic/world.ts';

const WORKERS = 6;
const PAUSE_MAX_MS = 60;
/** Above the time that a killed broker, store or service needs to be back on a busy machine. */
const PATIENCE_MS = 60_000;

/** What the traffic came to. */
export interface TrafficReport {
  readonly acknowledged: readonly AcknowledgedWrite[];
  /** Writes that got a 4xx; none of ours deserves one. */
  readonly refused: readonly { readonly kind: string; readonly status: number; readonly body: unknown }[];
  /** Writes that nobody answered for as long as their callers had patience. */
  readonly unanswered: readonly string[];
  /** Tries that got a 5xx or no answer. */
  readonly failedTries: number;
}

/** Nothing we send deserves a refusal. What nobody answered is no violation: it was not acknowledged either. */
export function refusedWrites({ refused }: TrafficReport): Violation[] {
  return refused.map(({ kind, status, body }) => ({
    invariant: 'I6',
    what: `a ${kind} was refused: ${status} ${JSON.stringify(body)}`,
  }));
}

/** What must hold after any trouble: all that was acknowledged is in the log, and nothing was said twice. */
export function trafficViolations(
  traffic: TrafficReport,
  calls: readonly CallRecord[],
  records: readonly RawRecord[],
): Violation[] {
  return [
    ...refusedWrites(traffic),
    ...acknowledgedInLog(traffic.acknowledged, records),
    ...oneCallPerAttempt(calls, records),
    ...oneMessagePerCause(calls, records),
  ];
}

/** Writes of every kind while `work` runs, some at a time, each sent until it is answered. */
export async function duringTraffic(
  { world, random, people }: { world: World; random: SeededRandom; people: readonly Person[] },
  work: () => Promise<void>,
): Promise<TrafficReport> {
  const acknowledged: AcknowledgedWrite[] = [];
  const refused: { kind: string; status: number; body: unknown }[] = [];
  const unanswered: string[] = [];
  const counted = { failedTries: 0 };
  const onTry = (status: number | undefined): void => {
    if (status === undefined || status >= 500) counted.failedTries += 1;
  };
  const stoppable = [...people];
  const running = { is: true };
  const worker = async (chance: SeededRandom): Promise<void> => {
    while (running.is) {
      const act = chance.pick(ACTS);
      const outcome = await act.run({ world, random: chance, people, stoppable, onTry });
      if (outcome.outcome === 'acknowledged') acknowledged.push(outcome.write);
      else if (outcome.outcome === 'refused')
        refused.push({ kind: act.kind, status: outcome.status, body: outcome.body });
      else unanswered.push(act.kind);
      await sleep(chance.integer(0, PAUSE_MAX_MS));
    }
  };
  const workers = Array.from({ length: WORKERS }, () => worker(random.fork()));
  try {
    await work();
  } finally {
    running.is = false;
    await Promise.all(workers);
  }
  return { acknowledged, refused, unanswered, ...counted };
}

interface ActContext {
  readonly world: World;
  readonly random: SeededRandom;
  readonly people: readonly Person[];
  /** People who have not said STOP yet; who does is taken out. */
  readonly stoppable: Person[];
  readonly onTry: (status: number | undefined) => void;
}

interface Act {
  readonly kind: string;
  run(context: ActContext): Promise<WriteOutcome>;
}

const offer: Act = {
  kind: 'dispatch',
  run: ({ world, random, people }) => world.offer(random.pick(people)),
};

const stop: Act = {
  kind: 'stop',
  run: (context) => {
    const { world, random, stoppable, onTry } = context;
    const person = stoppable.splice(random.integer(0, Math.max(0, stoppable.length - 1)), 1)[0];
    if (person === undefined) return offer.run(context);
    const o = { subjectId: person.subjectId, patienceMs: PATIENCE_MS, onTry };
    if (random.chance(0.5)) {
      const said = { phone: person.phone, wamid: `wamid.stop-${randomUUID()}`, text: 'STOP', atMs: Date.now() };
      return world.webhook('stop', textMessage(said), o);
    }
    return world.post('consent', '/v1/withdrawals', {
      ...o,
      kind: 'stop',
      role: 'capture',
      json: { recipient: { phone: person.phone }, senderId: SENDER_ID, receipt: true },
    });
  },
};

const suppress: Act = {
  kind: 'suppression',
  run: ({ world, onTry }) =>
    world.post('suppression', '/v1/suppressions', {
      kind: 'suppression',
      role: 'operator',
      patienceMs: PATIENCE_MS,
      onTry,
      json: { recipient: { phone: world.numbers(1)[0] }, reason: 'soak' },
    }),
};

const askToOptIn: Act = {
  kind: 'opt-in',
  run: ({ world, onTry }) =>
    world.post('consent', '/v1/consents', {
      kind: 'opt-in',
      role: 'capture',
      patienceMs: PATIENCE_MS,
      onTry,
      json: { recipient: { phone: world.numbers(1)[0] }, capturePoint: PUBLIC_CODE, method: 'form' },
    }),
};

/** Offers are the most, as everywhere. */
const ACTS: readonly Act[] = [offer, offer, stop, suppress, askToOptIn];
