import type { KafkaEventLog, TopicPartition } from '@assent/event-log';
import { Barrier, type Fold, Projector } from '@assent/projection';
import mongoose from 'mongoose';
import type { Bench, BenchContext, BenchResult } from '../bench.ts';
import { alternate } from '../measure/alternate.ts';
import { median } from '../measure/statistics.ts';
import { onStack, partitionsOf } from '../platform/consent-topic.ts';

const TIMES = 200;
const AT_ONCE = 50;
const TIMEOUT_MS = 5_000;

/** Follows what a gate's barrier covers, and keeps nothing. */
const nothingFold: Fold = {
  collection: 'nothing',
  topics: ['consent.events', 'suppression.events', 'dispatch.events', 'dispatch.policy', 'consent.catalog'],
  idsOf: () => [],
  evolve: () => undefined,
};

export const waitAtBarrier: Bench = {
  name: 'wait-at-barrier',
  measures:
    'One gate’s barrier (end offsets of the partitions a recipient and the policy live in, then the own checkpoints from the primary) while nothing lags, beside asking the broker for the same end offsets alone.',
  run: (context) =>
    onStack(context, async ({ stack, log }) => {
      const db = await mongoose.createConnection(stack.mongo.uri, { dbName: 'bench' }).asPromise();
      try {
        return await measure(context, log, db);
      } finally {
        await db.close();
      }
    }),
};

async function measure(context: BenchContext, log: KafkaEventLog, db: mongoose.Connection): Promise<BenchResult> {
  const silent = { info: () => undefined, warn: () => undefined };
  const projector = new Projector({
    db,
    projection: 'bench',
    folds: [nothingFold],
    logger: silent,
    clock: { now: () => Date.now() },
  });
  await projector.init();
  const all = (topic: string): TopicPartition[] => partitionsOf(log, topic);
  await projector.take(projector.topics.flatMap(all));
  const gate: TopicPartition[] = [
    { topic: 'consent.events', partition: 3 },
    { topic: 'suppression.events', partition: 5 },
    { topic: 'dispatch.events', partition: 3 },
    ...all('dispatch.policy'),
    ...all('consent.catalog'),
  ];
  const barrier = new Barrier({
    log,
    next: (partitions) => projector.next(partitions),
    clock: { monotonicMs: () => performance.now() },
  });
  const reach = async (): Promise<void> => {
    const { behind } = await barrier.reach(gate, { timeoutMs: TIMEOUT_MS });
    if (behind.length > 0) throw new Error(`behind: ${behind.join(', ')}`);
  };
  const ask = async (): Promise<void> => {
    await log.endOffsets(gate);
  };
  const one = await alternate(context, 'one gate at a time', { bare: () => each(ask, 1), ours: () => each(reach, 1) });
  const many = await alternate(context, `${AT_ONCE} gates at once`, {
    bare: () => each(ask, AT_ONCE),
    ours: () => each(reach, AT_ONCE),
  });
  const label = { bare: 'end offsets alone', ours: 'barrier' };
  return {
    comparisons: [
      {
        title: 'one gate at a time, median',
        unit: 'ms',
        bare: { label: label.bare, rounds: one.bare },
        ours: { label: label.ours, rounds: one.ours },
      },
      {
        title: `${AT_ONCE} gates at once, median for each batch`,
        unit: 'ms',
        bare: { label: label.bare, rounds: many.bare },
        ours: { label: label.ours, rounds: many.ours },
      },
    ],
    figures: [],
    curves: [],
    notes: [`${gate.length} partitions for each gate, ${TIMES} gates a round.`],
  };
}

/** Median milliseconds of `TIMES` calls, `atOnce` of them at a time: of a call, or of a batch of calls. */
async function each(call: () => Promise<void>, atOnce: number): Promise<number> {
  const tookMs: number[] = [];
  for (let done = 0; done < TIMES; done += atOnce) {
    const beganAt = performance.now();
    await Promise.all(Array.from({ length: atOnce }, call));
    tookMs.push(performance.now() - beganAt);
  }
  return median(tookMs);
}
