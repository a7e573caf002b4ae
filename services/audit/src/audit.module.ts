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
import { readFile } from 'node:fs/promises';
import { Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { Witnesses } from './ask-witnesses/witnesses.ts';
import { AuditMetrics } from './audit-metrics.ts';
import { AuditStreamsConsumer } from './audit-streams.consumer.ts';
import { BundleProofsController } from './bundle-proofs/bundle-proofs.controller.ts';
import { BundleProofsHandler } from './bundle-proofs/bundle-proofs.query.ts';
import type { AuditConfig } from './config.ts';
import { dispatchHistoryFold } from './explain-dispatch/dispatch-history.projection.ts';
import { ExplainDispatchController } from './explain-dispatch/explain-dispatch.controller.ts';
import { ExplainDispatchHandler } from './explain-dispatch/explain-dispatch.query.ts';
import { ExportLogsHandler } from './export-logs/export-logs.command.ts';
import { ExportLogsController } from './export-logs/export-logs.controller.ts';
import { IssueReceiptController } from './issue-receipts/issue-receipt.controller.ts';
import { IssueReceiptHandler } from './issue-receipts/issue-receipt.query.ts';
import { FolderLogStore } from './merkle-logs/folder-log-store.ts';
import { KeyRing } from './merkle-logs/key-ring.ts';
import { readSuccession } from './merkle-logs/key-succession.ts';
import { LogKey, type LogKeys } from './merkle-logs/log-key.ts';
import type { LogStore } from './merkle-logs/log-store.ts';
import { PublishedLogs } from './merkle-logs/published-logs.ts';
import type { LogSurroundings } from './merkle-logs/topic-log.ts';
import { ProveRecordsController } from './prove-records/prove-records.controller.ts';
import { ProveConsistencyHandler, ProveInclusionHandler } from './prove-records/prove-records.query.ts';
import { WriteBindingProofHandler, WriteInclusionProofHandler } from './prove-records/write-proof-files.query.ts';
import { EntryRetention } from './prune-entries/entry-retention.ts';
import { AuditLogs } from './record-leaves/audit-logs.ts';
import { FollowedTopics } from './record-leaves/followed-topics.ts';
import { eventPositionsFold, keyedRecordsFold } from './record-positions/record-positions.projection.ts';
import { ReadFolderFileHandler } from './serve-tiles/read-folder-file.query.ts';
import { ServeTilesController } from './serve-tiles/serve-tiles.controller.ts';
import { ReadTileHandler } from './serve-tiles/read-tile.query.ts';
import { ShowLogsController } from './show-logs/show-logs.controller.ts';
import { ShowLogsHandler } from './show-logs/show-logs.query.ts';
import { CheckpointSigner } from './sign-checkpoints/checkpoint-signer.ts';
import { AUDIT_PROJECTOR, LOG_STORE, LOG_SURROUNDINGS, WITNESSES } from './tokens.ts';

/** Unsigned for longer than this, ms, the service counts as not ready: twenty times the usual half second. */
const UNSIGNED_MS_MAX = 10_000;

/** What audit knows (the logs) and does (record, sign, have witnessed, serve, prove, explain, prune, export). */
@Module({
  imports: [CqrsModule.forRoot()],
  controllers: [
    ServeTilesController,
    ShowLogsController,
    ProveRecordsController,
    ExplainDispatchController,
    ExportLogsController,
    BundleProofsController,
    IssueReceiptController,
    AuditStreamsConsumer,
  ],
  providers: [
    ReadTileHandler,
    ShowLogsHandler,
    ProveInclusionHandler,
    ProveConsistencyHandler,
    ExplainDispatchHandler,
    ExportLogsHandler,
    ReadFolderFileHandler,
    WriteInclusionProofHandler,
    WriteBindingProofHandler,
    BundleProofsHandler,
    IssueReceiptHandler,
    projectorProvider(AUDIT_PROJECTOR, {
      projection: 'audit.read-models.v2',
      folds: [dispatchHistoryFold, eventPositionsFold, keyedRecordsFold],
    }),
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
        key: await loadKeys(store, config),
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
      inject: [LOG_SURROUNDINGS, AuditMetrics],
      useFactory: (around: LogSurroundings, metrics: AuditMetrics) =>
        new AuditLogs(around, (topic, leaves) => {
          metrics.signed(topic, leaves);
        }),
    },
    {
      provide: PublishedLogs,
      inject: [LOG_SURROUNDINGS, EVENT_LOG],
      useFactory: (around: LogSurroundings, log: EventLog) =>
        new PublishedLogs(around, (topic) => log.partitionCount(topic)),
    },
    {
      provide: WITNESSES,
      inject: [RUNTIME_CONFIG, CLOCK, LOGGER, AuditMetrics],
      useFactory: async (
        { AUDIT_WITNESS_POLICY_FILE: file, AUDIT_WITNESS_INTERVAL_MS: intervalMs }: AuditConfig,
        clock: Clock,
        logger: Logger,
        metrics: AuditMetrics,
      ): Promise<Witnesses | undefined> => {
        if (file === '') return undefined;
        const onOutcome = (witness: string, outcome: string): void => {
          metrics.witnessed(witness, outcome);
        };
        const policy = await readFile(file, 'utf8');
        const witnesses = new Witnesses({ policy, intervalMs, clock, logger, onOutcome });
        metrics.watchQuorum(() => witnesses.withoutQuorumForMs);
        return witnesses;
      },
    },
    {
      provide: EntryRetention,
      inject: [LOG_SURROUNDINGS, EVENT_LOG, CLOCK, RUNTIME_CONFIG],
      useFactory: (
        { store, origin }: LogSurroundings,
        log: EventLog,
        clock: Clock,
        { AUDIT_ENTRY_RETENTION_DAYS: policy }: AuditConfig,
      ) => {
        const days = Object.fromEntries(policy.map((each) => each.split('='))) as Record<string, string>;
        return new EntryRetention({
          store,
          origin,
          days: Object.fromEntries(Object.entries(days).map(([topic, count]) => [topic, Number(count)])),
          partitionCount: (topic) => log.partitionCount(topic),
          now: () => clock.now(),
        });
      },
    },
    {
      provide: CheckpointSigner,
      inject: [
        AuditLogs,
        LOG_SURROUNDINGS,
        Appender,
        EVENT_LOG,
        CLOCK,
        LOGGER,
        RUNTIME_CONFIG,
        EntryRetention,
        WITNESSES,
      ],
      useFactory: (
        logs: AuditLogs,
        around: LogSurroundings,
        appender: Appender,
        log: EventLog,
        clock: Clock,
        logger: Logger,
        { AUDIT_CHECKPOINT_INTERVAL_MS: intervalMs }: AuditConfig,
        retention: EntryRetention,
        witnesses: Witnesses | undefined,
      ) => {
        const partitionCount = (topic: string): number => log.partitionCount(topic);
        const asked = witnesses === undefined ? {} : { witnesses };
        const options = { logs, around, appender, partitionCount, clock, logger, intervalMs, retention, ...asked };
        return new CheckpointSigner(options);
      },
    },
    {
      provide: FollowedTopics,
      inject: [AuditLogs, CheckpointSigner, LOG_SURROUNDINGS, AuditMetrics, Health],
      useFactory: (
        logs: AuditLogs,
        signer: CheckpointSigner,
        around: LogSurroundings,
        metrics: AuditMetrics,
        health: Health,
      ) => {
        const topics = new FollowedTopics(logs, signer, around);
        metrics.watchAge(() => topics.unsignedForMs);
        health.addCheck('auditLog', () => {
          const late = topics.unsignedForMs > UNSIGNED_MS_MAX;
          return Promise.resolve(late ? 'records have been waiting for a signed checkpoint for too long' : undefined);
        });
        return topics;
      },
    },
  ],
})
export class AuditModule {}

/** The present key, and the one that is to follow it where there is one. */
async function loadKeys(store: LogStore, config: AuditConfig): Promise<LogKeys> {
  const { AUDIT_SIGNING_KEY_FILE: file, AUDIT_NEXT_SIGNING_KEY_FILE: nextFile } = config;
  const present = await LogKey.load(file, config.NODE_ENV !== 'production');
  const next = nextFile === '' ? [] : [await LogKey.load(nextFile, false)];
  return new KeyRing([present, ...next], await readSuccession(store));
}
