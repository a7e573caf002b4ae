import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { stopStaleChild } from './child-process.ts';
import type { ServiceProcess } from './child-process.ts';
import { LocalStackError } from './local-stack-error.ts';
import { tryLock, unlock } from './lock-file.ts';
import { NativeKafka } from './native-kafka-cluster.ts';
import type { KafkaNode } from './native-kafka-cluster.ts';
import { findMongod, startDevelopmentStore, startMongod } from './native-mongo.ts';
import { prepareToolkit } from './prepare.ts';
import { dockerAnswers } from './prerequisites.ts';
import { namedPart, NativePart } from './running-part.ts';
import type { RunningPart } from './running-part.ts';
import type { Log } from './toolkit.ts';

const SOURCES = ['environment', 'docker', 'native'] as const;

export type Part = 'kafka' | 'mongo';
export type Source = (typeof SOURCES)[number];

export interface LocalStackSettings {
  /** Where data and logs lie; made when absent. One stack at a time may use it. */
  readonly dataDir: string;
  /** 0 or absent: a free one */
  readonly kafkaPort?: number;
  readonly mongoPort?: number;
  /**
   * Kafka nodes, all on this machine: 3 replicate as production does (three copies, two in step). Absent: 1. Docker has
   * one; with more than one, or with `advertisedPortOf`, Kafka is native whatever else could provide it.
   */
  readonly kafkaNodes?: 1 | 3;
  /**
   * Opens a second listener on each Kafka node, for connections that come through a proxy on 127.0.0.1: whoever connects
   * to it is told to come back to the port that this answers for the broker (0, 1, …), so all of a client's traffic stays
   * in the proxy. `kafkaNodes[i].proxied` says where the proxy must connect to.
   */
  readonly advertisedPortOf?: (brokerIndex: number) => number;
  /** absent: both */
  readonly only?: readonly Part[];
  /** Where parts may come from, in this order; absent: all. A test that kills parts needs `['native']`. */
  readonly providers?: readonly Source[];
  /** progress for a person, one line a call */
  readonly log?: Log;
}

export type KafkaProvider = 'environment' | 'docker' | 'native';
export type MongoProvider = 'environment' | 'docker' | 'mongod' | 'mongo-java-server';

export interface LocalStack {
  readonly kafka: { readonly brokers: string; readonly provider: KafkaProvider; readonly pid?: number };
  readonly mongo: { readonly uri: string; readonly provider: MongoProvider; readonly pid?: number };
  /** The nodes of a native Kafka, to kill one by one; empty when it comes from elsewhere. */
  readonly kafkaNodes: readonly KafkaNode[];
  /** For tests that kill a part, Kafka with all its nodes. @throws LocalStackError not-restartable when it is not ours */
  readonly kafkaProcess: ServiceProcess;
  readonly mongoProcess: ServiceProcess;
  /** Kills the part (SIGKILL) if it still runs and starts it on the same data and port. @throws LocalStackError */
  restartKafka(): Promise<void>;
  restartMongo(): Promise<void>;
  /** Stops what this call started, in any state; data and logs stay. */
  stop(): Promise<void>;
}

/**
 * Starts what is asked for and not provided by the environment, and resolves when all of it answers. Each part comes
 * from the first that can: the environment (KAFKA_BROKERS, MONGODB_URI), Docker, this machine (Kafka's jars; `mongod`,
 * else the development store). Everything listens on 127.0.0.1. Parts end with this process, however it ends; what a
 * killed run left on the same folder is stopped first.
 *
 * @throws LocalStackError with a message for the person at the terminal; nothing keeps running then
 */
export async function startLocalStack(settings: LocalStackSettings): Promise<LocalStack> {
  const folder = resolve(settings.dataDir);
  const lock = join(folder, 'local-stack.lock');
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const holder = tryLock(lock);
  if (holder !== undefined) {
    const message = `process ${holder.pid} already runs a local stack on ${folder}; stop it or use another folder`;
    throw new LocalStackError('data-folder-in-use', message);
  }
  try {
    return await startParts(folder, settings, () => {
      unlock(lock);
    });
  } catch (error) {
    unlock(lock);
    throw error;
  }
}

async function startParts(folder: string, settings: LocalStackSettings, release: () => void): Promise<LocalStack> {
  const wanted = settings.only ?? ['kafka', 'mongo'];
  const host: Host = {
    folder,
    log: settings.log ?? (() => undefined),
    sources: settings.providers ?? SOURCES,
  };
  const [kafka, mongo] = await Promise.allSettled([
    wanted.includes('kafka') ? startKafka(host, settings) : undefined,
    wanted.includes('mongo') ? startMongo(host, settings.mongoPort ?? 0) : undefined,
  ]);
  const running: Running = {
    kafka: kafka.status === 'fulfilled' ? kafka.value : undefined,
    mongo: mongo.status === 'fulfilled' ? mongo.value : undefined,
  };
  const stop = async (): Promise<void> => {
    await Promise.all([running.kafka?.stop(), running.mongo?.stop()]);
    release();
  };
  const failed = [kafka, mongo].find((part) => part.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return stackOf(running, stop);
}

interface Host {
  readonly folder: string;
  readonly log: Log;
  readonly sources: readonly Source[];
}

interface Running {
  readonly kafka: RunningPart<KafkaProvider> | undefined;
  readonly mongo: RunningPart<MongoProvider> | undefined;
}

/** The first source that can; each answers undefined when it cannot. */
async function firstOf<P extends string>(
  host: Host,
  from: Readonly<Record<Source, () => Promise<RunningPart<P> | undefined>>>,
): Promise<RunningPart<P>> {
  for (const source of host.sources) {
    const part = await from[source]();
    if (part !== undefined) {
      return part;
    }
  }
  throw new LocalStackError('not-started', `none of ${host.sources.join(', ')} provides this part`);
}

function startKafka(host: Host, settings: LocalStackSettings): Promise<RunningPart<KafkaProvider>> {
  const { kafkaPort: port = 0, kafkaNodes: nodes = 1, advertisedPortOf } = settings;
  const native = (): Promise<NativeKafka> => startKafkaHere(host, port, nodes, advertisedPortOf);
  if (nodes > 1 || advertisedPortOf !== undefined) {
    return native();
  }
  return firstOf<KafkaProvider>(host, {
    environment: () => Promise.resolve(namedPart(process.env['KAFKA_BROKERS'])),
    docker: async () => (dockerAnswers() ? (await import('./docker.ts')).startKafkaContainer(port) : undefined),
    native,
  });
}

function startMongo(host: Host, port: number): Promise<RunningPart<MongoProvider>> {
  return firstOf<MongoProvider>(host, {
    environment: () => Promise.resolve(namedPart(process.env['MONGODB_URI'])),
    docker: async () => (dockerAnswers() ? (await import('./docker.ts')).startMongoContainer(port) : undefined),
    native: () => startMongoHere(host, port),
  });
}

async function startKafkaHere(
  host: Host,
  port: number,
  nodes: number,
  advertisedPortOf: LocalStackSettings['advertisedPortOf'],
): Promise<NativeKafka> {
  const toolkit = await prepareToolkit(host.log);
  return await NativeKafka.launch(toolkit, {
    nodes,
    port,
    folder: join(host.folder, nodes === 1 ? 'kafka' : `kafka-${nodes}`),
    logFolder: join(host.folder, 'logs'),
    ...(advertisedPortOf === undefined ? {} : { advertisedPortOf }),
  });
}

async function startMongoHere(host: Host, port: number): Promise<RunningPart<MongoProvider>> {
  const mongod = findMongod();
  const folder = join(host.folder, mongod === undefined ? 'mongo-java-server' : 'mongod');
  const logFile = join(host.folder, 'logs', 'mongo.log');
  await stopStaleChild(join(folder, 'pid.json'));
  const address = (at: number): string => `mongodb://127.0.0.1:${at}/?directConnection=true`;
  if (mongod !== undefined) {
    const start = (at: number): ReturnType<typeof startMongod> => startMongod(mongod, { folder, logFile, port: at });
    return await NativePart.launch({ provider: 'mongod', name: 'MongoDB', port, address, start });
  }
  const toolkit = await prepareToolkit(host.log);
  const start = (at: number): ReturnType<typeof startMongod> =>
    startDevelopmentStore(toolkit, { folder, logFile, port: at });
  return await NativePart.launch({ provider: 'mongo-java-server', name: 'MongoDB', port, address, start });
}

function stackOf(running: Running, stop: () => Promise<void>): LocalStack {
  return {
    get kafka() {
      const { address, provider, process } = started(running.kafka, 'kafka');
      return { brokers: address, provider, ...pidOf(process) };
    },
    get mongo() {
      const { address, provider, process } = started(running.mongo, 'mongo');
      return { uri: address, provider, ...pidOf(process) };
    },
    get kafkaNodes() {
      const kafka = started(running.kafka, 'kafka');
      return kafka instanceof NativeKafka ? kafka.nodes : [];
    },
    get kafkaProcess() {
      return owned(started(running.kafka, 'kafka').process);
    },
    get mongoProcess() {
      return owned(started(running.mongo, 'mongo').process);
    },
    restartKafka: () => started(running.kafka, 'kafka').restart(),
    restartMongo: () => started(running.mongo, 'mongo').restart(),
    stop,
  };
}

function pidOf(process: ServiceProcess | undefined): { pid?: number } {
  return process?.pid === undefined ? {} : { pid: process.pid };
}

function started<P>(part: P | undefined, name: Part): P {
  if (part === undefined) {
    throw new LocalStackError('not-started', `${name} is not part of this stack (see the setting \`only\`)`);
  }
  return part;
}

function owned(process: ServiceProcess | undefined): ServiceProcess {
  if (process === undefined) {
    throw new LocalStackError('not-restartable', 'this part was not started by this process');
  }
  return process;
}
