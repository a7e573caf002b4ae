import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, BenchContext, BenchResult, Comparison } from '../bench.ts';
import { median } from '../measure/statistics.ts';
import { type BenchPlatform, onPlatform, pidsOf } from '../platform/bench-platform.ts';
import { deliveredTo, fictionalPhone, signed, textFrom } from '../platform/webhook-body.ts';
import { BareWebhookProcess } from '../receive-webhook/bare-webhook-process.ts';
import { postInClosedLoop } from '../receive-webhook/post-webhooks.ts';

const SERVICES = ['consent', 'suppression', 'dispatch', 'audit'] as const;
const REST_SECONDS = 20;
const LOAD_SECONDS = 10;
const CONNECTIONS = 32;
const PEOPLE = 2_000;

export const memoryOfServices: Bench = {
  name: 'memory-of-services',
  measures:
    'Resident memory of each service at rest and under webhook load, beside a bare Nest and Fastify server under the same load.',
  run: (context) => onPlatform(context, (on) => run(context, on)),
};

async function run(context: BenchContext, { platform }: BenchPlatform): Promise<BenchResult> {
  const bare = await BareWebhookProcess.start();
  try {
    const pids = new Map(Object.entries({ ...pidsOf(platform), bare: bare.pid }));
    const atRest = await sample(context, 'at rest', pids, () => rest(context));
    const underLoad = await sample(context, 'under load', pids, () => load(context, [bare.url, platform.urls.consent]));
    const loaded = SERVICES.map((name) => compare(name, 'under load', underLoad));
    const total = loaded.reduce((sum, { ours }) => sum + median(ours.rounds), 0);
    return {
      comparisons: [...SERVICES.map((name) => compare(name, 'at rest', atRest)), ...loaded],
      figures: [{ title: 'the four services under load together, sum of the medians', unit: 'MB', rounds: [total] }],
      curves: [],
      notes: [
        `Load: ${CONNECTIONS} connections in a closed loop, one STOP of ${PEOPLE} people for nine status updates; the other services follow what consent appends. Resident sets include Node itself and share pages between processes.`,
      ],
    };
  } finally {
    await bare.stop();
  }
}

/** Resident MB by process, after each round of `during`. */
async function sample(
  { rounds, progress }: BenchContext,
  phase: string,
  pids: ReadonlyMap<string, number>,
  during: () => Promise<void>,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const seen = new Map([...pids.keys()].map((name) => [name, [] as number[]]));
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${phase}: round ${round} of ${rounds}`);
    await during();
    for (const [name, pid] of pids) seen.get(name)?.push(residentMb(pid));
  }
  return seen;
}

function compare(name: string, phase: string, seen: ReadonlyMap<string, readonly number[]>): Comparison {
  return {
    title: `${name}, ${phase}`,
    unit: 'MB resident',
    bare: { label: 'bare server', rounds: seen.get('bare') ?? [] },
    ours: { label: name, rounds: seen.get(name) ?? [] },
  };
}

function rest({ isTrial }: BenchContext): Promise<void> {
  return pause(isTrial ? 500 : (REST_SECONDS * 1_000) / 5);
}

async function load({ isTrial }: BenchContext, urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    let n = 0;
    const next = (): ReturnType<typeof signed> => {
      n += 1;
      const phone = fictionalPhone(n % PEOPLE);
      return signed([n % 10 === 0 ? textFrom(phone, 'STOP', n) : deliveredTo(phone, n)]);
    };
    await postInClosedLoop(url, { connections: CONNECTIONS, seconds: isTrial ? 1 : LOAD_SECONDS, next });
  }
}

/** Linux only; 0 elsewhere. */
function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
}
