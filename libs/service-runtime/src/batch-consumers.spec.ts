import type { RecordBatch, TopicPartition } from '@assent/event-log';
import { BatchConsumers } from './batch-consumers.ts';
import type { BatchConsumer } from './batch-consumers.ts';

function consumer(
  topics: string[],
  next: number,
  epoch: number,
): BatchConsumer & { applied: string[]; asked: string[]; failing: boolean } {
  const names = (partitions: readonly TopicPartition[]): string[] =>
    partitions.map(({ topic, partition }) => `${topic}/${String(partition)}`);
  const state = { applied: [] as string[], asked: [] as string[], failing: false };
  return Object.assign(state, {
    topics,
    take: (partitions: readonly TopicPartition[]) => {
      state.asked.push(...names(partitions));
      return Promise.resolve(new Map(names(partitions).map((name) => [name, { next, epoch }])));
    },
    next: (partitions: readonly TopicPartition[]) =>
      Promise.resolve(new Map(names(partitions).map((name) => [name, next]))),
    apply: (batch: RecordBatch) => {
      if (state.failing) return Promise.reject(new Error('failing'));
      state.applied.push(batch.topic);
      return Promise.resolve();
    },
  });
}

const batchOf = (topic: string): RecordBatch => ({
  topic,
  partition: 0,
  records: [],
  epoch: 1,
  heartbeat: () => Promise.resolve(),
  isCurrent: () => true,
});
const a0 = { topic: 'a', partition: 0 };
const b0 = { topic: 'b', partition: 0 };

describe('the consumers of a service', () => {
  it('read together what any of them wants', () => {
    expect(new BatchConsumers([consumer(['b', 'a'], 0, 1), consumer(['c', 'a'], 0, 1)]).topics).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('take each partition for those who want its topic, and start at the lowest checkpoint', async () => {
    const first = consumer(['a', 'b'], 7, 3);
    const second = consumer(['a'], 4, 9);
    const consumers = new BatchConsumers([first, second]);
    expect(await consumers.take([a0, b0])).toEqual(
      new Map([
        ['a/0', { next: 4, epoch: 9 }],
        ['b/0', { next: 7, epoch: 3 }],
      ]),
    );
    expect(second.asked).toEqual(['a/0']);
    expect(await consumers.next([a0, b0])).toEqual(
      new Map([
        ['a/0', 4],
        ['b/0', 7],
      ]),
    );
  });

  it('are at 0 where one of them has no checkpoint', async () => {
    const fresh: BatchConsumer = { ...consumer(['a'], 0, 1), next: () => Promise.resolve(new Map()) };
    expect(await new BatchConsumers([consumer(['a'], 7, 1), fresh]).next([a0])).toEqual(new Map([['a/0', 0]]));
  });

  it('do not wait for one that keeps no checkpoint', async () => {
    const { next: _, ...onlooker } = consumer(['a'], 0, 1);
    expect(await new BatchConsumers([consumer(['a'], 7, 1), onlooker]).next([a0])).toEqual(new Map([['a/0', 7]]));
  });

  it('get the batches of their topics in order; a failure leaves the rest for the repeat', async () => {
    const first = consumer(['a'], 0, 1);
    const second = consumer(['a', 'b'], 0, 1);
    const third = consumer(['a'], 0, 1);
    const consumers = new BatchConsumers([first, second, third]);
    second.failing = true;
    await expect(consumers.apply(batchOf('a'))).rejects.toThrow('failing');
    expect([first.applied, second.applied, third.applied]).toEqual([['a'], [], []]);
    second.failing = false;
    await consumers.apply(batchOf('a'));
    await consumers.apply(batchOf('b'));
    expect([first.applied, second.applied, third.applied]).toEqual([['a', 'a'], ['a', 'b'], ['a']]);
  });

  it('say which partition any of them lost', () => {
    const told: unknown[] = [];
    const writesLater = {
      ...consumer(['a'], 0, 1),
      onLost: (listener: (partition: TopicPartition) => void) => {
        listener(a0);
      },
    };
    new BatchConsumers([consumer(['b'], 0, 1), writesLater]).onLost((partition) => told.push(partition));
    expect(told).toEqual([a0]);
  });
});
