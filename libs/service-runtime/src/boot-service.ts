import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { KafkaBatchStrategy } from '@assent/event-log';
import { Barrier } from '@assent/projection';
import type { Logger } from 'pino';
import { serveApiDocument } from './api-document.ts';
import { groupId, withAssembly } from './assembly.ts';
import type { Assembly, ServiceOptions } from './assembly.ts';
import { Health } from './health.ts';
import { applyHttpEdge } from './http-edge.ts';
import { Lag } from './lag.ts';
import { measureConsumer } from './metrics.ts';
import { pingStore } from './store.ts';

/** A service that answers and follows its topics. */
export interface RunningService {
  /** `http://127.0.0.1:4001` */
  url: string;
  app: NestFastifyApplication;
  logger: Logger;
  /** The ordered shutdown; repeats await the first. Not bounded in time: `runService` does that. */
  stop: () => Promise<void>;
}

/**
 * Boots a service: checks the topics against their declaration, connects the log and the store, puts the application
 * together, listens, and joins the consumer group.
 *
 * @throws whatever does not hold (TopicsDifferError and KafkaUnreachableError of the event log, AssemblyError, the
 *   store's errors); everything opened so far is closed again
 */
export function bootService(options: ServiceOptions): Promise<RunningService> {
  return withAssembly(options, async (assembly) => {
    const { app, consumers, logger, log, registry } = assembly;
    applyHttpEdge(app, { logger, registry, ...edgeOf(assembly, options) });
    const strategy = connectConsumer(assembly, options);
    serveApiDocument(app, {
      title: options.title ?? `Assent ${options.name}`,
      description: options.description ?? '',
      dtos: assembly.declared.dtos,
    });
    const lag = new Lag(log, consumers, strategy);
    measureConsumer(registry, {
      lag: () => lag.byPartition(),
      states: () => strategy.consumerStatus().partitions.map(({ state }) => state),
    });
    addChecks(assembly, lag, options.config.READY_LAG_MAX);
    await consumers.init();
    await app.listen(options.config.PORT, options.config.HOST);
    await app.startAllMicroservices();
    const service = running(assembly, options.config.SHUTDOWN_DRAIN_MS);
    logger.info({ listens: service.url, topics: consumers.topics }, 'started');
    return service;
  });
}

function edgeOf({ app, log, consumers, clock, clockCheck, declared, logger }: Assembly, { config }: ServiceOptions) {
  const barrier = new Barrier({
    log,
    next: (partitions) => consumers.next(partitions),
    signals: [consumers],
    clock,
    logger,
  });
  return {
    tokens: config.ASSENT_TOKENS,
    rawLimitBytes: declared.rawLimitBytes,
    isStopping: () => app.get(Health).stopping,
    clockCheck,
    minPositions: {
      follows: (topic: string) => consumers.topics.includes(topic),
      partitionCount: (topic: string) => log.partitionCount(topic),
      waitFor: barrier.waitFor.bind(barrier),
    },
  };
}

function connectConsumer(
  { app, kafka, consumers, clock, logger }: Assembly,
  options: ServiceOptions,
): KafkaBatchStrategy {
  const { HOST, PORT } = options.config;
  const strategy = new KafkaBatchStrategy({
    // The port is bound before the group is joined, so no earlier process of this place can live.
    kafka: PORT === 0 ? kafka : { ...kafka, place: `${hostname()}/${HOST}:${String(PORT)}` },
    groupId: groupId(options),
    topics: consumers.topics,
    take: (partitions) => consumers.take(partitions),
    onFatal: (error) => {
      logger.fatal({ err: error }, 'the consumer has ended');
      options.onFatal?.(error);
    },
    logger,
    clock,
  });
  consumers.onLost((partition) => {
    strategy.foundStale(partition);
  });
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  return strategy;
}

function addChecks({ app, db, clockCheck }: Assembly, lag: Lag, lagMax: number): void {
  const health = app.get(Health);
  health.addCheck('kafka', lag.kafkaCheck());
  health.addCheck('consumer', lag.consumerCheck());
  health.addCheck('mongodb', () => pingStore(db));
  health.addCheck('clock', async () => clockReason(await clockCheck.offByMs()));
  health.addCheck('readModels', lag.readModelsCheck(lagMax));
}

function clockReason(offByMs: number): string | undefined {
  return offByMs === 0 ? undefined : `differs from the store's by ${String(offByMs)} ms; set it`;
}

function running(assembly: Assembly, drainMs: number): RunningService {
  const { app, logger } = assembly;
  const { address, port } = app.getHttpServer().address() as { address: string; port: number };
  const host = address.includes(':') ? `[${address}]` : address;
  let stopped: Promise<void> | undefined;
  return { url: `http://${host}:${String(port)}`, app, logger, stop: () => (stopped ??= shutDown(assembly, drainMs)) };
}

/**
 * The one order that loses nothing: not ready; no new requests, running ones finish (their barriers still need the
 * consumer); the service's own workers (`onModuleDestroy`); the consumer finishes its batch and its checkpoint; the log
 * finishes its appends; the store closes last.
 */
async function shutDown({ app, log, db, logger }: Assembly, drainMs: number): Promise<void> {
  app.get(Health).stop();
  logger.info({ step: 'not-ready' }, 'stopping');
  await delay(drainMs);
  await app.getHttpAdapter().close();
  logger.info({ step: 'http-closed' }, 'stopping');
  await app.close();
  logger.info({ step: 'consumer-stopped' }, 'stopping');
  await log.close();
  logger.info({ step: 'log-closed' }, 'stopping');
  await db.close();
  logger.info({ step: 'store-closed' }, 'stopped');
}
