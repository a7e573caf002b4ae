import fc from 'fast-check';
import { jest } from '@jest/globals';
import type { NewRecord, Position } from '@assent/contracts';
import type { AppendLimits } from './append-queue.ts';
import { BrokerStub, NOT_ENOUGH_REPLICAS_AFTER_APPEND, NOT_LEADER, type ProduceFault } from './broker-stub.fixture.ts';
import type { AppendError } from './event-log.errors.ts';
import { KafkaEventLog } from './kafka-event-log.ts';

jest.setTimeout(60_000);

const PARTITIONS = 3;
const LIMITS = { attemptsMax: 6, backoffMs: 1, backoffMaxMs: 5, connectTimeoutMs: 400, sendTimeoutMs: 400 };

const record = (partition: number, value: string): NewRecord => ({
  topic: 't',
  partition,
  key: 'k',
  headers: [],
  value: Buffer.from(value),
});

let stub: BrokerStub;
let log: KafkaEventLog;

const open = async (limits: Partial<AppendLimits> = {}, brokers?: readonly string[]): Promise<void> => {
  log = await KafkaEventLog.connect({
    brokers: brokers ?? stub.addresses,
    clientId: 'append-tests',
    topics: { t: PARTITIONS },
    append: { ...LIMITS, ...limits },
  });
};

const start = (lateMs = 600) => BrokerStub.start({ brokers: 2, partitions: PARTITIONS, lateMs });

const holds = (at: Position | undefined, value: string): boolean =>
  at !== undefined && stub.log[at.partition]?.[at.offset] === value;

describe('appending over the wire to brokers that misbehave', () => {
  beforeEach(async () => {
    stub = await start();
    await open();
  });
  afterEach(async () => {
    await log.close();
    await stub.stop();
  });

  it.each<[string, ProduceFault]>([
    ['loses the reply after it has appended', { kind: 'loses the reply', appended: true }],
    ['loses the request', { kind: 'loses the reply', appended: false }],
    ['closes the connection after it has appended', { kind: 'closes the connection', appended: true }],
    ['closes the connection before', { kind: 'closes the connection', appended: false }],
    ['closes in the middle of the reply', { kind: 'closes in the middle of the reply' }],
    ['leaves a partition out', { kind: 'leaves out', partitions: [0, 1], appended: false }],
    ['leaves a partition out that it has appended to', { kind: 'leaves out', partitions: [0, 1], appended: true }],
    ['does not lead', { kind: 'refuses', partitions: [0, 1], errorCode: NOT_LEADER, appended: false }],
    [
      'has too few replicas after it has appended',
      { kind: 'refuses', partitions: [0, 1], errorCode: NOT_ENOUGH_REPLICAS_AFTER_APPEND, appended: true },
    ],
    ['answers after the timeout', { kind: 'answers late' }],
    ['answers twice', { kind: 'answers twice' }],
  ])('is in the log when it resolves, although a broker %s', async (_, fault) => {
    stub.faults.push(fault);
    const answers = await Promise.all([0, 1, 2].map((partition) => log.append([record(partition, `v${partition}`)])));
    expect(answers.map(([at], partition) => holds(at, `v${partition}`))).toEqual([true, true, true]);
    const [next] = await log.append([record(0, 'next')]);
    expect(holds(next, 'next')).toBe(true);
  });

  it('notices that a leader moved to a broker that had answered the same batch', async () => {
    stub.faults.push({ kind: 'moves the leader', partition: 1, to: 0 });
    const [, moved] = await log.append([record(0, 'stays'), record(1, 'moves')]);
    expect(holds(moved, 'moves')).toBe(true);
    expect(stub.produced.at(-1)).toEqual({ broker: 0, partitions: [1] });
  });

  it('rejects what is not in the log, and settles the other callers of the batch on their own partitions', async () => {
    await log.close();
    await open({ attemptsMax: 2 });
    const refused: ProduceFault = { kind: 'refuses', partitions: [1], errorCode: NOT_LEADER, appended: false };
    // The batch goes to both brokers; the second try of partition 1 is alone.
    stub.faults.push(refused, refused, refused, refused, refused);
    const answers = await Promise.allSettled([0, 1, 2].map((at) => log.append([record(at, `v${at}`)])));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((answers[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'append-failed', failed: [0] });
    expect(stub.log[1]).toEqual([]);
  });

  it('names the records of a call that failed, and only them', async () => {
    await log.close();
    await open({ attemptsMax: 2 });
    const lost: ProduceFault = { kind: 'leaves out', partitions: [2], appended: false };
    stub.faults.push(lost, lost, lost, lost, lost);
    const error = await log.append([0, 2, 1].map((at) => record(at, `v${at}`))).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'append-failed', failed: [1] });
    expect(stub.log.map((values) => new Set(values))).toEqual([new Set(['v0']), new Set(['v1']), new Set()]);
  });
});

describe('connecting while some brokers are away', () => {
  beforeEach(async () => {
    stub = await start();
  });
  afterEach(async () => {
    await log.close();
    await stub.stop();
  });

  it('passes over those that refuse', async () => {
    const away = ['127.0.0.1:1', '127.0.0.1:2'];
    await open({}, [...away, ...stub.addresses]);
    stub.faults.push({ kind: 'closes the connection', appended: false });
    const [at] = await log.append([record(0, 'v')]);
    expect(holds(at, 'v')).toBe(true);
    expect(await log.endOffsets([at!])).toEqual(new Map([['t/0', 1]]));
  });

  it('passes over those that accept and say nothing, at the start and later', async () => {
    stub.leaders.fill(1);
    stub.silent.add(0);
    await open();
    for (let time = 0; time < 3; time += 1) {
      stub.faults.push({ kind: 'closes the connection', appended: false });
      const [at] = await log.append([record(0, `v${time}`)]);
      expect(holds(at, `v${time}`)).toBe(true);
    }
  });
});

describe('appending over the wire through any sequence of faults', () => {
  const somePartitions = fc.subarray([0, 1, 2], { minLength: 1 });
  const fault: fc.Arbitrary<ProduceFault> = fc.oneof(
    fc.constantFrom<ProduceFault>(
      { kind: 'answers' },
      { kind: 'closes in the middle of the reply' },
      { kind: 'answers late' },
      { kind: 'answers twice' },
    ),
    fc.record({ kind: fc.constantFrom('loses the reply' as const), appended: fc.boolean() }),
    fc.record({ kind: fc.constantFrom('closes the connection' as const), appended: fc.boolean() }),
    fc.record({ kind: fc.constant('leaves out' as const), partitions: somePartitions, appended: fc.boolean() }),
    fc.record({
      kind: fc.constant('refuses' as const),
      partitions: somePartitions,
      errorCode: fc.constantFrom(NOT_LEADER, NOT_ENOUGH_REPLICAS_AFTER_APPEND),
      appended: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('moves the leader' as const),
      partition: fc.nat(2),
      to: fc.nat(1),
    }),
  );
  const calls = fc.array(fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 });

  it('never resolves for a record that is not in the log; a repeat gets in what was refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 10 }), calls, async (script, partitionsOfCalls) => {
        stub = await start(120);
        await open({ attemptsMax: 3, sendTimeoutMs: 60, connectTimeoutMs: 400, deadlineMs: 2_000 });
        try {
          stub.faults.push(...script);
          const recordsOf = (call: number): NewRecord[] =>
            partitionsOfCalls[call]!.map((partition, at) => record(partition, `${call}/${at}`));
          const answers = await Promise.allSettled(partitionsOfCalls.map((_, call) => log.append(recordsOf(call))));
          stub.faults.length = 0;
          for (const [call, answer] of answers.entries()) {
            const failed = answer.status === 'rejected' ? (answer.reason as AppendError).failed : [];
            const acknowledged = recordsOf(call).filter((_, at) => !failed.includes(at));
            for (const { partition, value } of acknowledged) {
              expect(stub.log[partition!]).toContain(Buffer.from(value).toString());
            }
            const positions = answer.status === 'fulfilled' ? answer.value : await again(recordsOf(call));
            expect(positions.map((at, index) => holds(at, `${call}/${index}`))).not.toContain(false);
          }
        } finally {
          await log.close();
          await stub.stop();
        }
      }),
      { numRuns: 30 },
    );
  });

  /** As the services do: the same bytes again, until they are acknowledged. */
  async function again(records: readonly NewRecord[]): Promise<Position[]> {
    for (;;) {
      const positions = await log.append(records).catch(() => undefined); // 60 ms are short on a busy machine
      if (positions !== undefined) return positions;
    }
  }
});
