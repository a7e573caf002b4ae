import { DateTime } from 'luxon';
import { Temporal } from 'temporal-polyfill';
import { evaluate, type SendQuestion } from '@assent/send-rules';
import type { Bench, BenchContext, BenchResult, Comparison, Figure } from '../bench.ts';
import { alternate } from '../measure/alternate.ts';
import { percentile } from '../measure/statistics.ts';
import { coldDecision } from './cold-decision.ts';
import { questions, simpleQuestions } from './questions.ts';

const QUESTIONS = 5_000;
const COLD_STARTS = 10;
const ZONE = 'America/New_York';
const OPENS_HOUR = 8;
const CLOSES_HOUR = 21;
const MEGABYTE = 1_048_576;

export const decideSendRules: Bench = {
  name: 'decide-send-rules',
  measures:
    'One decision of the send rules (place, windows, holidays, caps, content, next window) beside the bare test whether an instant lies between 8 and 21 in one zone, with luxon and with Temporal.',
  run,
};

async function run(context: BenchContext): Promise<BenchResult> {
  const count = context.isTrial ? 500 : QUESTIONS;
  const simple = simpleQuestions(count);
  const comparisons = [
    await compare(context, 'one zone, one window, warm', simple, 'luxon', withLuxon),
    await compare(context, 'one zone, one window, warm', simple, 'Temporal', withTemporal),
    await compare(context, 'shipped rules, six places, warm', questions(count), 'luxon', withLuxon),
  ];
  return {
    comparisons,
    figures: [...(await coldFigures(context)), ...worstSearch(context), memory()],
    curves: [],
    notes: [
      `${count} different questions a round. The baselines answer yes or no for one zone; a decision names every rule that took part, and when it may leave otherwise.`,
      'Cold: the first decision of a process, in which the zone’s and the holidays’ tables are built.',
    ],
  };
}

async function compare(
  context: BenchContext,
  title: string,
  asked: readonly SendQuestion[],
  label: string,
  bare: (at: number) => boolean,
): Promise<Comparison> {
  const each = (work: (question: SendQuestion) => unknown) => (): Promise<number> => {
    const beganAt = performance.now();
    let answers = 0;
    for (const question of asked) if (work(question) !== undefined) answers += 1;
    if (answers !== asked.length) throw new Error('a question was not answered');
    return Promise.resolve(((performance.now() - beganAt) * 1_000) / asked.length);
  };
  const rounds = await alternate(context, `${title}, beside ${label}`, {
    bare: each(({ at }) => bare(at)),
    ours: each(evaluate),
  });
  return {
    title,
    unit: 'µs a decision',
    bare: { label, rounds: rounds.bare },
    ours: { label: 'evaluate', rounds: rounds.ours },
  };
}

function withLuxon(at: number): boolean {
  const { hour } = DateTime.fromMillis(at, { zone: ZONE });
  return hour >= OPENS_HOUR && hour < CLOSES_HOUR;
}

function withTemporal(at: number): boolean {
  const { hour } = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(ZONE);
  return hour >= OPENS_HOUR && hour < CLOSES_HOUR;
}

async function coldFigures({ isTrial, progress }: BenchContext): Promise<Figure[]> {
  progress('cold decisions, each in a process of its own');
  const cold: number[] = [];
  for (let start = 0; start < (isTrial ? 1 : COLD_STARTS); start += 1) cold.push(await coldDecision());
  return [{ title: 'first decision of a process, shipped rules', unit: 'ms', rounds: cold }];
}

/** Nothing is allowed for 399 of the 400 days that are looked at. */
function worstSearch({ isTrial, progress }: BenchContext): Figure[] {
  progress('the search for the next window, worst case');
  const tookMs: number[] = [];
  for (const question of questions(isTrial ? 50 : 500)) {
    const until = question.at + 399 * 86_400_000;
    const blackouts = [{ id: 'all', jurisdictions: ['*'], from: 0, until, reason: 'benchmark' }];
    const beganAt = performance.now();
    evaluate({ ...question, recipient: { phone: '+12125550142' }, blackouts });
    tookMs.push(performance.now() - beganAt);
  }
  const title = 'next window behind a blackout of 399 days';
  return [
    { title: `${title}, median`, unit: 'ms', rounds: [percentile(tookMs, 0.5)] },
    { title: `${title}, max`, unit: 'ms', rounds: [Math.max(...tookMs)] },
  ];
}

/** Resident growth is noise; the heap after a collection is what the bounded caches keep. */
function memory(): Figure {
  const collect = (globalThis as { gc?: () => void }).gc;
  const used = (): number => {
    collect?.();
    return process.memoryUsage().heapUsed / MEGABYTE;
  };
  const before = used();
  for (const question of questions(20_000)) evaluate(question);
  const how = collect === undefined ? ', uncollected: run with node --expose-gc' : '';
  return { title: `heap growth over 20,000 more decisions${how}`, unit: 'MB', rounds: [used() - before] };
}
