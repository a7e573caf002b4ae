import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LogRecord } from '@assent/contracts';
import type { KafkaEventLog } from '@assent/event-log';
import { encodeBundle, encodeLeaf, leafHash, TILE_WIDTH, TreeBuilder } from '@assent/merkle-log';
import type { Bench, BenchContext, BenchResult, Comparison, Figure } from '../bench.ts';
import { alternate } from '../measure/alternate.ts';
import { percentile } from '../measure/statistics.ts';
import { CONSENT_TOPIC, ConsentTopic, onStack, partitionsOf, type BenchStack } from '../platform/consent-topic.ts';
import { AuditProcess } from './audit-process.ts';
import { bareTree } from './bare-tree.ts';

const EVENTS = 40_000;
const STEADY_EVENTS_PER_SECOND = 400;
const STEADY_SECONDS = 20;
const AGE_POLL_MS = 25;
const PROOFS = 300;
/** A prime, so that proofs are asked all over the logs. */
const STRIDE = 7_919;

export const growAuditLog: Bench = {
  name: 'grow-audit-log',
  measures:
    'Records made into leaves, tiles and entry bundles in memory as audit does it, beside a bare loop that only hashes the same bytes into an RFC 6962 tree; and the audit process from Kafka to signed checkpoints on disk, beside reading the records and that bare loop.',
  run: (context) => onStack(context, (on) => run(context, on)),
};

async function run(context: BenchContext, { stack, log, engines }: BenchStack): Promise<BenchResult> {
  const events = context.isTrial ? 4_000 : EVENTS;
  const topic = new ConsentTopic(log);
  await topic.growTo(events);
  const records = await readTopic(log);
  const comparisons = [
    await inMemory(context, records),
    await durable(context, log, stack, records.length),
    ...(await proofs(context, stack, records)),
  ];
  return {
    comparisons,
    figures: await steadyLoad(context, topic, stack, records.length),
    curves: [],
    notes: [
      `${records.length} consent events of about ${meanBytes(records)} bytes encoded; ${engines}. In memory both sides get the records as Kafka holds them, the bare one already encoded.`,
      `From Kafka to disk: an audit service is started with an empty folder and the topic full; its time counts from the first signed leaf it shows to the last, so its start does not count.`,
    ],
  };
}

async function inMemory(context: BenchContext, records: readonly LogRecord[]): Promise<Comparison> {
  const entries = records.map((record) => encodeLeaf(record));
  const expected = bareTree(entries).toString('hex');
  const rate = (work: () => Uint8Array) => (): Promise<number> => {
    const beganAt = performance.now();
    if (Buffer.from(work()).toString('hex') !== expected) throw new Error('the two trees differ');
    return Promise.resolve((records.length * 1_000) / (performance.now() - beganAt));
  };
  const rounds = await alternate(context, 'in memory', {
    bare: rate(() => bareTree(entries)),
    ours: rate(() => grow(records)),
  });
  return {
    title: 'in memory: encode, hash, tiles, bundles',
    unit: 'leaves/s',
    bare: { label: 'SHA-256 tree loop', rounds: rounds.bare },
    ours: { label: 'libs/merkle-log', rounds: rounds.ours },
    goal: { atLeast: 0.5 },
  };
}

/** Everything audit does with a record but the disk. */
function grow(records: readonly LogRecord[]): Uint8Array {
  const builder = new TreeBuilder();
  let entries: Uint8Array[] = [];
  for (const record of records) {
    const entry = encodeLeaf(record);
    builder.append(leafHash(entry));
    entries.push(entry);
    if (entries.length < TILE_WIDTH) continue;
    encodeBundle(entries);
    entries = [];
  }
  builder.takeChangedTiles();
  return builder.root();
}

async function durable(
  context: BenchContext,
  log: KafkaEventLog,
  stack: BenchStack['stack'],
  leaves: number,
): Promise<Comparison> {
  let round = 0;
  const rounds = await alternate(context, 'from Kafka to disk', {
    bare: async () => {
      const beganAt = performance.now();
      bareTree((await readTopic(log)).map((record) => encodeLeaf(record)));
      return (leaves * 1_000) / (performance.now() - beganAt);
    },
    ours: async () => {
      round += 1;
      const audit = await AuditProcess.start(stack, join(context.folder, `audit-${round}`));
      const rate = await catchUpRate(audit, leaves);
      await audit.stop();
      return rate;
    },
  });
  return {
    title: 'from Kafka to signed and on disk',
    unit: 'leaves/s',
    bare: { label: 'read and hash', rounds: rounds.bare },
    ours: { label: 'audit service', rounds: rounds.ours },
  };
}

async function catchUpRate(audit: AuditProcess, leaves: number): Promise<number> {
  let before = await audit.signedLeaves(CONSENT_TOPIC);
  let beganAt = performance.now();
  while (before === 0) {
    beganAt = performance.now();
    before = await audit.signedLeaves(CONSENT_TOPIC);
  }
  await audit.untilSigned(CONSENT_TOPIC, leaves);
  return ((leaves - before) * 1_000) / (performance.now() - beganAt);
}

async function proofs(
  context: BenchContext,
  stack: BenchStack['stack'],
  records: readonly LogRecord[],
): Promise<Comparison[]> {
  const count = context.isTrial ? 20 : PROOFS;
  const audit = await AuditProcess.start(stack, join(context.folder, 'audit-proofs'));
  await audit.untilSigned(CONSENT_TOPIC, records.length);
  const each = async (ask: (n: number) => Promise<number>): Promise<number[]> => {
    const tookMs: number[] = [];
    for (let n = 0; n < count; n += 1) tookMs.push(await ask(n));
    return tookMs;
  };
  const rounds = await alternate(context, `${count} proofs`, {
    bare: () => each(() => audit.answerMs('livez')),
    ours: () =>
      each((n) => {
        const { partition = 0, offset = 0 } = records[(n * STRIDE) % records.length] ?? {};
        return audit.answerMs({ partition, offset });
      }),
  });
  await audit.stop();
  const compare = (name: string, share: number): Comparison => ({
    title: `inclusion proof over HTTP, ${name}`,
    unit: 'ms',
    bare: { label: '/livez', rounds: rounds.bare.map((values) => percentile(values, share)) },
    ours: { label: 'proof', rounds: rounds.ours.map((values) => percentile(values, share)) },
  });
  return [compare('p50', 0.5), compare('p99', 0.99)];
}

async function steadyLoad(
  context: BenchContext,
  topic: ConsentTopic,
  stack: BenchStack['stack'],
  leaves: number,
): Promise<Figure[]> {
  const seconds = context.isTrial ? 2 : STEADY_SECONDS;
  context.progress(`steady load, ${STEADY_EVENTS_PER_SECOND} events/s for ${seconds} s`);
  const audit = await AuditProcess.start(stack, join(context.folder, 'audit-steady'));
  await audit.untilSigned(CONSENT_TOPIC, leaves);
  const ages: number[] = [];
  const loadEnd = new AbortController();
  const sampling = (async () => {
    while (!loadEnd.signal.aborted) {
      ages.push(await audit.checkpointAge());
      await pause(AGE_POLL_MS);
    }
  })();
  for (let second = 1; second <= seconds; second += 1) {
    const dueAt = performance.now() + 1_000;
    await topic.growTo(leaves + second * STEADY_EVENTS_PER_SECOND);
    await pause(Math.max(0, dueAt - performance.now()));
  }
  loadEnd.abort();
  await sampling;
  await audit.stop();
  const title = `age of the oldest unsigned record at ${STEADY_EVENTS_PER_SECOND} events/s`;
  return [
    { title: `${title}, median`, unit: 's', rounds: [percentile(ages, 0.5)] },
    { title: `${title}, p99 (goal: 1)`, unit: 's', rounds: [percentile(ages, 0.99)] },
  ];
}

async function readTopic(log: KafkaEventLog): Promise<LogRecord[]> {
  const partitions = partitionsOf(log, CONSENT_TOPIC);
  const ends = await log.endOffsets(partitions);
  const all: LogRecord[] = [];
  for (const partition of partitions) {
    const end = ends.get(`${partition.topic}/${partition.partition}`) ?? 0;
    for await (const records of log.read(partition, 0, end)) all.push(...records);
  }
  return all;
}

function meanBytes(records: readonly LogRecord[]): number {
  const bytes = records.reduce((sum, record) => sum + encodeLeaf(record).length, 0);
  return Math.round(bytes / records.length);
}
