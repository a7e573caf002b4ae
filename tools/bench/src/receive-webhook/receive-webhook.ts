import type { Bench, BenchContext, BenchResult, Figure } from '../bench.ts';
import { alternate } from '../measure/alternate.ts';
import { percentile } from '../measure/statistics.ts';
import { type BenchPlatform, onPlatform, pidsOf } from '../platform/bench-platform.ts';
import { deliveredTo, fictionalPhone, signed, textFrom } from '../platform/webhook-body.ts';
import { BareWebhookProcess } from './bare-webhook-process.ts';
import { ProcessorTime } from '../measure/processor-time.ts';
import { postEach, type PostOutcome, postInClosedLoop, postInOpenLoop, type SignedPost } from './post-webhooks.ts';

const CONNECTIONS = 32;
const SECONDS = 6;
/** People who write STOP again and again; registered before the first round. */
const KNOWN_PEOPLE = 500;
/** Meta's bar for a receiver (360dialog, "Receiving messages via webhook"): 3,300 updates/s for 1,000 messages/s. */
const OPEN_LOOP_UPDATES_PER_SECOND = 3_300;
const UPDATES_PER_POST = 10;
/** So that one status in a thousand comes with a STOP. */
const POSTS_PER_STOP = 100;

export const receiveWebhook: Bench = {
  name: 'receive-webhook',
  measures:
    'WhatsApp webhooks received by consent (verified, interpreted, appended with acks=all, then 200), one update per POST, beside a bare Nest and Fastify server that parses the JSON, checks the HMAC and answers 200.',
  run: (context) => onPlatform(context, (on) => run(context, on)),
};

async function run(context: BenchContext, { platform }: BenchPlatform): Promise<BenchResult> {
  const seconds = context.isTrial ? 1 : SECONDS;
  const bare = await BareWebhookProcess.start();
  try {
    const post = postsOf();
    const figures: Figure[] = [];
    await registerPeople(platform.urls.consent, post.stop, context);
    const compare = async (title: string, next: () => SignedPost): Promise<BenchResult['comparisons'][number]> => {
      const load = async (url: string): Promise<PostOutcome> =>
        postInClosedLoop(url, { connections: CONNECTIONS, seconds, next });
      const pids = pidsOf(platform);
      const processors = new ProcessorTime({ 'HMAC only': bare.pid, ...pids });
      const rounds = await alternate(context, title, {
        bare: async () => throughput(await processors.during(['HMAC only'], () => load(bare.url))),
        ours: async () => throughput(await processors.during(Object.keys(pids), () => load(platform.urls.consent))),
      });
      figures.push(...processors.figures(title, 'POST'));
      return {
        title,
        unit: 'POSTs/s',
        bare: { label: 'HMAC only', rounds: rounds.bare },
        ours: { label: 'consent', rounds: rounds.ours },
        goal: { atLeast: 0.3 },
      };
    };
    const comparisons = [
      await compare('status updates (delivered)', post.delivered),
      await compare('STOP of a known person', post.stop),
    ];
    context.progress(`open loop, ${OPEN_LOOP_UPDATES_PER_SECOND} updates/s`);
    const open = await postInOpenLoop(platform.urls.consent, {
      ratePerSecond: OPEN_LOOP_UPDATES_PER_SECOND / UPDATES_PER_POST,
      seconds: seconds * 3,
      next: post.tenUpdates,
    });
    return { comparisons, figures: [...figures, ...figuresOf(open)], curves: [], notes: notes(open) };
  } finally {
    await bare.stop();
  }
}

function postsOf(): Record<'delivered' | 'stop' | 'tenUpdates', () => SignedPost> {
  let n = 0;
  const one = (): number => (n += 1);
  const delivered = (): object => deliveredTo(fictionalPhone(n % KNOWN_PEOPLE), one());
  const stop = (): object => textFrom(fictionalPhone(n % KNOWN_PEOPLE), 'STOP', one());
  return {
    delivered: () => signed([delivered()]),
    stop: () => signed([stop()]),
    tenUpdates: () => {
      const updates = Array.from({ length: UPDATES_PER_POST }, delivered);
      return signed(Math.floor(n / UPDATES_PER_POST) % POSTS_PER_STOP === 0 ? [stop(), ...updates.slice(1)] : updates);
    },
  };
}

async function registerPeople(url: string, stop: () => SignedPost, { progress }: BenchContext): Promise<void> {
  progress(`${KNOWN_PEOPLE} people write for the first time`);
  await postEach(url, { connections: 8, posts: KNOWN_PEOPLE, next: stop });
}

function throughput({ latenciesMs, seconds, failures }: PostOutcome): number {
  if (failures.size > 0) throw new Error(`POSTs failed: ${JSON.stringify([...failures])}`);
  return latenciesMs.length / seconds;
}

function figuresOf({ latenciesMs, failures }: PostOutcome): BenchResult['figures'] {
  const slow = latenciesMs.filter((ms) => ms > 1_000).length;
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const title = `open loop of ${OPEN_LOOP_UPDATES_PER_SECOND} updates/s in POSTs of ${UPDATES_PER_POST}`;
  return [
    { title: `${title}, median (bar: 25)`, unit: 'ms', rounds: [percentile(latenciesMs, 0.5)] },
    { title: `${title}, above 1 s (bar: 1)`, unit: '%', rounds: [(100 * slow) / latenciesMs.length] },
    { title: `${title}, not answered with 200`, unit: 'POSTs', rounds: [failed] },
  ];
}

function notes({ latenciesMs }: PostOutcome): string[] {
  return [
    `Closed loop with ${CONNECTIONS} connections from one Node process that shares the machine with both servers, the broker, the store and the other three services, which follow every record.`,
    `The open loop sent ${latenciesMs.length} POSTs, each of ten status updates, in every hundredth one of them a STOP; latency counts from when a POST was due, so waiting in line is part of it.`,
  ];
}
