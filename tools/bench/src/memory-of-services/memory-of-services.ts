import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench, BenchContext, BenchResult, Comparison } from '../bench.ts';
import { median } from '../measure/statistics.ts';
import { type BenchPlatform, onPlatform } from '../platform/bench-platform.ts';
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
    const pids = Object.fromEntries(
      platform.processes().map(({ name, process }) => [name, process.identity?.pid ?? 0]),
    ) as Record<(typeof SERVICES)[number], number>;
    const samples: Record<'bare' | (typeof SERVICES)[number], number[]>[] = [];
    const sample = (): Record<'bare' | (typeof SERVICES)[number], number> => ({
      bare: residentMb(bare.pid),
      consent: residentMb(pids.consent),
      suppression: residentMb(pids.suppression),
      dispatch: residentMb(pids.dispatch),
      audit: residentMb(pids.audit),
    });
    for (const phase of ['at rest', 'under load'] as const) {
      const seen: Record<'bare' | (typeof SERVICES)[number], number[]> = {
        bare: [],
        consent: [],
        suppression: [],
        dispatch: [],
        audit: [],
      };
      for (let round = 1; round <= context.rounds; round += 1) {
        context.progress(`${phase}: round ${round} of ${context.rounds}`);
        await (phase === 'at rest' ? rest(context) : load(context, [bare.url, platform.urls.consent]));
        const now = sample();
        for (const name of ['bare', ...SERVICES] as const) seen[name].push(now[name]);
      }
      samples.push(seen);
    }
    const comparisons = ['at rest', 'under load'].flatMap((phase, index) =>
      SERVICES.map((name): Comparison => {
        const seen = samples[index];
        return {
          title: `${name}, ${phase}`,
          unit: 'MB resident',
          bare: { label: 'bare server', rounds: seen?.bare ?? [] },
          ours: { label: name, rounds: seen?.[name] ?? [] },
        };
      }),
    );
    const total = comparisons.slice(SERVICES.length).reduce((sum, { ours }) => sum + median(ours.rounds), 0);
    return {
      comparisons,
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
