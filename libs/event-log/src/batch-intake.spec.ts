import { jest } from '@jest/globals';
import type { KafkaMessage } from 'kafkajs';
import { BatchIntake, type IntakeOptions, type RecordBatch } from './batch-intake.ts';
import { type GroupBatch, type GroupConsumer, type GroupEvents, SESSION_TIMEOUT_MS } from './group-consumer.ts';
import { partitionKey, type TopicPartition } from './event-log.ts';
import { silentLogger } from './logger.ts';

const P0: TopicPartition = { topic: 't', partition: 0 };
const P1: TopicPartition = { topic: 't', partition: 1 };

/** kafkajs's errors are not importable by name; what counts is the name and the type. */
const kafkajsError = (type: string) => Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type });
const staleOwner = () => Object.assign(new Error('another owner'), { code: 'stale-owner' });

/** A group member that records what it is told, in the order it is told. */
class FakeConsumer implements GroupConsumer {
  readonly calls: string[] = [];
  events!: GroupEvents;

  start(events: GroupEvents): Promise<void> {
    this.events = events;
    return Promise.resolve();
  }
  pause(partitions: readonly TopicPartition[]): void {
    this.calls.push(`pause ${partitions.map(partitionKey).join()}`);
  }
  resume(partitions: readonly TopicPartition[]): void {
    this.calls.push(`resume ${partitions.map(partitionKey).join()}`);
  }
  seek(partition: TopicPartition, offset: number): void {
    this.calls.push(`seek ${partitionKey(partition)} ${offset}`);
  }
  commit(offsets: readonly (TopicPartition & { next: number })[]): Promise<void> {
    this.calls.push(`commit ${offsets.map((item) => `${partitionKey(item)} ${item.next}`).join()}`);
    return Promise.resolve();
  }
  stop(): Promise<void> {
    this.calls.push('stop');
    return Promise.resolve();
  }
  disconnect(): Promise<void> {
    return Promise.resolve();
  }
}

class FakeBatch implements GroupBatch {
  readonly topic = 't';
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
  readonly covered: readonly KafkaMessage[];
  readonly highWatermark = 100;
  resolved: number | undefined;
  heartbeatError: Error | undefined;
  stale = false;

  constructor(partition: number, offsets: readonly number[]) {
    this.partition = partition;
    this.messages = offsets.map((offset): KafkaMessage => ({
      offset: String(offset),
      timestamp: '0',
      key: null,
      value: null,
      attributes: 0,
      headers: {},
    }));
    this.covered = this.messages;
  }
  async heartbeat(): Promise<void> {
    if (this.heartbeatError !== undefined) throw this.heartbeatError;
  }
  resolve(next: number): void {
    this.resolved = next;
  }
  isStale(): boolean {
    return this.stale;
  }
}

interface Setup {
  intake: BatchIntake;
  consumer: FakeConsumer;
  handled: string[];
  /** What the handler does before it counts as done; replaced by tests. */
  behaviour: { handle: (batch: RecordBatch) => Promise<void> };
  checkpoints: Map<string, { next: number; epoch: number }>;
  bounds: Map<string, { start: number; end: number }>;
  told: string[];
  clock: { at: number };
}

async function joinedIntake(overrides: Partial<IntakeOptions> = {}, next = 5): Promise<Setup> {
  const consumer = new FakeConsumer();
  const handled: string[] = [];
  const told: string[] = [];
  const behaviour = { handle: async (_: RecordBatch): Promise<void> => undefined };
  const checkpoints = new Map([P0, P1].map((tp) => [partitionKey(tp), { next, epoch: 0 }]));
  const bounds = new Map([P0, P1].map((tp) => [partitionKey(tp), { start: 0, end: 100 }]));
  const clock = { at: 0 };
  const intake = new BatchIntake({
    consumer,
    bounds: async () => bounds,
    take: async (partitions) =>
      new Map(
        partitions.map((tp) => {
          const { next: at, epoch } = checkpoints.get(partitionKey(tp))!;
          checkpoints.set(partitionKey(tp), { next: at, epoch: epoch + 1 });
          return [partitionKey(tp), { next: at, epoch: epoch + 1 }];
        }),
      ),
    handle: async (batch) => {
      await behaviour.handle(batch);
      handled.push(`${partitionKey(batch)}: ${batch.records.map(({ offset }) => offset).join()}`);
    },
    onAssigned: (owned) => told.push(`assigned ${owned.map((p) => `${partitionKey(p)}#${p.epoch}`).join()}`),
    onRevoked: () => told.push('revoked'),
    onFatal: (error) => told.push(`fatal ${error.message}`),
    logger: silentLogger,
    clock: { monotonicMs: () => clock.at },
    concurrencyMax: 4,
    ...overrides,
  });
  await intake.start();
  consumer.events.joined([P0, P1]);
  await jest.advanceTimersByTimeAsync(0);
  return { intake, consumer, handled, behaviour, checkpoints, bounds, told, clock };
}

/** Gives a batch to the intake as kafkajs does, and lets what that starts run as far as it gets by itself. */
async function handed(consumer: FakeConsumer, batch: FakeBatch): Promise<void> {
  await consumer.events.batch(batch);
  await jest.advanceTimersByTimeAsync(0);
}

const stateOf = (intake: BatchIntake, partition = 0) =>
  intake.status().partitions.find((item) => item.partition === partition);

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('a member that has just joined', () => {
  it('pauses, takes the checkpoints, seeks to them and only then resumes', async () => {
    const { consumer, told, intake } = await joinedIntake();
    expect(consumer.calls).toEqual(['pause t/0,t/1', 'seek t/0 5', 'resume t/0', 'seek t/1 5', 'resume t/1']);
    expect(told).toEqual(['assigned t/0#1,t/1#1']);
    expect(intake.assigned()).toEqual([
      { ...P0, epoch: 1, next: 5 },
      { ...P1, epoch: 1, next: 5 },
    ]);
  });

  it('hands out nothing before its checkpoint is taken', async () => {
    const { handled, consumer, intake } = await joinedIntake({ take: () => new Promise(() => undefined) });
    await handed(consumer, new FakeBatch(0, [5, 6]));
    expect(handled).toEqual([]);
    expect(intake.assigned()).toEqual([]);
    expect(stateOf(intake)?.state).toBe('taking');
  });

  it('takes again until every partition is answered for', async () => {
    let failures = 3;
    const answers = new Map([P0, P1].map((tp) => [partitionKey(tp), { next: 5, epoch: 9 }]));
    const take = async () => {
      failures -= 1;
      if (failures === 2) throw new TypeError('the store is away');
      if (failures === 1) return new Map([...answers].slice(0, 1));
      return answers;
    };
    const { intake, told } = await joinedIntake({ take });
    expect(stateOf(intake)?.reason).toBe('TypeError');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['assigned t/0#9,t/1#9']);
    expect(stateOf(intake)?.state).toBe('consuming');
  });

  it('drops a take that a newer generation has overtaken', async () => {
    const release: (() => void)[] = [];
    const take = async (partitions: readonly TopicPartition[]) => {
      await new Promise<void>((resolve) => release.push(resolve));
      return new Map(partitions.map((tp) => [partitionKey(tp), { next: 5, epoch: release.length }]));
    };
    const { consumer, told } = await joinedIntake({ take });
    consumer.events.joined([P1]);
    await jest.advanceTimersByTimeAsync(0);
    expect(release).toHaveLength(1); // one take at a time, or the older one might get the larger epoch
    release[0]!();
    await jest.advanceTimersByTimeAsync(0);
    release[1]!();
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['revoked', 'assigned t/1#2']);
    expect(consumer.calls.filter((call) => call.startsWith('resume'))).toEqual(['resume t/1']);
  });

  it('waits for the bounds of a partition that cannot tell them, without holding up the others', async () => {
    let known = false;
    const told = (key: string) => key !== 't/0' || known;
    const bounds = async (asked: readonly TopicPartition[]) =>
      new Map(
        asked
          .map(partitionKey)
          .filter(told)
          .map((key) => [key, { start: 0, end: 100 }]),
      );
    const { consumer, intake } = await joinedIntake({ bounds });
    expect(stateOf(intake, 1)?.state).toBe('consuming');
    known = true;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(stateOf(intake, 0)?.state).toBe('consuming');
    expect(consumer.calls).toContain('resume t/0');
  });

  it('begins at the oldest record when retention has deleted what lies before', async () => {
    const { intake, consumer } = await joinedIntake({
      bounds: async () => new Map([['t/0', { start: 40, end: 100 }]]),
    });
    expect(consumer.calls).toContain('seek t/0 40');
    expect(stateOf(intake)?.next).toBe(40);
  });

  it('stops a partition whose checkpoint lies beyond the end of the log', async () => {
    const { intake, consumer } = await joinedIntake({ bounds: async () => new Map([['t/0', { start: 0, end: 4 }]]) });
    expect(stateOf(intake)).toMatchObject({ state: 'stopped', reason: 'checkpoint-beyond-log' });
    expect(consumer.calls).not.toContain('resume t/0');
  });
});

describe('a batch', () => {
  it('that continues the checkpoint is handed on, and the next one is due', async () => {
    const { consumer, handled, intake } = await joinedIntake();
    const batch = new FakeBatch(0, [4, 5, 6]);
    await handed(consumer, batch);
    await handed(consumer, new FakeBatch(0, [6, 7]));
    expect(handled).toEqual(['t/0: 5,6', 't/0: 7']);
    expect(batch.resolved).toBe(7);
    expect(stateOf(intake)).toMatchObject({ next: 8, lag: 92 });
  });

  it('that begins beyond the checkpoint is never applied but sought back', async () => {
    const { consumer, handled } = await joinedIntake();
    const batch = new FakeBatch(0, [8, 9]);
    await handed(consumer, batch);
    expect(handled).toEqual([]);
    expect(batch.resolved).toBeUndefined();
    expect(consumer.calls.at(-1)).toBe('seek t/0 5');
    await handed(consumer, new FakeBatch(0, [5, 6, 7, 8]));
    expect(handled).toEqual(['t/0: 5,6,7,8']);
  });

  it('that still begins beyond it stops the partition, and no other', async () => {
    const { consumer, handled, intake } = await joinedIntake();
    await handed(consumer, new FakeBatch(0, [8, 9]));
    await handed(consumer, new FakeBatch(0, [8, 9]));
    await jest.advanceTimersByTimeAsync(0);
    expect(stateOf(intake)).toMatchObject({ state: 'stopped', reason: 'unexplained-gap', next: 5 });
    await handed(consumer, new FakeBatch(0, [5, 6]));
    await handed(consumer, new FakeBatch(1, [5]));
    expect(handled).toEqual(['t/1: 5']);
  });

  it('with a hole is applied up to it', async () => {
    const { consumer, handled, intake } = await joinedIntake();
    await handed(consumer, new FakeBatch(0, [5, 6, 9]));
    await handed(consumer, new FakeBatch(0, [9]));
    await jest.advanceTimersByTimeAsync(0);
    expect(handled).toEqual(['t/0: 5,6']);
    expect(stateOf(intake)).toMatchObject({ state: 'stopped', reason: 'unexplained-gap', next: 7 });
  });

  it('after a gap that retention explains goes on behind it', async () => {
    const { consumer, bounds, handled, intake } = await joinedIntake();
    await handed(consumer, new FakeBatch(0, [60]));
    bounds.set('t/0', { start: 60, end: 100 });
    await handed(consumer, new FakeBatch(0, [60]));
    await jest.advanceTimersByTimeAsync(0);
    expect(stateOf(intake)?.state).toBe('consuming');
    expect(consumer.calls.slice(-2)).toEqual(['seek t/0 60', 'resume t/0']);
    await handed(consumer, new FakeBatch(0, [60]));
    expect(handled).toEqual(['t/0: 60']);
  });

  it('that lies below the checkpoint for good, because the log was cut off, stops the partition', async () => {
    const { consumer, bounds, handled, intake } = await joinedIntake();
    bounds.set('t/0', { start: 0, end: 3 });
    await handed(consumer, new FakeBatch(0, [0, 1, 2]));
    await handed(consumer, new FakeBatch(0, [0, 1, 2]));
    await jest.advanceTimersByTimeAsync(0);
    expect(handled).toEqual([]);
    expect(stateOf(intake)).toMatchObject({ state: 'stopped', reason: 'checkpoint-beyond-log' });
  });

  it('fetched before a seek, or of a partition that is not owned, is left alone', async () => {
    const { consumer, handled } = await joinedIntake();
    const stale = new FakeBatch(0, [5]);
    stale.stale = true;
    await handed(consumer, stale);
    await handed(consumer, new FakeBatch(7, [5]));
    expect(handled).toEqual([]);
  });

  it('is given back at once, so that kafkajs fetches on while it is worked at', async () => {
    const { consumer, handled, behaviour, intake } = await joinedIntake();
    let end!: () => void;
    behaviour.handle = ({ partition }) =>
      partition === 1 ? Promise.resolve() : new Promise((resolve) => (end = resolve));
    const batch = new FakeBatch(0, [5, 6]);
    await handed(consumer, batch);
    expect(batch.resolved).toBe(7);
    expect(stateOf(intake)).toMatchObject({ state: 'consuming', next: 5 });
    await handed(consumer, new FakeBatch(1, [5]));
    expect(handled).toEqual(['t/1: 5']);
    end();
    await jest.advanceTimersByTimeAsync(0);
    expect(handled).toEqual(['t/1: 5', 't/0: 5,6']);
    expect(stateOf(intake)).toMatchObject({ state: 'consuming', next: 7 });
    expect(consumer.calls.filter((call) => call.startsWith('seek'))).toHaveLength(2);
  });

  it('waits for the one before of its partition, and for a place', async () => {
    const { consumer, handled, behaviour } = await joinedIntake({ concurrencyMax: 1 });
    const ends: (() => void)[] = [];
    behaviour.handle = () => new Promise((resolve) => ends.push(resolve));
    await handed(consumer, new FakeBatch(0, [5]));
    const taken: string[] = [];
    void consumer.events.batch(new FakeBatch(0, [6])).then(() => taken.push('t/0'));
    await jest.advanceTimersByTimeAsync(0);
    void consumer.events.batch(new FakeBatch(1, [5])).then(() => taken.push('t/1'));
    await jest.advanceTimersByTimeAsync(0);
    expect({ at: ends.length, taken }).toEqual({ at: 1, taken: [] });
    ends[0]!();
    await jest.advanceTimersByTimeAsync(0);
    expect({ at: ends.length, taken }).toEqual({ at: 2, taken: ['t/0'] });
    ends[1]!();
    await jest.advanceTimersByTimeAsync(0);
    ends[2]!();
    await jest.advanceTimersByTimeAsync(0);
    expect({ handled, taken }).toEqual({ handled: ['t/0: 5', 't/0: 6', 't/1: 5'], taken: ['t/0', 't/1'] });
  });

  it('is not handed on after one that failed, but fetched again behind it', async () => {
    const { consumer, handled, behaviour } = await joinedIntake();
    behaviour.handle = () => Promise.reject(new TypeError('a bug'));
    await handed(consumer, new FakeBatch(0, [5]));
    const next = consumer.events.batch(new FakeBatch(0, [6]));
    await jest.advanceTimersByTimeAsync(700);
    await next;
    behaviour.handle = async () => undefined;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(handled).toEqual([]);
    expect(consumer.calls.slice(-2)).toEqual(['seek t/0 5', 'resume t/0']);
  });

  it('after control records that kafkajs passed over while it worked continues them', async () => {
    const { consumer, handled, behaviour } = await joinedIntake();
    let end!: () => void;
    behaviour.handle = () => new Promise((resolve) => (end = resolve));
    await handed(consumer, new FakeBatch(0, [5, 6]));
    consumer.events.passedOver(P0, 7, 8);
    const next = consumer.events.batch(new FakeBatch(0, [9]));
    end();
    await jest.advanceTimersByTimeAsync(0);
    await next;
    end();
    await jest.advanceTimersByTimeAsync(0);
    expect(handled).toEqual(['t/0: 5,6', 't/0: 9']);
  });

  it('after control records that kafkajs passed over continues the checkpoint', async () => {
    const { consumer, handled } = await joinedIntake();
    consumer.events.passedOver(P0, 5, 6);
    consumer.events.passedOver(P1, 6, 7);
    await handed(consumer, new FakeBatch(0, [7]));
    await handed(consumer, new FakeBatch(1, [8]));
    expect(handled).toEqual(['t/0: 7']);
  });
});

describe('a handler that fails', () => {
  it.each([new TypeError('a bug'), new SyntaxError('bad JSON'), 'a string', undefined] as Error[])(
    'with %p is tried again in place',
    async (thrown) => {
      const { consumer, handled, behaviour } = await joinedIntake();
      let failures = 2;
      behaviour.handle = async () => {
        failures -= 1;
        if (failures >= 0) await Promise.reject(thrown); // handlers can throw anything
      };
      const batch = new FakeBatch(0, [5]);
      const done = consumer.events.batch(batch);
      await jest.advanceTimersByTimeAsync(1_000);
      await done;
      expect(handled).toEqual(['t/0: 5']);
      expect(batch.resolved).toBe(6);
    },
  );

  it('has heartbeats made for it while its batch takes long, and not afterwards', async () => {
    const { consumer, behaviour } = await joinedIntake();
    behaviour.handle = () => new Promise((resolve) => setTimeout(resolve, 2_100));
    const batch = new FakeBatch(0, [5]);
    const beat = jest.spyOn(batch, 'heartbeat');
    const done = consumer.events.batch(batch);
    await jest.advanceTimersByTimeAsync(2_200);
    await done;
    expect(beat.mock.calls.length).toBe(4);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(beat.mock.calls.length).toBe(4);
  });

  it('asks once at a time while a heartbeat is not answered, and is told after a session', async () => {
    const { consumer, behaviour } = await joinedIntake();
    const told: unknown[] = [];
    behaviour.handle = async (batch) => {
      await batch.heartbeat().catch((error: unknown) => told.push((error as Error).name));
      await new Promise(() => undefined);
    };
    const batch = new FakeBatch(0, [5]);
    const beat = jest.spyOn(batch, 'heartbeat').mockReturnValue(new Promise(() => undefined));
    await handed(consumer, batch);
    await jest.advanceTimersByTimeAsync(SESSION_TIMEOUT_MS - 1);
    expect([beat.mock.calls.length, told]).toEqual([1, []]);
    await jest.advanceTimersByTimeAsync(1);
    expect(told).toEqual(['KafkaJSConnectionError']);
  });

  it('that takes long lets the other partitions go on, and is continued where it ends', async () => {
    const { consumer, handled, behaviour, intake } = await joinedIntake();
    let end!: () => void;
    behaviour.handle = ({ partition }) =>
      partition === 1 ? Promise.resolve() : new Promise((resolve) => (end = resolve));
    await handed(consumer, new FakeBatch(0, [5, 6]));
    const next = consumer.events.batch(new FakeBatch(0, [7]));
    await jest.advanceTimersByTimeAsync(1_000);
    await next; // with this, kafkajs fetches again
    expect(consumer.calls.at(-1)).toBe('pause t/0');
    expect(stateOf(intake)).toMatchObject({ state: 'working', next: 5 });
    await handed(consumer, new FakeBatch(1, [5]));
    await handed(consumer, new FakeBatch(0, [5, 6])); // fetched before the pause
    end();
    await jest.advanceTimersByTimeAsync(0);
    expect(handled).toEqual(['t/1: 5', 't/0: 5,6']);
    expect(consumer.calls.slice(-2)).toEqual(['seek t/0 7', 'resume t/0']);
    expect(stateOf(intake)).toMatchObject({ state: 'consuming', next: 7 });
  });

  it('after long is tried again from the same offset', async () => {
    const { consumer, handled, behaviour, intake } = await joinedIntake();
    let tries = 0;
    behaviour.handle = async () => {
      tries += 1;
      if (tries > 1) return;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      throw new TypeError('a bug');
    };
    const done = consumer.events.batch(new FakeBatch(0, [5]));
    await jest.advanceTimersByTimeAsync(3_000);
    await done;
    expect(handled).toEqual(['t/0: 5']);
    expect(consumer.calls.slice(-2)).toEqual(['seek t/0 6', 'resume t/0']);
    expect(stateOf(intake)).toMatchObject({ state: 'consuming', failures: 0, next: 6 });
  });

  it('is not joined by another one of its partition, also in the next generation', async () => {
    const { consumer, handled, behaviour, intake, told } = await joinedIntake();
    let end!: () => void;
    behaviour.handle = () => new Promise((resolve) => (end = resolve));
    const done = consumer.events.batch(new FakeBatch(0, [5]));
    await jest.advanceTimersByTimeAsync(1_000);
    await done;
    consumer.events.rebalancing();
    consumer.events.joined([P0, P1]);
    await jest.advanceTimersByTimeAsync(0);
    expect(told.at(-1)).toBe('assigned t/1#2');
    expect(stateOf(intake)).toMatchObject({ state: 'taking' });
    end();
    await jest.advanceTimersByTimeAsync(0);
    expect(told.at(-1)).toBe('assigned t/0#2');
    behaviour.handle = async () => undefined;
    await handed(consumer, new FakeBatch(0, [5]));
    expect(handled).toEqual(['t/0: 5', 't/0: 5']);
  });

  it('steps aside after some tries, comes back without end, and shows why', async () => {
    const { consumer, handled, behaviour, intake } = await joinedIntake();
    behaviour.handle = async ({ partition }) => {
      if (partition === 0) throw new TypeError('a bug');
    };
    for (let round = 1; round <= 5; round += 1) {
      const done = consumer.events.batch(new FakeBatch(0, [5, 6]));
      await jest.advanceTimersByTimeAsync(20_000);
      await done;
      expect(stateOf(intake)).toMatchObject({ failures: 4 * round, reason: 'TypeError', next: 5 });
      expect(consumer.calls.slice(-3)).toEqual(['pause t/0', 'seek t/0 5', 'resume t/0']);
    }
    await handed(consumer, new FakeBatch(1, [5]));
    expect(handled).toEqual(['t/1: 5']);
    behaviour.handle = async () => undefined;
    await handed(consumer, new FakeBatch(0, [5, 6]));
    expect(handled).toEqual(['t/1: 5', 't/0: 5,6']);
    expect(stateOf(intake)).toMatchObject({ failures: 0, next: 7 });
  });

  it('with a stale owner is not tried again; the partition is taken anew once the membership is confirmed', async () => {
    const { consumer, handled, behaviour, told, intake, clock } = await joinedIntake();
    let tries = 0;
    behaviour.handle = async ({ epoch }) => {
      tries += 1;
      if (epoch === 1) throw staleOwner();
    };
    await handed(consumer, new FakeBatch(0, [5]));
    expect(tries).toBe(1);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(told).toHaveLength(1);
    expect(stateOf(intake)).toMatchObject({ state: 'taking', reason: 'stale-owner' });
    clock.at = 5_000;
    consumer.events.confirmed();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(told.at(-1)).toBe('assigned t/0#2');
    await handed(consumer, new FakeBatch(0, [5]));
    expect(handled).toEqual(['t/0: 5']);
  });
});

describe('a partition that a consumer found lost behind its return', () => {
  it('is taken anew once the membership is confirmed, also when no record comes', async () => {
    const { consumer, told, intake, clock } = await joinedIntake();
    intake.foundStale(P0);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(stateOf(intake)).toMatchObject({ state: 'taking', reason: 'stale-owner' });
    clock.at = 5_000;
    consumer.events.confirmed();
    await jest.advanceTimersByTimeAsync(2_000);
    expect(told.at(-1)).toBe('assigned t/0#2');
    expect(consumer.calls.slice(-2)).toEqual(['seek t/0 5', 'resume t/0']);
    expect(stateOf(intake, 1)).toMatchObject({ state: 'consuming', epoch: 1 });
  });

  it('is taken anew when the batch at work is done', async () => {
    const { consumer, behaviour, intake } = await joinedIntake();
    let done = (): void => undefined;
    behaviour.handle = () => new Promise((resolve) => (done = resolve));
    void consumer.events.batch(new FakeBatch(0, [5]));
    await jest.advanceTimersByTimeAsync(1_500);
    intake.foundStale(P0);
    await jest.advanceTimersByTimeAsync(100);
    expect(stateOf(intake)).toMatchObject({ state: 'working' });
    done();
    await jest.advanceTimersByTimeAsync(100);
    expect(stateOf(intake)).toMatchObject({ state: 'taking', reason: 'stale-owner' });
  });

  it('is left alone when it is not this member’s', async () => {
    const { consumer, told, intake, clock } = await joinedIntake();
    consumer.events.joined([P1]);
    await jest.advanceTimersByTimeAsync(0);
    const before = told.length;
    intake.foundStale(P0);
    clock.at = 5_000;
    consumer.events.confirmed();
    await jest.advanceTimersByTimeAsync(5_000);
    expect(told).toHaveLength(before);
  });
});

describe('a rebalance in the middle of a batch', () => {
  it('makes the batch not current, and tells so once', async () => {
    const { consumer, behaviour, told, intake } = await joinedIntake();
    const current: boolean[] = [];
    behaviour.handle = async (batch) => {
      current.push(batch.isCurrent());
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      current.push(batch.isCurrent());
    };
    const batch = new FakeBatch(0, [5]);
    batch.heartbeatError = kafkajsError('REBALANCE_IN_PROGRESS');
    const done = consumer.events.batch(batch);
    await jest.advanceTimersByTimeAsync(1_200);
    await done;
    expect(current).toEqual([true, false]);
    expect(told).toEqual(['assigned t/0#1,t/1#1', 'revoked']);
    expect(intake.assigned()).toEqual([]);
  });

  it('is not taken for one of the generation that was joined meanwhile', async () => {
    const { consumer, behaviour, told } = await joinedIntake();
    let end!: () => void;
    behaviour.handle = async (batch) => {
      await new Promise<void>((resolve) => (end = resolve));
      await batch.heartbeat();
    };
    const batch = new FakeBatch(0, [5]);
    await handed(consumer, batch);
    consumer.events.rebalancing();
    consumer.events.joined([P1]);
    await jest.advanceTimersByTimeAsync(0);
    batch.heartbeatError = kafkajsError('ILLEGAL_GENERATION');
    end();
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['assigned t/0#1,t/1#1', 'revoked', 'assigned t/1#2']);
  });

  it('breaks the batch off, however the handler or Nest has dressed the error', async () => {
    const { consumer, behaviour, handled } = await joinedIntake();
    let tries = 0;
    behaviour.handle = async (batch) => {
      tries += 1;
      await batch.heartbeat().catch(() => {
        throw new Error('Internal server error');
      });
    };
    const batch = new FakeBatch(0, [5]);
    batch.heartbeatError = kafkajsError('REBALANCE_IN_PROGRESS');
    await handed(consumer, batch);
    await jest.advanceTimersByTimeAsync(5_000);
    expect({ tries, handled }).toEqual({ tries: 1, handled: [] });
  });

  it('that turns out to be none leaves the batch to be fetched again', async () => {
    const { consumer, behaviour, handled } = await joinedIntake();
    behaviour.handle = (batch) => batch.heartbeat();
    const batch = new FakeBatch(0, [5]);
    batch.heartbeatError = Object.assign(new Error('closed'), { name: 'KafkaJSConnectionClosedError' });
    await handed(consumer, batch);
    expect(consumer.calls.at(-1)).toBe('seek t/0 5');
    await handed(consumer, new FakeBatch(0, [5]));
    expect(handled).toEqual(['t/0: 5']);
  });

  it('ends the tries of a failing handler', async () => {
    const { consumer, behaviour } = await joinedIntake();
    let tries = 0;
    behaviour.handle = async () => {
      tries += 1;
      throw new Error('the database is away');
    };
    const done = consumer.events.batch(new FakeBatch(0, [5]));
    await jest.advanceTimersByTimeAsync(50);
    consumer.events.rebalancing();
    await jest.advanceTimersByTimeAsync(60_000);
    await done;
    expect(tries).toBe(1);
  });

  it('does not count as one when only the connection is lost, until the session has run out', async () => {
    const { consumer, behaviour, clock } = await joinedIntake();
    const current: boolean[] = [];
    behaviour.handle = async (batch) => {
      await batch.heartbeat().catch(() => undefined);
      current.push(batch.isCurrent());
      clock.at = 6_000;
      current.push(batch.isCurrent());
    };
    const batch = new FakeBatch(0, [5]);
    batch.heartbeatError = Object.assign(new Error('closed'), { name: 'KafkaJSConnectionClosedError' });
    await handed(consumer, batch);
    expect(current).toEqual([true, false]);
  });
});

describe('a consumer that restarts', () => {
  const restarting = (): never => {
    throw new Error('Consumer group was not initialized');
  };

  it('takes no seek for a batch that was broken off; its partition has a place again', async () => {
    const { consumer, behaviour, intake, handled } = await joinedIntake();
    behaviour.handle = () => Promise.reject(new Error('the store is away'));
    const batch = new FakeBatch(0, [5]);
    batch.heartbeatError = Object.assign(new Error('closed'), { name: 'KafkaJSConnectionError' });
    const { seek } = consumer;
    consumer.seek = restarting;
    await handed(consumer, batch);
    await jest.advanceTimersByTimeAsync(2_000);
    consumer.seek = seek;
    behaviour.handle = () => Promise.resolve();
    consumer.events.joined([P0, P1]);
    await jest.advanceTimersByTimeAsync(0);
    await handed(consumer, new FakeBatch(0, [5]));
    expect(handled).toEqual(['t/0: 5']);
    expect(stateOf(intake)).toMatchObject({ state: 'consuming', next: 6 });
  });

  it('takes no pause for a batch that takes long', async () => {
    const { consumer, behaviour } = await joinedIntake();
    behaviour.handle = () => new Promise(() => undefined);
    consumer.pause = restarting;
    await handed(consumer, new FakeBatch(0, [5]));
    const next = consumer.events.batch(new FakeBatch(0, [6]));
    await jest.advanceTimersByTimeAsync(1_000);
    await next;
  });
});

describe('a consumer that crashes', () => {
  it('owns nothing until it has joined again', async () => {
    const { consumer, intake, told } = await joinedIntake();
    consumer.events.crashed(new Error('lost the coordinator'), true);
    expect(intake.status()).toMatchObject({ state: 'joining', partitions: [] });
    consumer.events.joined([P0]);
    await jest.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['assigned t/0#1,t/1#1', 'revoked', 'assigned t/0#2']);
  });

  it('is fatal when kafkajs will not restart it', async () => {
    const { consumer, intake, told } = await joinedIntake();
    consumer.events.crashed(new Error('beyond repair'), false);
    expect(told.at(-1)).toBe('fatal beyond repair');
    expect(intake.status().state).toBe('failed');
  });
});

describe('stopping', () => {
  it('waits for the running batch, commits for lag tools, leaves the group, and hands out nothing more', async () => {
    const { consumer, handled, behaviour, intake, told } = await joinedIntake();
    behaviour.handle = () => new Promise((resolve) => setTimeout(resolve, 300));
    const running = consumer.events.batch(new FakeBatch(0, [5]));
    const stopped = intake.stop();
    await handed(consumer, new FakeBatch(1, [5]));
    await jest.advanceTimersByTimeAsync(299);
    expect(consumer.calls).not.toContain('stop');
    await jest.advanceTimersByTimeAsync(1);
    await Promise.all([running, stopped]);
    expect(handled).toEqual(['t/0: 5']);
    expect(consumer.calls.slice(-2)).toEqual(['commit t/0 6,t/1 5', 'stop']);
    expect(told.at(-1)).toBe('revoked');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not wait for a handler that fails for ever', async () => {
    const { consumer, behaviour, intake } = await joinedIntake();
    behaviour.handle = async () => {
      throw new Error('the database is away');
    };
    const running = consumer.events.batch(new FakeBatch(0, [5]));
    await jest.advanceTimersByTimeAsync(10);
    await Promise.all([running, intake.stop()]);
    expect(intake.status().state).toBe('stopped');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up on a broker that does not let it leave', async () => {
    const { consumer, intake } = await joinedIntake();
    consumer.stop = () => new Promise(() => undefined);
    const stopped = intake.stop();
    await jest.advanceTimersByTimeAsync(3_000);
    await stopped;
    expect(intake.status().state).toBe('stopped');
  });
});

describe('listeners that throw', () => {
  it('neither end the consumer nor keep a partition from being consumed', async () => {
    const fail = () => {
      throw new TypeError('a bug');
    };
    const { consumer, handled } = await joinedIntake({ onAssigned: fail, onRevoked: fail });
    expect(() => {
      consumer.events.joined([P0]);
    }).not.toThrow();
    await jest.advanceTimersByTimeAsync(0);
    await handed(consumer, new FakeBatch(0, [5]));
    expect(handled).toEqual(['t/0: 5']);
  });
});

describe('offsets for lag tools', () => {
  it('are committed every few seconds while there is progress, and their failure harms nothing', async () => {
    const { consumer, handled } = await joinedIntake();
    consumer.commit = () => Promise.reject(new Error('not now'));
    const commit = jest.spyOn(consumer, 'commit');
    await handed(consumer, new FakeBatch(0, [5]));
    await handed(consumer, new FakeBatch(0, [6]));
    await jest.advanceTimersByTimeAsync(5_000);
    expect(commit).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(commit).toHaveBeenCalledTimes(1);
    expect(handled).toHaveLength(2);
  });
});
