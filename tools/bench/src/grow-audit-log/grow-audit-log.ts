import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LogRecord } from '@assent/contracts';
import { type KafkaEventLog, partitionKey } from '@assent/event-log';
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
  const comparisons = [await inMemory(context, records), ...(await proofs(context, stack, records))];
  const on = { context, log, topic, stack };
  const figures = await steadyLoad(on, records.length);
  comparisons.push(await durable(on, events));
  return {
    comparisons,
    figures,
    curves: [],
    notes: [
      `${records.length} consent events of about ${meanBytes(records)} bytes encoded; ${engines}. In memory both sides get the records as Kafka holds them, the bare one already encoded.`,
      `From Kafka to disk: a running audit service is stopped by SIGSTOP while ${events} more records are appended; its time counts from SIGCONT until all of them are under signed checkpoints, so what it fetched before it was stopped counts as work of that time. The bare side reads the same records and makes their leaves and roots.`,
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

interface On {
  readonly context: BenchContext;
  readonly log: KafkaEventLog;
  readonly topic: ConsentTopic;
  readonly stack: BenchStack['stack'];
}

async function durable({ context, log, topic, stack }: On, more: number): Promise<Comparison> {
  const audit = await AuditProcess.start(stack, join(context.folder, 'audit-durable'));
  let from = await endsOf(log);
  const rounds = await alternate(context, 'from Kafka to disk', {
    bare: async () => {
      await audit.untilSigned(CONSENT_TOPIC, total(from));
      audit.signal('SIGSTOP');
      await topic.growTo(total(from) + more);
      const beganAt = performance.now();
      bareTree((await readTopic(log, from)).map((record) => encodeLeaf(record)));
      return (more * 1_000) / (performance.now() - beganAt);
    },
    ours: async () => {
      from = await endsOf(log);
      const beganAt = performance.now();
      audit.signal('SIGCONT');
      await audit.untilSigned(CONSENT_TOPIC, total(from));
      return (more * 1_000) / (performance.now() - beganAt);
    },
  });
  await audit.stop();
  return {
    title: 'from Kafka to signed and on disk',
    unit: 'leaves/s',
    bare: { label: 'read and hash', rounds: rounds.bare },
    ours: { label: 'audit service', rounds: rounds.ours },
  };
}

type Ends = ReadonlyMap<string, number>;

function endsOf(log: KafkaEventLog): Promise<Ends> {
  return log.endOffsets(partitionsOf(log, CONSENT_TOPIC));
}

function total(ends: Ends): number {
  return [...ends.values()].reduce((sum, end) => sum + end, 0);
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

async function steadyLoad({ context, topic, stack }: On, leaves: number): Promise<Figure[]> {
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

async function readTopic(log: KafkaEventLog, from?: Ends): Promise<LogRecord[]> {
  const ends = await endsOf(log);
  const all: LogRecord[] = [];
  for (const partition of partitionsOf(log, CONSENT_TOPIC)) {
    const key = partitionKey(partition);
    for await (const records of log.read(partition, from?.get(key) ?? 0, ends.get(key) ?? 0)) all.push(...records);
  }
  return all;
}

function meanBytes(records: readonly LogRecord[]): number {
  const bytes = records.reduce((sum, record) => sum + encodeLeaf(record).length, 0);
  return Math.round(bytes / records.length);
}
