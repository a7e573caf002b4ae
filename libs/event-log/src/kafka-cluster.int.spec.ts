import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { NewRecord, Position } from '@assent/contracts';
import { startLocalStack, type KafkaNode, type LocalStack } from '@assent/local-stack';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import type { AppendLimits } from './append-queue.ts';
import { BatchIntake } from './batch-intake.ts';
import { describeEventLogContract } from './event-log.contract.ts';
import type { AppendError } from './event-log.errors.ts';
import { partitionKey, type TopicPartition } from './event-log.ts';
import { kafkaGroupConsumer, type GroupConsumer, type GroupEvents } from './group-consumer.ts';
import { KafkaEventLog } from './kafka-event-log.ts';
import { KafkaOffsets } from './kafka-offsets.ts';
import { kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { clusterOf } from './kafkajs-internals.ts';
import { silentLogger } from './logger.ts';
import { loadTopicDeclaration, type DeclaredTopic } from './topic-declaration.ts';
import { provisionTopics, verifyTopics } from './topic-provisioning.ts';

jest.setTimeout(60_000);

let dataDir: string;
let stack: LocalStack;
let settings: KafkaSettings;
let admin: Admin;
let production: readonly DeclaredTopic[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'assent-cluster-'));
  stack = await startLocalStack({ dataDir, only: ['kafka'], kafkaNodes: 3 });
  settings = { brokers: stack.kafka.brokers.split(','), clientId: 'cluster-tests' };
  admin = new Kafka({ brokers: [...settings.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const declared = await readFile(new URL('../../../infra/kafka/topics.yaml', import.meta.url), 'utf8');
  production = loadTopicDeclaration(declared, 'production');
});

afterAll(async () => {
  await admin.disconnect();
  await stack.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** A topic as production declares consent.events, with few partitions. */
const declared = (name: string, partitions: number): DeclaredTopic => ({ ...production[0]!, name, partitions });

/** Opens the log; a broker that has not heard of a new topic yet is asked again. */
async function logOn(topics: Readonly<Record<string, number>>, append: Partial<AppendLimits> = {}, stallMs = 10_000) {
  for (;;) {
    try {
      return await KafkaEventLog.connect({ ...settings, topics, append, read: { stallMs } });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'topics-differ') throw error;
    }
  }
}

const record = (topic: string, partition: number, value: string): NewRecord => ({
  topic,
  partition,
  key: 'k',
  headers: [],
  value: Buffer.from(value),
});

const nodeWith = (id: number): KafkaNode => stack.kafkaNodes.find((node) => node.id === id)!;

async function leaderOf({ topic, partition }: TopicPartition): Promise<number> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0]!.partitions.find(({ partitionId }) => partitionId === partition)!.leader;
}

describeEventLogContract('Kafka on three brokers', async () => {
  const topic = `contract.${randomUUID()}`;
  await provisionTopics(settings, [declared(topic, 4)]);
  const log = await logOn({ [topic]: 4 }, {}, 500);
  return { log, topic, close: () => log.close() };
});

describe('the topics as production declares them', () => {
  it('can be provisioned with three copies, two of them in step, and verify', async () => {
    const topics = production.map((topic) => ({ ...topic, name: `${topic.name}.${randomUUID()}`, partitions: 2 }));
    await provisionTopics(settings, topics);
    await expect(verifyTopics(settings, topics)).resolves.toBeUndefined();
    const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) });
    expect(found.flatMap(({ partitions }) => partitions.map(({ replicas }) => replicas.length))).toEqual(
      Array.from({ length: 2 * production.length }, () => 3),
    );
  });
});

/** Appends one record after another to each partition, from the start to `stop`, and remembers what was acknowledged. */
class Writers {
  readonly acknowledged: { at: Position; value: string }[] = [];
  readonly refused: AppendError[] = [];
  private stopped = false;
  private readonly running: Promise<void>[];
  private wakers: (() => void)[] = [];

  constructor(
    private readonly log: KafkaEventLog,
    private readonly topic: string,
    partitions: readonly number[],
  ) {
    this.running = partitions.map((partition) => this.write(partition));
  }

  private async write(partition: number): Promise<void> {
    for (let count = 0; !this.stopped; count += 1) {
      const value = `${partition}/${count}`;
      try {
        const [at] = await this.log.append([record(this.topic, partition, value)]);
        this.acknowledged.push({ at: at!, value });
      } catch (error) {
        this.refused.push(error as AppendError);
      }
      for (const wake of this.wakers.splice(0)) wake();
    }
  }

  /** Resolves once `count` more records of this partition are acknowledged. */
  async more(partition: number, count: number): Promise<void> {
    const own = (): number => this.acknowledged.filter(({ at }) => at.partition === partition).length;
    const goal = own() + count;
    while (own() < goal) await new Promise<void>((resolve) => this.wakers.push(resolve));
  }

  /** Resolves once `count` more appends were refused. */
  async refusals(count: number): Promise<void> {
    const goal = this.refused.length + count;
    while (this.refused.length < goal) await new Promise<void>((resolve) => this.wakers.push(resolve));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }
}

/** A partition whose leader has just come back may not tell at the first question. */
async function endOf(log: KafkaEventLog, partition: TopicPartition): Promise<number> {
  for (;;) {
    const end = (await log.endOffsets([partition])).get(partitionKey(partition));
    if (end !== undefined) return end;
  }
}

/** Acknowledged records that are not where their acknowledgement said. Reads up to the last of them: a leader that was
 * frozen may tell an old end. */
async function lost(log: KafkaEventLog, topic: string, writers: Writers): Promise<string[]> {
  const ends = new Map<number, number>();
  for (const { at } of writers.acknowledged) {
    ends.set(at.partition, Math.max(ends.get(at.partition) ?? 0, at.offset + 1));
  }
  const stored = new Map<string, string>();
  for (const [partition, end] of ends) {
    for await (const batch of log.read({ topic, partition }, 0, end)) {
      for (const { offset, value } of batch) stored.set(`${partition}@${offset}`, Buffer.from(value!).toString());
    }
  }
  return writers.acknowledged
    .filter(({ at, value }) => stored.get(`${at.partition}@${at.offset}`) !== value)
    .map(({ value }) => value);
}

/** A consumer that begins at offset 0 and remembers what it was handed. */
class Follower {
  readonly offsets = new Map<string, number[]>();
  private heartbeats = 0;
  private wakers: (() => void)[] = [];
  private readonly lookup = new KafkaOffsets(settings);
  private readonly intake: BatchIntake;
  private readonly consumer: GroupConsumer;

  constructor(
    private readonly topics: readonly string[],
    groupId: string,
  ) {
    this.consumer = kafkaGroupConsumer({ kafka: settings, groupId, topics, concurrencyMax: 4 });
    const start = (events: GroupEvents): Promise<void> => this.consumer.start(this.listened(events));
    this.intake = new BatchIntake({
      consumer: { ...this.consumer, start },
      bounds: async (partitions) => {
        const ends = await this.lookup.ends(partitions);
        return new Map([...ends].map(([key, end]) => [key, { start: 0, end }]));
      },
      take: async (partitions) =>
        new Map(partitions.map(partitionKey).map((key) => [key, { next: this.handed(key).length, epoch: 1 }])),
      handle: async (batch) => {
        const key = partitionKey(batch);
        this.offsets.set(key, [...this.handed(key), ...batch.records.map(({ offset }) => offset)]);
        for (const wake of this.wakers.splice(0)) wake();
      },
      onFatal: (error) => {
        throw error;
      },
      logger: silentLogger,
      clock: { monotonicMs: () => performance.now() },
      concurrencyMax: 4,
    });
  }

  private listened(events: GroupEvents): GroupEvents {
    const confirmed = (): void => {
      this.heartbeats += 1;
      events.confirmed();
      for (const wake of this.wakers.splice(0)) wake();
    };
    return { ...events, confirmed };
  }

  async start(): Promise<void> {
    await this.lookup.connect(this.topics);
    await this.intake.start();
  }

  handed(key: string): number[] {
    return this.offsets.get(key) ?? [];
  }

  async until(key: string, count: number): Promise<void> {
    while (this.handed(key).length < count) await new Promise<void>((resolve) => this.wakers.push(resolve));
  }

  /** Resolves at the next heartbeat that the coordinator answers. */
  async confirmed(): Promise<void> {
    const before = this.heartbeats;
    while (this.heartbeats === before) await new Promise<void>((resolve) => this.wakers.push(resolve));
  }

  async stop(): Promise<void> {
    await this.intake.stop();
    await Promise.all([this.consumer.disconnect(), this.lookup.close()]);
  }
}

const zeroTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function coordinatorOf(groupId: string): Promise<number> {
  const access = clusterOf(kafkaClient(settings, { connectionTimeoutMs: 1_000, requestTimeoutMs: 5_000 }), {
    metadataMaxAgeMs: 1_000,
  });
  await access.connect();
  await access.cluster.refreshMetadata();
  const broker = await access.cluster.findGroupCoordinator({ groupId });
  await access.disconnect();
  return (broker as unknown as { nodeId: number }).nodeId;
}

describe('a broker that is killed under appends', () => {
  const replicated = `replicated.${randomUUID()}`;
  const single = `single.${randomUUID()}`;
  const sick = { topic: single, partition: 0 };
  const well = { topic: replicated, partition: 0 };
  let killed: KafkaNode;
  let log: KafkaEventLog;
  let writers: Writers;
  let follower: Follower;

  beforeAll(async () => {
    await provisionTopics(settings, [declared(replicated, 3)]);
    killed = nodeWith(await leaderOf({ topic: replicated, partition: 0 }));
    // Every copy that is in step is on one broker: when that is away, nobody may lead.
    const replicaAssignment = [{ partition: 0, replicas: [killed.id] }];
    await admin.createTopics({ topics: [{ topic: single, replicaAssignment }], waitForLeaders: false });
    log = await logOn({ [replicated]: 3, [single]: 1 });
    follower = new Follower([replicated], `group-${randomUUID()}`);
    await follower.start();
    writers = new Writers(log, replicated, [0, 1, 2]);
    await Promise.all([0, 1, 2].map((partition) => writers.more(partition, 20)));
    await log.append([record(single, 0, 'before')]);
    await killed.kill('SIGKILL');
  });
  afterAll(async () => {
    await writers.stop();
    await follower.stop();
    await log.close();
  });

  it('is replaced as a leader, and producer and consumer find the next one by themselves', async () => {
    await Promise.all([0, 1, 2].map((partition) => writers.more(partition, 20)));
    expect(await leaderOf({ topic: replicated, partition: 0 })).not.toBe(killed.id);
    const own = writers.acknowledged.filter(({ at }) => at.partition === 0);
    await follower.until(`${replicated}/0`, own.length);
  });

  it('holds back the partition that has no other copy: its appends fail, its end offset is not told', async () => {
    const limited = await logOn({ [replicated]: 3, [single]: 1 }, { attemptsMax: 3, deadlineMs: 3_000 });
    const [refused, accepted] = await Promise.allSettled([
      limited.append([record(single, 0, 'held')]),
      limited.append([record(replicated, 0, 'goes on')]),
    ]);
    expect([refused.status, accepted.status]).toEqual(['rejected', 'fulfilled']);
    expect([...(await limited.endOffsets([sick, well])).keys()]).toEqual([partitionKey(well)]);
    await limited.close();
  });

  it('lets a member that joins meanwhile consume the others', async () => {
    const newcomer = new Follower([single, replicated], `group-${randomUUID()}`);
    await newcomer.start();
    await newcomer.until(partitionKey(well), 1);
    expect(newcomer.handed(partitionKey(sick))).toEqual([]);
    await killed.restart();
    await newcomer.until(partitionKey(sick), 1);
    await newcomer.stop();
  });

  it('costs no acknowledged record, and the consumer none and no order', async () => {
    await log.append([record(single, 0, 'after')]);
    await writers.stop();
    expect(await lost(log, replicated, writers)).toEqual([]);
    for (const partition of [0, 1, 2]) {
      const key = `${replicated}/${partition}`;
      const end = await endOf(log, { topic: replicated, partition });
      await follower.until(key, end);
      expect(follower.handed(key)).toEqual(zeroTo(end));
    }
  });
});

describe('two of three brokers that are killed', () => {
  it('leave nothing acknowledged meanwhile, and everything acknowledged before and after in the log', async () => {
    const topic = `majority.${randomUUID()}`;
    await provisionTopics(settings, [declared(topic, 2)]);
    const log = await logOn({ [topic]: 2 }, { attemptsMax: 2, deadlineMs: 2_000 });
    const writers = new Writers(log, topic, [0, 1]);
    await Promise.all([writers.more(0, 10), writers.more(1, 10)]);
    const away = stack.kafkaNodes.slice(0, 2);
    await Promise.all(away.map((node) => node.kill('SIGKILL')));
    const before = writers.acknowledged.length + 2; // each writer may have had one answer on its way
    await writers.refusals(2);
    expect(writers.acknowledged.length).toBeLessThanOrEqual(before);
    await Promise.all(away.map((node) => node.restart()));
    await Promise.all([writers.more(0, 10), writers.more(1, 10)]);
    await writers.stop();
    expect(await lost(log, topic, writers)).toEqual([]);
    await log.close();
  });
});

describe('a broker that freezes while it coordinates a group', () => {
  it('is left by the members for the next coordinator, and by the producer', async () => {
    const topic = `frozen.${randomUUID()}`;
    const groupId = `group-${randomUUID()}`;
    await provisionTopics(settings, [declared(topic, 2)]);
    const log = await logOn({ [topic]: 2 });
    const follower = new Follower([topic], groupId);
    await follower.start();
    const writers = new Writers(log, topic, [0, 1]);
    await follower.until(`${topic}/0`, 5);
    const frozen = nodeWith(await coordinatorOf(groupId)).pid!;
    process.kill(frozen, 'SIGSTOP');
    try {
      await writers.more(0, 20);
      const count = writers.acknowledged.filter(({ at }) => at.partition === 0).length;
      await follower.until(`${topic}/0`, count);
      await follower.confirmed();
    } finally {
      process.kill(frozen, 'SIGCONT');
    }
    await writers.stop();
    expect(await lost(log, topic, writers)).toEqual([]);
    await follower.stop();
    await log.close();
  });
});
