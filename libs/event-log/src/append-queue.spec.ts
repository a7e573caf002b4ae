import fc from 'fast-check';
import type { Position } from '@assent/contracts';
import { CompressionTypes, type ProducerBatch, type RecordMetadata } from 'kafkajs';
import { AppendQueue, DEFAULT_APPEND_LIMITS, type AppendLimits, type PreparedRecord } from './append-queue.ts';
import { AppendError } from './event-log.errors.ts';
import { silentLogger } from './logger.ts';

const LIMITS: AppendLimits = {
  ...DEFAULT_APPEND_LIMITS,
  attemptsMax: 4,
  backoffMs: 1,
  backoffMaxMs: 2,
  sendTimeoutMs: 15,
  deadlineMs: 2_000,
};

/** What the stub does with one flight. */
type Behaviour =
  | { kind: 'answers' }
  /** appended, but the reply never arrives as such */
  | { kind: 'loses the reply' }
  | { kind: 'rejects' }
  /** appended and answered long after the queue has given up */
  | { kind: 'answers late' }
  /** appends and answers these partitions only */
  | { kind: 'answers some'; partitions: number[] }
  /** resolves without having appended: the reply carries no base offset */
  | { kind: 'answers without base offset' }
  | { kind: 'answers with an error code' };

const ANSWERS: Behaviour = { kind: 'answers' };

/** A broker with one topic behind producers that misbehave as told, one behaviour per flight, then behave. */
class StubBroker {
  readonly log = new Map<number, string[]>();
  readonly flights: ProducerBatch[] = [];
  readonly faults: string[] = [];
  producersMade = 0;
  /** Overrides the plan for flights that carry one of these partitions. */
  sick: { partitions: ReadonlySet<number>; behaviour: Behaviour } | undefined;

  constructor(private readonly plan: Behaviour[] = []) {}

  readonly createProducer = async () => {
    this.producersMade += 1;
    let busy = false;
    let spent = false;
    return {
      sendBatch: async (batch: ProducerBatch): Promise<RecordMetadata[]> => {
        if (busy) this.faults.push('two sendBatch in flight on one producer');
        if (spent) this.faults.push('a producer was used again after it had failed');
        busy = true;
        try {
          return await this.receive(batch);
        } catch (error) {
          spent = true;
          throw error;
        } finally {
          busy = false;
        }
      },
      disconnect: async () => {
        spent = true;
      },
    };
  };

  private async receive(batch: ProducerBatch): Promise<RecordMetadata[]> {
    this.flights.push(batch);
    if (batch.acks !== -1 || batch.compression !== CompressionTypes.GZIP) this.faults.push('not acks=all with gzip');
    const byPartition = new Map<number, string[]>();
    for (const { partition, value } of batch.topicMessages?.flatMap(({ messages }) => messages) ?? []) {
      if (partition === undefined) this.faults.push('a message without a partition');
      byPartition.set(partition ?? 0, [...(byPartition.get(partition ?? 0) ?? []), String(value)]);
    }
    const isSick = [...byPartition.keys()].some((partition) => this.sick?.partitions.has(partition));
    const behaviour = isSick ? this.sick!.behaviour : (this.plan.shift() ?? ANSWERS);
    return this.behave(behaviour, byPartition);
  }

  private async behave(behaviour: Behaviour, records: Map<number, string[]>): Promise<RecordMetadata[]> {
    switch (behaviour.kind) {
      case 'answers':
        return this.store(records);
      case 'answers late': {
        const reply = this.store(records);
        await pause(40);
        return reply;
      }
      case 'loses the reply':
        this.store(records);
        throw Object.assign(new Error('timed out'), { name: 'KafkaJSRequestTimeoutError' });
      case 'rejects':
        throw new TypeError('kafkajs can throw anything');
      case 'answers some':
        return this.store(new Map([...records].filter(([partition]) => behaviour.partitions.includes(partition))));
      case 'answers without base offset':
        return [...records.keys()].map((partition) => ({ topicName: 't', partition, errorCode: 0 }));
      case 'answers with an error code':
        return [...records.keys()].map((partition) => ({ topicName: 't', partition, errorCode: 5, baseOffset: '-1' }));
    }
  }

  private store(records: Map<number, string[]>): RecordMetadata[] {
    return [...records].map(([partition, values]) => {
      const stored = this.log.get(partition) ?? [];
      this.log.set(partition, [...stored, ...values]);
      return { topicName: 't', partition, errorCode: 0, baseOffset: String(stored.length) };
    });
  }

  holds(position: Position | undefined, value: string): boolean {
    return position !== undefined && this.log.get(position.partition)?.[position.offset] === value;
  }
}

const valuesOf = (flight: ProducerBatch): string[] =>
  (flight.topicMessages ?? []).flatMap(({ messages }) => messages.map(({ value }) => String(value)));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const record = (partition: number, value: string, bytes = 100): PreparedRecord => ({
  topic: 't',
  partition,
  message: { key: 'k', value },
  bytes,
});

const queueOver = (broker: StubBroker, limits: Partial<AppendLimits> = {}) =>
  new AppendQueue(broker.createProducer, { ...LIMITS, ...limits }, silentLogger);

describe('appending through a broker that answers', () => {
  it('sends what several callers ask for in one flight and answers each with its own positions', async () => {
    const broker = new StubBroker();
    const queue = queueOver(broker);
    const [first, second] = await Promise.all([
      queue.append([record(0, 'a'), record(1, 'b')]),
      queue.append([record(0, 'c')]),
    ]);
    expect(broker.flights).toHaveLength(1);
    expect(first).toEqual([
      { topic: 't', partition: 0, offset: 0 },
      { topic: 't', partition: 1, offset: 0 },
    ]);
    expect(second).toEqual([{ topic: 't', partition: 0, offset: 1 }]);
  });

  it('keeps one flight under way and lets the callers after it share the next', async () => {
    const broker = new StubBroker([{ kind: 'answers' }]);
    const queue = queueOver(broker);
    const first = queue.append([record(0, 'a')]);
    await Promise.resolve();
    await Promise.resolve();
    const others = ['b', 'c', 'd'].map((value) => queue.append([record(0, value)]));
    await Promise.all([first, ...others]);
    expect(broker.flights).toHaveLength(2);
    expect(broker.log.get(0)).toEqual(['a', 'b', 'c', 'd']);
    expect(broker.faults).toEqual([]);
  });

  it('bounds a flight by records', async () => {
    const broker = new StubBroker();
    const queue = queueOver(broker, { flightRecordsMax: 3 });
    await queue.append('a b c d e f g'.split(' ').map((value, at) => record(at % 2, value)));
    expect(broker.flights.map((flight) => valuesOf(flight).length)).toEqual([3, 3, 1]);
    expect([broker.log.get(0), broker.log.get(1)]).toEqual([
      ['a', 'c', 'e', 'g'],
      ['b', 'd', 'f'],
    ]);
  });

  it('bounds what a flight carries to one partition by bytes, except for one large record', async () => {
    const broker = new StubBroker();
    const queue = queueOver(broker, { partitionBytesMax: 250 });
    await queue.append([record(0, 'a'), record(0, 'b'), record(0, 'c'), record(0, 'large', 9_999), record(0, 'd')]);
    expect(broker.flights.map(valuesOf)).toEqual([['a', 'b'], ['c'], ['large'], ['d']]);
  });
});

describe('appending through a broker that misbehaves', () => {
  it.each<[string, Behaviour]>([
    ['the reply is lost', { kind: 'loses the reply' }],
    ['the send is rejected', { kind: 'rejects' }],
    ['the reply comes too late', { kind: 'answers late' }],
    ['only some partitions are answered', { kind: 'answers some', partitions: [1] }],
    ['the reply carries no base offset', { kind: 'answers without base offset' }],
    ['the reply carries an error code', { kind: 'answers with an error code' }],
  ])('resolves after a repeat when %s', async (_, behaviour) => {
    const broker = new StubBroker([behaviour]);
    const positions = await queueOver(broker).append([record(0, 'a'), record(0, 'b'), record(1, 'c')]);
    expect(['a', 'b', 'c'].map((value, at) => broker.holds(positions[at], value))).toEqual([true, true, true]);
    expect(broker.producersMade).toBe(2);
    expect(broker.faults).toEqual([]);
  });

  it('rejects with the records that are not known to be in the log, after its attempts are used up', async () => {
    const broker = new StubBroker();
    broker.sick = { partitions: new Set([1]), behaviour: { kind: 'rejects' } };
    const answer = queueOver(broker).append([record(0, 'a'), record(1, 'b'), record(1, 'c'), record(2, 'd')]);
    await expect(answer).rejects.toMatchObject({ name: 'AppendError', code: 'append-failed', failed: [1, 2] });
    expect(broker.log.get(0)).toEqual(['a']);
    expect(broker.log.get(2)).toEqual(['d']);
    expect(broker.flights).toHaveLength(1 + LIMITS.attemptsMax - 1 + 2);
  });

  it('settles the other callers of a flight on their own partitions', async () => {
    const broker = new StubBroker();
    broker.sick = { partitions: new Set([1]), behaviour: { kind: 'answers without base offset' } };
    const queue = queueOver(broker);
    const answers = await Promise.allSettled([0, 1, 2].map((partition) => queue.append([record(partition, 'x')])));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(broker.log.get(1)).toBeUndefined();
  });

  it('does not let innocent company of a failed flight wait', async () => {
    const broker = new StubBroker();
    broker.sick = { partitions: new Set([1]), behaviour: { kind: 'rejects' } };
    const queue = queueOver(broker, { backoffMs: 1_000, backoffMaxMs: 1_000, deadlineMs: 200 });
    const [innocent, sick] = await Promise.allSettled([queue.append([record(0, 'a')]), queue.append([record(1, 'b')])]);
    expect([innocent.status, sick.status]).toEqual(['fulfilled', 'rejected']);
  });

  it('goes on with other partitions while one waits to be tried again', async () => {
    const broker = new StubBroker();
    broker.sick = { partitions: new Set([1]), behaviour: { kind: 'rejects' } };
    const queue = queueOver(broker, { backoffMs: 200, backoffMaxMs: 200 });
    const sick = queue.append([record(1, 'x')]).catch((error: unknown) => error);
    await pause(5);
    await expect(queue.append([record(0, 'a')])).resolves.toHaveLength(1);
    broker.sick = undefined;
    await expect(sick).resolves.toEqual([{ topic: 't', partition: 1, offset: 0 }]);
  });

  it('sends what is unconfirmed before later records of the same partition', async () => {
    const broker = new StubBroker([{ kind: 'rejects' }]);
    const queue = queueOver(broker);
    const first = queue.append([record(0, 'a')]);
    await pause(0);
    await Promise.all([first, queue.append([record(0, 'b')])]);
    expect(broker.flights.map(valuesOf)).toEqual([['a'], ['a'], ['b']]);
  });

  it('sends nothing more of a call that has lost a record', async () => {
    const broker = new StubBroker(Array.from({ length: LIMITS.attemptsMax }, () => ({ kind: 'rejects' })));
    const queue = queueOver(broker, { partitionBytesMax: 100 });
    await expect(queue.append([record(0, 'a'), record(0, 'b')])).rejects.toMatchObject({ failed: [0, 1] });
    await queue.append([record(0, 'c')]);
    expect(broker.log.get(0)).toEqual(['c']);
  });

  it('rejects at the deadline a caller whose broker never answers', async () => {
    const never = { sendBatch: () => new Promise<never>(() => undefined), disconnect: async () => undefined };
    const queue = new AppendQueue(async () => never, { ...LIMITS, deadlineMs: 30, attemptsMax: 1_000 }, silentLogger);
    await expect(queue.append([record(0, 'a')])).rejects.toMatchObject({ code: 'append-failed', failed: [0] });
  });

  it('retries when no connection can be made, and rejects when none ever can', async () => {
    const broker = new StubBroker();
    let refusals = 2;
    const createProducer = async () => {
      if (refusals === 0) return broker.createProducer();
      refusals -= 1;
      throw new Error('ECONNREFUSED');
    };
    await expect(new AppendQueue(createProducer, LIMITS, silentLogger).append([record(0, 'a')])).resolves.toHaveLength(
      1,
    );
    refusals = 1_000;
    const refused = new AppendQueue(createProducer, LIMITS, silentLogger).append([record(0, 'a')]);
    await expect(refused).rejects.toBeInstanceOf(AppendError);
  });

  it('never resolves for a record that is not in the log, nor fails one it has positions for, whatever happens', async () => {
    const behaviour = fc.oneof(
      fc.constantFrom<Behaviour>(
        { kind: 'answers' },
        { kind: 'loses the reply' },
        { kind: 'rejects' },
        { kind: 'answers late' },
        { kind: 'answers without base offset' },
        { kind: 'answers with an error code' },
      ),
      fc.record({ kind: fc.constant('answers some' as const), partitions: fc.subarray([0, 1, 2]) }),
    );
    const calls = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(behaviour, { maxLength: 14 }), calls, async (plan, partitionsOfCalls) => {
        const broker = new StubBroker(plan);
        const queue = queueOver(broker, { attemptsMax: 3, flightRecordsMax: 5 });
        const answers = await Promise.allSettled(
          partitionsOfCalls.map((partitions, call) =>
            queue.append(partitions.map((partition, at) => record(partition, `${call}/${at}`))),
          ),
        );
        answers.forEach((answer, call) => {
          const values = partitionsOfCalls[call]!.map((_, at) => `${call}/${at}`);
          if (answer.status === 'fulfilled') {
            expect(values.map((value, at) => broker.holds(answer.value[at], value))).toEqual(values.map(() => true));
            return;
          }
          const { failed } = answer.reason as AppendError;
          expect(failed.length).toBeGreaterThan(0);
          const stored = [...broker.log.values()].flat();
          const acknowledged = values.filter((_, at) => !failed.includes(at));
          expect(acknowledged.filter((value) => !stored.includes(value))).toEqual([]);
        });
        expect(broker.faults).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the queue in front of the broker', () => {
  it('refuses what it has no room for, and has room again afterwards', async () => {
    const queue = queueOver(new StubBroker(), { queueRecordsMax: 3 });
    const accepted = queue.append([record(0, 'a'), record(0, 'b')]);
    await expect(queue.append([record(0, 'c'), record(0, 'd')])).rejects.toMatchObject({ code: 'append-queue-full' });
    await accepted;
    await expect(queue.append([record(0, 'c'), record(0, 'd')])).resolves.toHaveLength(2);
  });

  it('has room again after failures', async () => {
    const broker = new StubBroker();
    broker.sick = { partitions: new Set([0]), behaviour: { kind: 'rejects' } };
    const queue = queueOver(broker, { queueRecordsMax: 2 });
    await expect(queue.append([record(0, 'a'), record(0, 'b')])).rejects.toMatchObject({ code: 'append-failed' });
    broker.sick = undefined;
    await expect(queue.append([record(0, 'c'), record(0, 'd')])).resolves.toHaveLength(2);
  });

  it('counts bytes as well as records', async () => {
    const queue = queueOver(new StubBroker(), { queueBytesMax: 250 });
    const accepted = queue.append([record(0, 'a', 200)]);
    await expect(queue.append([record(0, 'b', 60)])).rejects.toMatchObject({ code: 'append-queue-full' });
    await accepted;
  });

  it('tells a caller who can never fit to split', async () => {
    const queue = queueOver(new StubBroker(), { queueRecordsMax: 1 });
    await expect(queue.append([record(0, 'a'), record(0, 'b')])).rejects.toMatchObject({ code: 'append-too-large' });
  });

  it('settles every caller before it closes and refuses later ones', async () => {
    const broker = new StubBroker([{ kind: 'rejects' }]);
    const queue = queueOver(broker);
    const settled: number[] = [];
    void queue.append([record(0, 'a')]).then((positions) => settled.push(positions.length));
    await queue.close();
    expect(settled).toEqual([1]);
    await expect(queue.append([record(0, 'b')])).rejects.toMatchObject({ code: 'closed', failed: [0] });
  });
});
