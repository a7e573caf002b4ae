import { jest } from '@jest/globals';
import { createRequire } from 'node:module';
import { amendKafkajs } from './kafkajs-internals.ts';

const internal = createRequire(import.meta.url);

describe('kafkajs as amended', () => {
  const ignore = () => undefined;
  const logger = { namespace: () => logger, debug: ignore, info: ignore, warn: ignore, error: ignore };

  beforeAll(() => {
    amendKafkajs();
  });

  it('wakes up for pending requests only', () => {
    const RequestQueue = internal('kafkajs/src/network/requestQueue/index.js') as new (options: object) => {
      pending: unknown[];
      throttleCheckTimeoutId: unknown;
      scheduleCheckPendingRequests(): void;
      destroy(): void;
    };
    const queue = new RequestQueue({ maxInFlightRequests: null, requestTimeout: 1_000, clientId: 'a', broker: 'b' });
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    queue.pending.push({});
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
  });

  it('gives up an answer that does not come on a connection that is being closed', async () => {
    jest.useFakeTimers();
    try {
      const RequestQueue = internal('kafkajs/src/network/requestQueue/index.js') as new (options: object) => {
        scheduleRequestTimeoutCheck(): void;
        push(request: object): void;
        waitForPendingRequests(): Promise<void>;
      };
      const isConnected = () => false;
      const queue = new RequestQueue({ requestTimeout: 1_000, enforceRequestTimeout: true, isConnected, logger });
      queue.scheduleRequestTimeoutCheck();
      const answer = new Promise((resolve, reject) => {
        queue.push({ entry: { correlationId: 1, resolve, reject }, expectResponse: true, sendRequest: ignore });
      });
      const ended: string[] = [];
      void answer.catch((error: unknown) => ended.push((error as Error).name));
      void queue.waitForPendingRequests().then(() => ended.push('closed'));
      await jest.advanceTimersByTimeAsync(1_000);
      expect(ended.sort()).toEqual(['KafkaJSConnectionError', 'closed']);
    } finally {
      jest.useRealTimers();
    }
  });

  const parse = async (topicErrorCode: number, partitionErrorCodes: number[]) => {
    const { requests, lookup } = internal('kafkajs/src/protocol/requests/index.js') as {
      requests: { Metadata: unknown };
      lookup(versions: object): (
        apiKey: number,
        table: unknown,
      ) => (request: object) => {
        response: { parse(data: object): Promise<unknown> };
      };
    };
    const METADATA = 3;
    const build = lookup({ [METADATA]: { minVersion: 0, maxVersion: 12 } })(METADATA, requests.Metadata);
    const partitionMetadata = partitionErrorCodes.map((partitionErrorCode) => ({ partitionErrorCode, leader: -1 }));
    return build({ topics: ['t'] }).response.parse({ topicMetadata: [{ topicErrorCode, partitionMetadata }] });
  };

  it('accepts metadata in which a partition has no leader', async () => {
    await expect(parse(0, [0, 5])).resolves.toMatchObject({ topicMetadata: [{ partitionMetadata: [{}, {}] }] });
  });

  it('still refuses metadata with any other error', async () => {
    await expect(parse(3, [0])).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await expect(parse(0, [0, 72])).rejects.toMatchObject({ type: 'LISTENER_NOT_FOUND' });
  });

  interface Coordinator {
    joinGroup(): Promise<object>;
    syncGroup(): Promise<object>;
    heartbeat(): Promise<void>;
  }
  /** A member of a group whose cluster names these coordinators, one after the other. */
  const memberOf = (...coordinators: Partial<Coordinator>[]) => {
    const ConsumerGroup = internal('kafkajs/src/consumer/consumerGroup.js') as new (options: object) => {
      joinAndSync(): Promise<void>;
      heartbeat(options: { interval: number }): Promise<void>;
    };
    const joins = {
      joinGroup: async () => ({ memberId: 'm', members: [] }),
      syncGroup: async () => ({ memberAssignment: Buffer.alloc(0) }),
    };
    const findGroupCoordinator = async () => ({ ...joins, ...coordinators.shift() });
    return new ConsumerGroup({
      cluster: { findGroupCoordinator, committedOffsets: () => ({}) },
      logger,
      instrumentationEmitter: { emit: ignore },
      groupId: 'g',
      topics: [],
      assigners: [],
      retry: { retries: 0 },
    });
  };
  const fails = (name: string) => async () => {
    throw Object.assign(new Error(name), { name, retriable: false });
  };
  const beat = { interval: -1_000 };

  it.each(['KafkaJSConnectionError', 'KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError'])(
    'finds the coordinator that took over when a heartbeat ends with %s',
    async (name) => {
      let beats = 0;
      const member = memberOf({ heartbeat: fails(name) }, { heartbeat: async () => void (beats += 1) });
      await member.joinAndSync();
      await expect(member.heartbeat(beat)).rejects.toMatchObject({ name });
      await member.heartbeat(beat);
      expect(beats).toBe(1);
    },
  );

  it.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'NOT_COORDINATOR_FOR_GROUP', 'UNKNOWN_MEMBER_ID'])(
    'tells everybody of %s until it has joined anew, not only who heard of it first',
    async (type) => {
      const answers = [Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type }), undefined, undefined];
      const heartbeat = async () => {
        const error = answers.shift();
        if (error !== undefined) throw error;
      };
      const member = memberOf({ heartbeat }, { heartbeat });
      await member.joinAndSync();
      await expect(member.heartbeat(beat)).rejects.toMatchObject({ type });
      await expect(member.heartbeat(beat)).rejects.toMatchObject({ type });
      await member.joinAndSync();
      await member.heartbeat(beat);
    },
  );

  it('asks again who coordinates a group when no broker could be asked', async () => {
    const Cluster = internal('kafkajs/src/cluster/index.js') as new () => {
      findGroupCoordinator(group: object): Promise<unknown>;
    };
    const createRetry = internal('kafkajs/src/retry/index.js') as (o: object) => unknown;
    const answers = [null, null, { coordinator: { nodeId: 2 } }];
    const cluster = Object.assign(Object.create(Cluster.prototype as object) as InstanceType<typeof Cluster>, {
      brokerPool: { withBroker: async () => answers.shift() },
      findBroker: async ({ nodeId }: { nodeId: number }) => nodeId,
      refreshMetadata: async () => undefined,
      retrier: createRetry({ retries: 5, initialRetryTime: 1 }),
      logger,
    });
    expect(await cluster.findGroupCoordinator({ groupId: 'g' })).toBe(2);
  });

  it('keeps the coordinator that answers a heartbeat with an error', async () => {
    const member = memberOf({ heartbeat: fails('KafkaJSProtocolError') });
    await member.joinAndSync();
    for (let time = 1; time <= 2; time += 1) {
      await expect(member.heartbeat(beat)).rejects.toMatchObject({ name: 'KafkaJSProtocolError' });
    }
  });

  it('joins anew after a join that was cut short, although its old membership would still be answered', async () => {
    const heartbeat = async () => undefined;
    const cut = fails('KafkaJSConnectionClosedError');
    const member = memberOf({ heartbeat }, { heartbeat, syncGroup: cut }, { heartbeat });
    await member.joinAndSync();
    await expect(member.joinAndSync()).rejects.toThrow();
    await expect(member.heartbeat(beat)).rejects.toMatchObject({ type: 'REBALANCE_IN_PROGRESS' });
    await member.joinAndSync();
    await member.heartbeat(beat);
  });

  describe('with a wall clock that jumps', () => {
    afterEach(() => jest.useRealTimers());

    it.each([3_600_000, -3_600_000])('goes on with its heartbeats after %d ms', async (jumpMs) => {
      jest.useFakeTimers();
      let beats = 0;
      const member = memberOf({ heartbeat: async () => void (beats += 1) });
      await member.joinAndSync();
      const each = { interval: 500 };
      for (const jump of [0, jumpMs, -jumpMs]) {
        jest.setSystemTime(Date.now() + jump);
        await jest.advanceTimersByTimeAsync(500);
        await member.heartbeat(each);
      }
      expect(beats).toBe(3);
      await member.heartbeat(each);
      expect(beats).toBe(3);
    });
  });

  it('ends a consumer that is stopped while it makes fetchers for other brokers', async () => {
    const Runner = internal('kafkajs/src/consumer/runner.js') as new (options: object) => {
      start(): Promise<void>;
      stop(): Promise<void>;
    };
    const FOR_EVER = 1_000;
    let brokers = [1, 2];
    let looks = 0;
    let answer: (batches: []) => void = ignore;
    let left = false;
    const runner = new Runner({
      logger,
      instrumentationEmitter: { emit: ignore },
      onCrash: ignore,
      concurrency: 1,
      retry: { retries: 0 },
      consumerGroup: {
        connect: async () => undefined,
        joinAndSync: async () => undefined,
        heartbeat: async () => undefined,
        leave: async () => void (left = true),
        getNodeIds: () => {
          looks += 1;
          if (looks > FOR_EVER) throw new Error('asked for ever');
          return brokers;
        },
        // the first broker answers as soon as there is time, the second one when the test says so
        fetch: (nodeId: number) =>
          new Promise((resolve) => (nodeId === 2 ? (answer = resolve) : setImmediate(resolve, []))),
      },
    });
    await runner.start();
    brokers = [1, 2, 3];
    // until the first has noticed the third, and waits for the second
    for (let turn = 0; looks < 4 && turn < 100; turn += 1) await new Promise(setImmediate);
    const stopped = runner.stop();
    answer([]);
    await stopped;
    expect({ left, looks: looks < FOR_EVER }).toEqual({ left: true, looks: true });
  });

  it('asks nobody where to begin', async () => {
    const OffsetManager = internal('kafkajs/src/consumer/offsetManager/index.js') as new (options: object) => {
      resolveOffsets(): Promise<void>;
      committedOffsets(): object;
    };
    const cluster = { committedOffsets: () => ({}) };
    const manager = new OffsetManager({ cluster, groupId: 'g', memberAssignment: { a: [0, 2], b: [1] } });
    await manager.resolveOffsets();
    expect(manager.committedOffsets()).toEqual({ a: { 0: '0', 2: '0' }, b: { 1: '0' } });
  });
});
