import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { Controller, Logger, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, type MicroserviceOptions } from '@nestjs/microservices';
import kafkajs, { Kafka, logLevel } from 'kafkajs';
import type { BatchIntake, RecordBatch } from './batch-intake.ts';
import { partitionKey, type TopicPartition } from './event-log.ts';
import type { GroupConsumer } from './group-consumer.ts';
import { KafkaBatchStrategy, RethrowRpcErrors } from './kafka-batch-strategy.ts';
import { KafkaEventLog } from './kafka-event-log.ts';
import { declaredTopic, kafkaForTests } from './kafka.fixture.ts';
import { silentLogger } from './logger.ts';
import { provisionTopics } from './topic-provisioning.ts';

jest.setTimeout(30_000);
Logger.overrideLogger(false);

const PARTITIONS = 4;
const clock = { monotonicMs: () => performance.now() };

/** The checkpoints of one projection: taken with a new epoch, written by compare-and-set on it. */
class Checkpoints {
  readonly all = new Map<string, { next: number; epoch: number }>();

  take(partitions: readonly TopicPartition[]): Map<string, { next: number; epoch: number }> {
    for (const key of partitions.map(partitionKey)) {
      const { next, epoch } = this.all.get(key) ?? { next: 0, epoch: 0 };
      this.all.set(key, { next, epoch: epoch + 1 });
    }
    return new Map(partitions.map(partitionKey).map((key) => [key, this.all.get(key)!]));
  }

  write(batch: RecordBatch): void {
    const key = partitionKey(batch);
    if (this.all.get(key)?.epoch !== batch.epoch) {
      throw Object.assign(new Error('another owner'), { code: 'stale-owner' });
    }
    this.all.set(key, { next: batch.records.at(-1)!.offset + 1, epoch: batch.epoch });
  }
}

/** What was applied, and a way to wait for it. */
class Applied {
  readonly offsets = new Map<string, number[]>();
  private waiters: (() => void)[] = [];

  add(batch: RecordBatch): void {
    const key = partitionKey(batch);
    this.offsets.set(key, [...(this.offsets.get(key) ?? []), ...batch.records.map(({ offset }) => offset)]);
    this.changed();
  }
  changed(): void {
    for (const waiter of this.waiters.splice(0)) waiter();
  }
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.waiters.push(resolve));
  }
  get count(): number {
    return [...this.offsets.values()].flat().length;
  }
}

interface Member {
  strategy: KafkaBatchStrategy;
  app: INestMicroservice;
}

describe('the batch transport on Kafka', () => {
  let log: KafkaEventLog;
  let topics: string[];
  let groupId: string;
  let checkpoints: Checkpoints;
  let applied: Applied;
  let members: Member[];

  beforeEach(async () => {
    topics = [`a.${randomUUID()}`, `b.${randomUUID()}`];
    groupId = `group-${randomUUID()}`;
    checkpoints = new Checkpoints();
    applied = new Applied();
    members = [];
    await provisionTopics(
      kafkaForTests(),
      topics.map((topic) => declaredTopic(topic, PARTITIONS)),
    );
    const counts = Object.fromEntries(topics.map((topic) => [topic, PARTITIONS]));
    log = await KafkaEventLog.connect({ ...kafkaForTests(), topics: counts });
  });
  afterEach(async () => {
    await Promise.all(members.map(({ app }) => app.close()));
    await log.close();
  });

  const append = (topic: string, partition: number, count: number) =>
    log.append(
      Array.from({ length: count }, () => ({ topic, partition, key: 'k', headers: [], value: Buffer.from('v') })),
    );

  const apply = async (batch: RecordBatch): Promise<void> => {
    checkpoints.write(batch);
    applied.add(batch);
  };

  const join = async (handle = apply, handled = topics) => {
    const told = (): void => {
      applied.changed();
    };
    const strategy = new KafkaBatchStrategy({
      kafka: kafkaForTests(),
      groupId,
      topics,
      take: async (partitions) => checkpoints.take(partitions),
      onAssigned: told,
      onRevoked: told,
      onFatal: (error) => {
        throw error;
      },
      logger: { ...silentLogger, error: told },
      clock,
    });
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(moduleOf(handled, handle), { strategy });
    app.useGlobalFilters(new RethrowRpcErrors());
    await app.listen();
    members.push({ strategy, app });
    return strategy;
  };

  it('begins at the checkpoint, whatever was committed to Kafka', async () => {
    await append(topics[0]!, 1, 10);
    checkpoints.all.set(`${topics[0]}/1`, { next: 7, epoch: 3 });
    await join();
    await applied.until(() => applied.count >= 3);
    await append(topics[0]!, 1, 1);
    await applied.until(() => applied.count >= 4);
    expect(applied.offsets.get(`${topics[0]}/1`)).toEqual([7, 8, 9, 10]);
    expect(checkpoints.all.get(`${topics[0]}/1`)).toEqual({ next: 11, epoch: 4 });
  });

  it('goes back to the checkpoint when kafkajs fetched from beyond it', async () => {
    const strategy = await join();
    await append(topics[0]!, 0, 2);
    await applied.until(() => applied.count >= 2);
    consumerOf(strategy).pause([{ topic: topics[0]!, partition: 0 }]);
    await append(topics[0]!, 0, 8);
    consumerOf(strategy).seek({ topic: topics[0]!, partition: 0 }, 6);
    consumerOf(strategy).resume([{ topic: topics[0]!, partition: 0 }]);
    await applied.until(() => applied.count >= 10);
    expect(applied.offsets.get(`${topics[0]}/0`)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('stops a partition at a gap that stays, loudly, and goes on with the others', async () => {
    const gone = { topic: topics[0]!, partition: 0 };
    const strategy = await join();
    await append(gone.topic, gone.partition, 10);
    await applied.until(() => applied.count >= 10);
    const consumer = consumerOf(strategy);
    const seek = consumer.seek.bind(consumer);
    consumer.seek = (partition, offset) => {
      seek(partition, partitionKey(partition) === partitionKey(gone) ? Math.max(offset, 14) : offset);
    };
    consumer.pause([gone]);
    await append(gone.topic, gone.partition, 10);
    consumer.seek(gone, 10);
    consumer.resume([gone]);
    const stopped = () => strategy.consumerStatus().partitions.find(({ state }) => state === 'stopped');
    await applied.until(() => stopped() !== undefined);
    expect(stopped()).toMatchObject({ ...gone, reason: 'unexplained-gap', next: 10 });
    await append(topics[1]!, 0, 1);
    await applied.until(() => applied.offsets.has(`${topics[1]}/0`));
    expect(applied.offsets.get(partitionKey(gone))).toHaveLength(10);
  });

  it('stops a partition whose checkpoint lies beyond the end of the log, and goes on with the others', async () => {
    await append(topics[0]!, 0, 3);
    checkpoints.all.set(`${topics[0]}/0`, { next: 4, epoch: 1 });
    const strategy = await join();
    const stopped = () => strategy.consumerStatus().partitions.find(({ state }) => state === 'stopped');
    await applied.until(() => stopped() !== undefined);
    await append(topics[0]!, 0, 2); // an offset that comes to exist later is not the one the checkpoint meant
    await append(topics[0]!, 1, 2);
    await applied.until(() => applied.count >= 2);
    expect(stopped()).toMatchObject({ topic: topics[0], partition: 0, reason: 'checkpoint-beyond-log', next: 4 });
    expect([...applied.offsets.keys()]).toEqual([`${topics[0]}/1`]);
  });

  it('survives handlers that throw anything, each in a partition of its own', async () => {
    const { KafkaJSError, KafkaJSNonRetriableError } = kafkajs;
    const thrown: unknown[] = [
      new Error('unexpected'),
      new TypeError('undefined is not a function'),
      new SyntaxError('Unexpected token'),
      'a string',
      undefined,
      new KafkaJSNonRetriableError('of somebody else’s client'),
      Object.assign(new KafkaJSError('of somebody else’s consumer'), { type: 'REBALANCE_IN_PROGRESS' }),
      { not: 'an error' },
    ];
    const failures = new Map<string, number>();
    const strategy = await join(async (batch) => {
      const key = partitionKey(batch);
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      if (count <= 2) throw thrown[topics.indexOf(batch.topic) * PARTITIONS + batch.partition];
      await apply(batch);
    });
    const everywhere = async () => {
      for (const topic of topics) for (let at = 0; at < PARTITIONS; at += 1) await append(topic, at, 1);
    };
    await everywhere();
    await applied.until(() => applied.count >= thrown.length);
    await everywhere();
    await applied.until(() => applied.count >= 2 * thrown.length);
    expect([...applied.offsets.values()]).toEqual(thrown.map(() => [0, 1]));
    expect(strategy.assigned().map(({ epoch }) => epoch)).toEqual(thrown.map(() => 1)); // never had to join again
  });

  it('goes on with the other partitions while a handler hangs, and with its own when it ends', async () => {
    let end!: () => void;
    const hangs = new Promise<void>((resolve) => (end = resolve));
    await join(async (batch) => {
      if (batch.topic === topics[0] && batch.partition === 0) await hangs;
      await apply(batch);
    });
    await append(topics[0]!, 0, 1);
    await append(topics[0]!, 1, 1);
    await applied.until(() => applied.count >= 1);
    await append(topics[0]!, 1, 1);
    await append(topics[1]!, 0, 1);
    await applied.until(() => applied.count >= 3);
    expect(applied.offsets.has(`${topics[0]}/0`)).toBe(false);
    end();
    await append(topics[0]!, 0, 1);
    await applied.until(() => applied.count >= 5);
    expect(applied.offsets.get(`${topics[0]}/0`)).toEqual([0, 1]);
  });

  it('shares the partitions with a member that joins, equal numbers of every topic, and takes them over when it leaves', async () => {
    const first = await join();
    const second = await join();
    await applied.until(() => first.assigned().length === PARTITIONS && second.assigned().length === PARTITIONS);
    const numbers = (strategy: KafkaBatchStrategy, topic: string) =>
      strategy
        .assigned()
        .filter((p) => p.topic === topic)
        .map(({ partition }) => partition)
        .sort();
    expect(numbers(first, topics[0]!)).toEqual(numbers(first, topics[1]!));
    expect([...numbers(first, topics[0]!), ...numbers(second, topics[0]!)].sort()).toEqual([0, 1, 2, 3]);
    for (const partition of [0, 1, 2, 3]) await append(topics[0]!, partition, 5);
    await applied.until(() => applied.count >= 20);
    await second.stopConsuming();
    await applied.until(() => first.assigned().length === 2 * PARTITIONS);
    for (const partition of [0, 1, 2, 3]) await append(topics[0]!, partition, 5);
    await applied.until(() => applied.count >= 40);
    for (const partition of [0, 1, 2, 3]) {
      expect(applied.offsets.get(`${topics[0]}/${partition}`)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
  });

  it('tells a handler at work that a rebalance has begun, and what it leaves undone is done by the new owner', async () => {
    let rebalanced!: () => void;
    const whileRebalancing = new Promise<void>((resolve) => (rebalanced = resolve));
    let began!: () => void;
    const atWork = new Promise<void>((resolve) => (began = resolve));
    const seen: boolean[] = [];
    await join(async (batch) => {
      seen.push(batch.isCurrent());
      began();
      while (batch.isCurrent()) await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push(batch.isCurrent());
      rebalanced();
      throw new Error('left undone');
    });
    await append(topics[0]!, 0, 3);
    await append(topics[0]!, 1, 3);
    await atWork;
    const joining = join();
    await whileRebalancing;
    expect([seen.at(0), seen.at(-1)]).toEqual([true, false]);
    const second = await joining;
    await applied.until(() => second.assigned().length === PARTITIONS);
    const mine = second.assigned().find(({ topic }) => topic === topics[0])!;
    await append(topics[0]!, mine.partition, 1);
    await applied.until(() => applied.offsets.get(partitionKey(mine))?.includes(mine.partition <= 1 ? 3 : 0) === true);
    expect(applied.offsets.get(partitionKey(mine))).toEqual(mine.partition <= 1 ? [0, 1, 2, 3] : [0]);
  });

  it('takes a partition anew after a stale owner, and applies nothing twice', async () => {
    await join();
    await append(topics[0]!, 3, 2);
    await applied.until(() => applied.count >= 2);
    const key = `${topics[0]}/3`;
    checkpoints.all.set(key, { next: 2, epoch: checkpoints.all.get(key)!.epoch + 1 });
    await append(topics[0]!, 3, 2);
    await applied.until(() => applied.count >= 4);
    expect(applied.offsets.get(key)).toEqual([0, 1, 2, 3]);
  });

  it('passes over control records and aborted transactions of other writers', async () => {
    const { brokers } = kafkaForTests();
    const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).producer({
      transactionalId: randomUUID(),
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    const transaction = async (end: 'commit' | 'abort') => {
      const open = await producer.transaction();
      await open.send({ topic: topics[0]!, messages: [{ partition: 0, key: 'k', value: end }] });
      await open[end]();
    };
    await join();
    for (const end of ['commit', 'abort', 'abort', 'commit', 'abort'] as const) await transaction(end);
    await producer.disconnect();
    await append(topics[0]!, 0, 1);
    await applied.until(() => applied.count >= 3);
    expect(applied.offsets.get(`${topics[0]}/0`)).toEqual([0, 6, 10]);
    const read: number[] = [];
    for await (const records of log.read({ topic: topics[0]!, partition: 0 }, 0, 11)) {
      read.push(...records.map(({ offset }) => offset));
    }
    expect(read).toEqual([0, 6, 10]);
  });

  it('goes on after records that retention deleted before they were read', async () => {
    await append(topics[0]!, 0, 10);
    await deleteUpTo(topics[0]!, 6);
    await join();
    await applied.until(() => applied.count >= 4);
    expect(applied.offsets.get(`${topics[0]}/0`)).toEqual([6, 7, 8, 9]);
    expect((await log.startOffsets([{ topic: topics[0]!, partition: 0 }])).get(`${topics[0]}/0`)).toBe(6);
    await expect(drain(log.read({ topic: topics[0]!, partition: 0 }, 0, 10))).rejects.toMatchObject({
      code: 'offset-out-of-range',
    });
  });

  it('goes on where retention has cut the log off under a consumer that was behind', async () => {
    const behind = { topic: topics[0]!, partition: 0 };
    const strategy = await join();
    await append(behind.topic, 0, 2);
    await applied.until(() => applied.count >= 2);
    consumerOf(strategy).pause([behind]);
    await append(behind.topic, 0, 8);
    await deleteUpTo(behind.topic, 6);
    consumerOf(strategy).seek(behind, 2);
    consumerOf(strategy).resume([behind]);
    await append(behind.topic, 1, 1);
    await applied.until(() => applied.count >= 7);
    expect(applied.offsets.get(partitionKey(behind))).toEqual([0, 1, 6, 7, 8, 9]);
  });

  it('refuses to start when a topic has no handler, or has two', async () => {
    await expect(join(apply, topics.slice(1))).rejects.toThrow(topics[0]);
    await expect(join(apply, [...topics, topics[0]!])).rejects.toThrow('several handlers');
  });
});

/** As retention does: partition 0 begins at this offset from now on. */
async function deleteUpTo(topic: string, offset: number): Promise<void> {
  const admin = new Kafka({ brokers: [...kafkaForTests().brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic); // loads the metadata that the next call needs
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  await admin.disconnect();
}

function consumerOf(strategy: KafkaBatchStrategy): GroupConsumer {
  return strategy.unwrap<BatchIntake>()['options'].consumer;
}

/** A Nest module with a controller with one handler per topic, each a function of its own: Nest keeps the pattern on the function. */
function moduleOf(topics: readonly string[], handle: (batch: RecordBatch) => Promise<void>) {
  @Controller()
  class BatchController {}
  topics.forEach((topic, index) => {
    const descriptor = { value: (batch: object) => handle(batch as RecordBatch), writable: true, configurable: true };
    Object.defineProperty(BatchController.prototype, `handle${index}`, descriptor);
    EventPattern(topic)(BatchController.prototype, `handle${index}`, descriptor);
  });
  @Module({ controllers: [BatchController] })
  class Root {}
  return Root;
}

async function drain(batches: AsyncIterable<unknown>): Promise<void> {
  const iterator = batches[Symbol.asyncIterator]();
  while ((await iterator.next()).done !== true);
}
