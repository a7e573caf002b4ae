import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, BenchContext, BenchResult } from '../bench.ts';
import { alternate, type Rounds } from '../measure/alternate.ts';
import { ProcessorTime } from '../measure/processor-time.ts';
import { percentile } from '../measure/statistics.ts';
import { type BenchPlatform, onPlatform, pidsOf } from '../platform/bench-platform.ts';
import { fictionalPhone, signed, textFrom } from '../platform/webhook-body.ts';
import { BareRoundTrip } from './bare-round-trip.ts';

const SAMPLES = 200;
/** Far enough apart for everything that follows from one STOP (receipt, audit log) to be over before the next. */
const PACE_MS = 400;
const PACED_SAMPLES = 40;
const REFUSAL_TIMEOUT_MS = 30_000;

/** I2, as a platform team sees it: from the 200 for a STOP to the first decision that is refused because of it. */
export const optOutToRefusal: Bench = {
  name: 'opt-out-to-refusal',
  measures:
    'From the 200 that acknowledges a STOP (webhook, one update per POST) to the answer of dispatch that refuses the person a message because of it, beside one record produced with acks=all and consumed by the same client on the same broker.',
  run: (context) => onPlatform(context, (on) => run(context, on)),
};

async function run(context: BenchContext, on: BenchPlatform): Promise<BenchResult> {
  const samples = context.isTrial ? 10 : SAMPLES;
  const paced = context.isTrial ? 5 : PACED_SAMPLES;
  const bare = await BareRoundTrip.open(on.platform.plan.brokers.split(','));
  const pids = pidsOf(on.platform);
  const processors = new ProcessorTime(pids);
  let people = 0;
  const stop = (): Promise<number> => {
    people += 1;
    return stopToRefusal(on, people);
  };
  const rounds = await alternate(context, `${samples} STOPs a round`, {
    bare: () => repeat(samples, () => bare.once()),
    ours: async () => {
      const load = async (): Promise<{ latenciesMs: number[] }> => ({ latenciesMs: await repeat(samples, stop) });
      return (await processors.during(Object.keys(pids), load)).latenciesMs;
    },
  });
  const pacedRounds = await alternate(context, `${paced} STOPs a round, one every ${PACE_MS} ms`, {
    bare: () => repeat(paced, () => bare.once(), PACE_MS),
    ours: () => repeat(paced, stop, PACE_MS),
  });
  await bare.close();
  return {
    comparisons: [
      compare('p50', 0.5, rounds),
      { ...compare('p99', 0.99, rounds), goal: { atMost: 5 } },
      compare('max', 1, rounds),
      compare(`one every ${PACE_MS} ms, p50`, 0.5, pacedRounds),
      compare(`one every ${PACE_MS} ms, max`, 1, pacedRounds),
    ],
    figures: processors.figures('one after the other', 'STOP'),
    curves: [],
    notes: [
      `${samples} STOPs of people never seen before in each round, one after the other, each followed at once by POST /v1/decisions until it is refused with \`withdrawn\`. The time of the decision itself, its barrier and HTTP included, is part of the figure; the time to acknowledge the STOP is not.`,
      'Client, four services, broker and store share the machine. One after the other, the next STOP comes while the receipt, the audit log and the other read models of the last are still worked at, so the sum of the processor times over the number of cores bounds the pace.',
    ],
  };
}

function compare(name: string, share: number, { bare, ours }: Rounds<number[]>): BenchResult['comparisons'][number] {
  const of = (rounds: readonly number[][]): number[] => rounds.map((values) => percentile(values, share));
  return {
    title: `STOP acknowledged to refused, ${name}`,
    unit: 'ms',
    bare: { label: 'produce and consume', rounds: of(bare) },
    ours: { label: 'acknowledged to refused', rounds: of(ours) },
  };
}

/** `once` as many times; with `everyMs` each begins that long after the one before. */
async function repeat(times: number, once: () => Promise<number>, everyMs = 0): Promise<number[]> {
  const values: number[] = [];
  while (values.length < times) {
    const dueMs = performance.now() + everyMs;
    values.push(await once());
    if (everyMs > 0) await pause(Math.max(0, dueMs - performance.now()));
  }
  return values;
}

async function stopToRefusal({ platform }: BenchPlatform, n: number): Promise<number> {
  const phone = fictionalPhone(n);
  const { body, signature } = signed([textFrom(phone, 'STOP', n)]);
  const answer = await fetch(`${platform.urls.consent}/webhooks/whatsapp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': signature },
    body,
  });
  const acknowledgedAt = performance.now();
  if (answer.status !== 200) throw new Error(`the STOP was answered with ${answer.status}`);
  await answer.arrayBuffer();
  while (performance.now() - acknowledgedAt < REFUSAL_TIMEOUT_MS) {
    if (await isRefused(platform.urls.dispatch, phone)) return performance.now() - acknowledgedAt;
  }
  throw new Error('a decision did not see the STOP in time');
}

async function isRefused(dispatchUrl: string, phone: string): Promise<boolean> {
  const response = await fetch(`${dispatchUrl}/v1/decisions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer local-sender' },
    body: JSON.stringify({
      recipient: { phone },
      purposeId: 'monthly-offers',
      senderId: '100000000000001',
      template: { name: 'monthly_offers', language: 'en' },
      parameters: ['Ada', 'May'],
      schedule: { kind: 'now' },
    }),
  });
  const decision = (await response.json()) as { verdict?: string; reasons?: readonly { code: string }[] };
  return decision.verdict === 'refuse' && decision.reasons?.some(({ code }) => code === 'withdrawn') === true;
}
