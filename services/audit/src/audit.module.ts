import type { EventLog } from '@assent/event-log';
import {
  Appender,
  batchConsumers,
  type Clock,
  CLOCK,
  EVENT_LOG,
  Health,
  LOGGER,
  METRICS_REGISTRY,
  projectorProvider,
  RUNTIME_CONFIG,
} from '@assent/service-runtime';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { AuditMetrics } from './audit-metrics.ts';
import { AuditStreamsConsumer } from './audit-streams.consumer.ts';
import type { AuditConfig } from './config.ts';
import { dispatchHistoryFold } from './explain-dispatch/dispatch-history.projection.ts';
import { ExplainDispatchController } from './explain-dispatch/explain-dispatch.controller.ts';
import { ExplainDispatchHandler } from './explain-dispatch/explain-dispatch.query.ts';
import { ExportLogsHandler } from './export-logs/export-logs.command.ts';
import { ExportLogsController } from './export-logs/export-logs.controller.ts';
import { FolderLogStore } from './merkle-logs/folder-log-store.ts';
import { LogKey } from './merkle-logs/log-key.ts';
import type { LogStore } from './merkle-logs/log-store.ts';
import { PublishedLogs } from './merkle-logs/published-logs.ts';
import type { LogSurroundings } from './merkle-logs/topic-log.ts';
import { ProveRecordsController } from './prove-records/prove-records.controller.ts';
import { ProveConsistencyHandler, ProveInclusionHandler } from './prove-records/prove-records.query.ts';
import { AuditLogs } from './record-leaves/audit-logs.ts';
import { FollowedTopics } from './record-leaves/followed-topics.ts';
import { ServeTilesController } from './serve-tiles/serve-tiles.controller.ts';
import { ReadTileHandler } from './serve-tiles/read-tile.query.ts';
import { ShowLogsController } from './show-logs/show-logs.controller.ts';
import { ShowLogsHandler } from './show-logs/show-logs.query.ts';
import { CheckpointSigner } from './sign-checkpoints/checkpoint-signer.ts';
import { AUDIT_PROJECTOR, LOG_STORE, LOG_SURROUNDINGS } from './tokens.ts';

/** Unsigned for longer than this, ms, the service counts as not ready: twenty times the usual half second. */
const UNSIGNED_MS_MAX = 10_000;

/** What audit knows (the logs) and does (record, sign, serve, prove, explain, export). */
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [
    ServeTilesController,
    ShowLogsController,
    ProveRecordsController,
    ExplainDispatchController,
    ExportLogsController,
    AuditStreamsConsumer,
  ],
  providers: [
    ReadTileHandler,
    ShowLogsHandler,
    ProveInclusionHandler,
    ProveConsistencyHandler,
    ExplainDispatchHandler,
    ExportLogsHandler,
    projectorProvider(AUDIT_PROJECTOR, { projection: 'audit.read-models.v1', folds: [dispatchHistoryFold] }),
    batchConsumers(FollowedTopics, AUDIT_PROJECTOR),
    {
      provide: LOG_STORE,
      inject: [RUNTIME_CONFIG, CLOCK],
      useFactory: (config: AuditConfig, clock: Clock) => FolderLogStore.open(config.AUDIT_DATA_DIR, clock.now()),
    },
    {
      provide: LOG_SURROUNDINGS,
      inject: [LOG_STORE, RUNTIME_CONFIG, CLOCK],
      useFactory: async (store: LogStore, config: AuditConfig, clock: Clock): Promise<LogSurroundings> => ({
        store,
        key: await LogKey.load(config.AUDIT_SIGNING_KEY_FILE, config.NODE_ENV !== 'production'),
        origin: config.AUDIT_ORIGIN,
        clock,
      }),
    },
    {
      provide: AuditMetrics,
      inject: [METRICS_REGISTRY],
      useFactory: (registry: Registry) => new AuditMetrics(registry),
    },
    {
      provide: AuditLogs,
      inject: [LOG_SURROUNDINGS, AuditMetrics, Health],
      useFactory: (around: LogSurroundings, metrics: AuditMetrics, health: Health) => {
        const logs = new AuditLogs(around, (topic, leaves) => {
          metrics.signed(topic, leaves);
        });
        metrics.watchAge(() => logs.unsignedForMs);
        health.addCheck('auditLog', () => {
          const late = logs.unsignedForMs > UNSIGNED_MS_MAX;
          return Promise.resolve(late ? 'records have been waiting for a signed checkpoint for too long' : undefined);
        });
        return logs;
      },
    },
    {
      provide: PublishedLogs,
      inject: [LOG_SURROUNDINGS, EVENT_LOG],
      useFactory: (around: LogSurroundings, log: EventLog) =>
        new PublishedLogs(around, (topic) => log.partitionCount(topic)),
    },
    {
      provide: CheckpointSigner,
      inject: [AuditLogs, LOG_SURROUNDINGS, Appender, EVENT_LOG, CLOCK, LOGGER, RUNTIME_CONFIG],
      useFactory: (
        logs: AuditLogs,
        around: LogSurroundings,
        appender: Appender,
        log: EventLog,
        clock: Clock,
        logger: Logger,
        { AUDIT_CHECKPOINT_INTERVAL_MS: intervalMs }: AuditConfig,
      ) => {
        const partitionCount = (topic: string): number => log.partitionCount(topic);
        return new CheckpointSigner({ logs, around, appender, partitionCount, clock, logger, intervalMs });
      },
    },
    {
      provide: FollowedTopics,
      inject: [AuditLogs, CheckpointSigner, LOG_SURROUNDINGS],
      useFactory: (logs: AuditLogs, signer: CheckpointSigner, around: LogSurroundings) =>
        new FollowedTopics(logs, signer, around),
    },
  ],
})
export class AuditModule {}
