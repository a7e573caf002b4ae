import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { isFree, pickFreePort } from './free-port.ts';
import { startLocalStack } from './local-stack.ts';
import { startDevelopmentStore } from './native-mongo.ts';
import { prepareToolkit } from './prepare.ts';
import { identify, isRunning } from './process-identity.ts';
import { packageFolder } from './repository.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'assent-stack-'));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

const native = ['native'] as const;

describe('a native Kafka', () => {
  it('still has acknowledged records after kill -9 and a restart on the same port', async () => {
    const stack = await startLocalStack({ dataDir, providers: native, only: ['kafka'] });
    try {
      const { brokers } = stack.kafka;
      await append(brokers, 'kept');
      await stack.kafkaProcess.kill('SIGKILL');
      expect(stack.kafka.pid).toBeUndefined();
      await stack.restartKafka();
      expect(stack.kafka.brokers).toBe(brokers);
      expect(await endOffset(brokers, 'kept')).toBe('1');
    } finally {
      await stack.stop();
    }
  }, 60_000);
});

describe('a native Kafka of three nodes behind a proxy', () => {
  it('has nodes that can be killed one by one, and keeps who comes through the proxy in the proxy', async () => {
    let target = '';
    const proxy = createServer((client) => {
      const broker = connect(Number(target.split(':')[1]), '127.0.0.1');
      for (const socket of [client, broker]) socket.on('error', () => undefined); // either side may go first
      client.pipe(broker).pipe(client);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const proxyPort = (proxy.address() as AddressInfo).port;
    const settings = { dataDir, only: ['kafka'], kafkaNodes: 3, advertisedPortOf: () => proxyPort } as const;
    const stack = await startLocalStack(settings);
    try {
      expect(stack.kafkaNodes.map(({ id }) => id)).toEqual([1, 2, 3]);
      const [first, , third] = stack.kafkaNodes;
      await append(stack.kafka.brokers, 'kept');
      await first!.kill('SIGKILL');
      expect([first!.pid, third!.pid]).toEqual([undefined, expect.any(Number)]);
      await first!.restart();
      expect(await endOffset(first!.address, 'kept')).toBe('1');
      const { proxied } = third!;
      ({ target } = proxied!);
      expect(await advertisedAt(target)).toEqual([proxied!.address, proxied!.address, proxied!.address]);
    } finally {
      await stack.stop();
      proxy.close();
    }
  }, 90_000);
});

describe('a data folder in use', () => {
  it('is refused to a second stack, and free again after the stop', async () => {
    const settings = { dataDir, providers: native, only: ['mongo'] } as const;
    const first = await startLocalStack(settings);
    await expect(startLocalStack(settings)).rejects.toMatchObject({ code: 'data-folder-in-use' });
    await first.stop();
    const second = await startLocalStack(settings);
    await second.stop();
    expect(await isFree(Number(new URL(second.mongo.uri).port))).toBe(true);
  }, 60_000);
});

describe('a stack whose process was killed with -9', () => {
  it('leaves no child behind and its folder to the next stack', async () => {
    const main = spawn(process.execPath, [join(packageFolder, 'dist', 'main.js'), dataDir], {
      env: { ...process.env, KAFKA_BROKERS: '127.0.0.1:1', MONGODB_URI: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => main.stdout.once('data', resolve));
    const child: unknown = JSON.parse(readFileSync(join(dataDir, 'mongo-java-server', 'pid.json'), 'utf8'));
    const identity = child as { pid: number; startedAt: string };
    expect(isRunning(identity)).toBe(true);
    const gone = new Promise((resolve) => main.once('exit', resolve));
    main.kill('SIGKILL');
    await gone;
    const next = await startLocalStack({ dataDir, providers: native, only: ['mongo'] });
    expect(isRunning(identity)).toBe(false);
    await next.stop();
  }, 60_000);
});

describe('a pid file that names a process of somebody else by now', () => {
  it('does that process no harm', async () => {
    const stranger = spawn('sleep', ['60']);
    try {
      const pid = stranger.pid!;
      mkdirSync(join(dataDir, 'mongo-java-server'));
      writeFileSync(
        join(dataDir, 'mongo-java-server', 'pid.json'),
        JSON.stringify({ pid, startedAt: 'some other time' }),
      );
      const stack = await startLocalStack({ dataDir, providers: native, only: ['mongo'] });
      await stack.stop();
      expect(identify(pid)).toBeDefined();
    } finally {
      stranger.kill('SIGKILL');
    }
  }, 60_000);
});

describe('a port that is taken', () => {
  it('is named before anything is started on it', async () => {
    const kafkaPort = Number(process.env['KAFKA_BROKERS']?.split(':')[1]);
    const start = startLocalStack({ dataDir, providers: native, only: ['kafka'], kafkaPort });
    await expect(start).rejects.toThrow(`port ${kafkaPort} on 127.0.0.1, meant for Kafka, is taken`);
  });

  it('is named by the part that lost the race for it, and the next start may try another', async () => {
    const mongoPort = await pickFreePort();
    const rival = createServer().listen(mongoPort, '127.0.0.1');
    const settings = { folder: dataDir, logFile: join(dataDir, 'mongo.log'), port: mongoPort };
    const lost = startDevelopmentStore(await prepareToolkit(() => undefined), settings);
    try {
      await expect(lost).rejects.toMatchObject({ code: 'port-taken' });
    } finally {
      rival.close();
    }
  }, 60_000);
});

describe('parts that the environment names', () => {
  it('are used as they are and survive the stop', async () => {
    const stack = await startLocalStack({ dataDir });
    expect(stack.kafka).toEqual({ brokers: process.env['KAFKA_BROKERS'], provider: 'environment' });
    expect(stack.mongo).toEqual({ uri: process.env['MONGODB_URI'], provider: 'environment' });
    await expect(stack.restartKafka()).rejects.toMatchObject({ code: 'not-restartable' });
    await stack.stop();
    expect(await endOffset(stack.kafka.brokers, 'no-such-topic')).toBeUndefined();
  });
});

function clientOf(brokers: string): Kafka {
  return new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
}

/** Where a client that connects to this address is told to find the brokers. */
async function advertisedAt(address: string): Promise<string[]> {
  const admin = clientOf(address).admin();
  await admin.connect();
  const { brokers } = await admin.describeCluster();
  await admin.disconnect();
  return brokers.map(({ host, port }) => `${host}:${port}`);
}

async function append(brokers: string, topic: string): Promise<void> {
  const admin = clientOf(brokers).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = clientOf(brokers).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ key: 'k', value: 'v' }] });
  await producer.disconnect();
}

/** undefined when there is no such topic; while a leader is being elected nobody can tell, so it is asked again */
async function endOffset(brokers: string, topic: string): Promise<string | undefined> {
  for (;;) {
    try {
      return await tellEndOffset(brokers, topic);
    } catch (error) {
      if ((error as { type?: unknown }).type !== 'LEADER_NOT_AVAILABLE') throw error;
    }
  }
}

async function tellEndOffset(brokers: string, topic: string): Promise<string | undefined> {
  const admin = clientOf(brokers).admin();
  await admin.connect();
  try {
    const topics = await admin.listTopics();
    return topics.includes(topic) ? (await admin.fetchTopicOffsets(topic))[0]?.high : undefined;
  } finally {
    await admin.disconnect();
  }
}
