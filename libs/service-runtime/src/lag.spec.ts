import type { TopicPartition } from '@assent/event-log';
import { BatchConsumers } from './batch-consumers.ts';
import { Lag } from './lag.ts';

const owned = [0, 1].map((partition) => ({ topic: 'facts', partition, epoch: 1, next: 0 }));

/** A process that owns two partitions, of which only some tell their end. */
function lagWhileEndsAreToldOf(told: readonly number[]): Lag {
  const endOffsets = (asked: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> => {
    const ends = asked.filter(({ partition }) => told.includes(partition));
    return Promise.resolve(new Map(ends.map(({ topic, partition }) => [`${topic}/${String(partition)}`, 7])));
  };
  return new Lag({ endOffsets }, new BatchConsumers([]), {
    assigned: () => owned,
    consumerStatus: () => ({ state: 'consuming', partitions: [] }),
  });
}

describe('whether a process reaches the log', () => {
  it('is true while one of its partitions has no leader: it serves everybody else', async () => {
    expect(await lagWhileEndsAreToldOf([1]).kafkaCheck()()).toBeUndefined();
  });

  it('is false when no partition tells its end', async () => {
    expect(await lagWhileEndsAreToldOf([]).kafkaCheck()()).toBe('no end offset of any of 2 partitions');
  });
});
