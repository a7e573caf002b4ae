import { readFile } from 'node:fs/promises';
import { Module } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { KafkaEventLog, loadTopicDeclaration, partitionCounts, verifyTopics } from '@assent/event-log';
import type { EventLog, KafkaSettings } from '@assent/event-log';
import type { Connection } from 'mongoose';
import type { DestinationStream, Logger } from 'pino';
import type { Registry } from 'prom-client';
import { BatchConsumers } from './batch-consumers.ts';
import { systemClock } from './clock.ts';
import { ClockCheck } from './clock-check.ts';
import type { ClockWitness } from './clock-check.ts';
import type { Clock } from './clock.ts';
import { fastifyAdapter } from './http-server.ts';
import { randomId } from './identifiers.ts';
import type { NewId } from './identifiers.ts';
import { createLogger, NestLogs } from './logging.ts';
import { createMetricsRegistry } from './metrics.ts';
import { AssemblyError, declaredRoutes } from './routes-audit.ts';
import type { DeclaredRoutes } from './routes-audit.ts';
import type { RuntimeConfig } from './runtime-config.ts';
import { RuntimeModule } from './runtime.module.ts';
import { connectStore, storeTime } from './store.ts';

/** What a service is. */
export interface ServiceOptions {
  /** `consent`, `suppression`, …: names the database, the consumer group, the log lines. */
  name: string;
  config: RuntimeConfig;
  /** The service's table of contents; its providers include one made by `batchConsumers`. */
  module: Type | DynamicModule;
  /** For the API page. */
  title?: string;
  description?: string;
  /** Tests give their own. */
  clock?: Clock;
  /** What the clock is checked against; absent: the store's. */
  clockWitness?: ClockWitness;
  newId?: NewId;
  logDestination?: DestinationStream;
  /** Called when the consumer has ended for good: the process should end too, so that it is started anew. */
  onFatal?: (error: unknown) => void;
}

/** A service put together, with its log and its store connected; nothing listens or consumes yet. */
export interface Assembly {
  app: NestFastifyApplication;
  consumers: BatchConsumers;
  declared: DeclaredRoutes;
  kafka: KafkaSettings;
  log: EventLog;
  db: Connection;
  clock: Clock;
  clockCheck: ClockCheck;
  logger: Logger;
  registry: Registry;
}

/** Names of a service's database and consumer group. */
export const databaseName = ({ name, config }: ServiceOptions): string => `${config.ASSENT_INSTANCE}_${name}`;
export const groupId = ({ name, config }: ServiceOptions): string => `${config.ASSENT_INSTANCE}-${name}`;

/** The service's logger at its configured level. */
export function serviceLogger({ name, config, logDestination }: ServiceOptions): Logger {
  return createLogger({
    name,
    level: config.LOG_LEVEL,
    ...(logDestination === undefined ? {} : { destination: logDestination }),
  });
}

/**
 * Runs `use` on a service put together. What was opened is closed again when anything throws.
 *
 * @throws whatever does not hold: TopicsDifferError and KafkaUnreachableError of the event log, AssemblyError, the
 *   store's errors, and what `use` throws
 */
export async function withAssembly<T>(options: ServiceOptions, use: (assembly: Assembly) => Promise<T>): Promise<T> {
  const logger = serviceLogger(options);
  const closers: (() => Promise<void>)[] = [];
  try {
    return await use(await assemble(options, logger, closers));
  } catch (error) {
    for (const close of closers.reverse()) {
      await close().catch((err: unknown) => {
        logger.warn({ err }, 'could not close after a failure');
      });
    }
    throw error;
  }
}

async function assemble(options: ServiceOptions, logger: Logger, closers: (() => Promise<void>)[]): Promise<Assembly> {
  const { config, name, clock = systemClock } = options;
  const kafka: KafkaSettings = { brokers: config.KAFKA_BROKERS, clientId: groupId(options), logger };
  const log = await connectLog(kafka, config);
  closers.push(() => log.close());
  const db = await connectStore(config.MONGODB_URI, databaseName(options));
  closers.push(() => db.close());
  const registry = createMetricsRegistry(name);
  const witness = options.clockWitness ?? (() => storeTime(db));
  const clockCheck = new ClockCheck({ clock, witness, logger });
  const parts = { log, db, clock, clockCheck, newId: options.newId ?? randomId, logger, config, registry };
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: ServiceRoot, imports: [RuntimeModule.of(parts), options.module] },
    fastifyAdapter(logger),
    { logger: new NestLogs(logger), bodyParser: false, abortOnError: false },
  );
  closers.push(() => app.close());
  const consumers = app.get(BatchConsumers, { strict: false });
  const declared = declaredRoutes(app);
  assertAssembled(declared, consumers);
  return { app, consumers, declared, kafka, log, db, clock, clockCheck, logger, registry };
}

/** The application's root: the runtime and the service beside each other. */
@Module({})
class ServiceRoot {}

async function connectLog(kafka: KafkaSettings, config: RuntimeConfig): Promise<EventLog> {
  const environment = config.NODE_ENV === 'production' ? 'production' : 'local';
  const declaration = loadTopicDeclaration(await readFile(config.ASSENT_TOPICS_FILE, 'utf8'), environment);
  await verifyTopics(kafka, declaration);
  return KafkaEventLog.connect({ ...kafka, topics: partitionCounts(declaration) });
}

/** What the service reads must be what its consumers want: a topic without a handler would never move. */
function assertAssembled(declared: DeclaredRoutes, { topics }: BatchConsumers): void {
  const faults = [
    ...declared.faults,
    ...topics
      .filter((topic) => !declared.topics.includes(topic))
      .map((topic) => `topic ${topic} is wanted, but no @EventPattern reads it`),
    ...declared.topics
      .filter((topic) => !topics.includes(topic))
      .map((topic) => `topic ${topic} is read, but nothing wants it`),
  ];
  if (faults.length > 0) throw new AssemblyError(faults);
}
