import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { EventLog } from '@assent/event-log';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { Appender } from './appender.ts';
import { ClockCheck } from './clock-check.ts';
import type { Clock } from './clock.ts';
import { Health } from './health.ts';
import { IdempotencyRecords } from './idempotency-records.ts';
import type { NewId } from './identifiers.ts';
import { ProbesController } from './probes.controller.ts';
import type { RuntimeConfig } from './runtime-config.ts';
import { CLOCK, DB, EVENT_LOG, LOGGER, METRICS_REGISTRY, NEW_ID, RUNTIME_CONFIG } from './tokens.ts';

/** Time between two sweeps of old idempotency records, ms: they are kept for days, an hour more is no matter. */
const SWEEP_INTERVAL_MS = 3_600_000;

/** What the runtime opens before the application is made. */
export interface RuntimeParts {
  log: EventLog;
  db: Connection;
  clock: Clock;
  clockCheck: ClockCheck;
  newId: NewId;
  logger: Logger;
  config: RuntimeConfig;
  registry: Registry;
}

/** Forgets old idempotency records at boot and every hour. */
class IdempotencySweep implements OnApplicationBootstrap, OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  readonly #records: IdempotencyRecords;
  readonly #logger: Logger;

  constructor(@Inject(IdempotencyRecords) records: IdempotencyRecords, @Inject(LOGGER) logger: Logger) {
    this.#records = records;
    this.#logger = logger;
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#records.init();
    await this.#sweep();
    this.#timer = setInterval(() => void this.#sweep(), SWEEP_INTERVAL_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    try {
      const forgotten = await this.#records.sweep();
      this.#logger.debug({ forgotten }, 'swept idempotency records');
    } catch (error) {
      this.#logger.warn({ err: error }, 'idempotency records could not be swept; the next sweep tries again');
    }
  }
}

/** Gives every module of the service the runtime's parts, by token. */
@Module({})
export class RuntimeModule {
  static of(parts: RuntimeParts): DynamicModule {
    const providers = [
      { provide: EVENT_LOG, useValue: parts.log },
      { provide: DB, useValue: parts.db },
      { provide: CLOCK, useValue: parts.clock },
      { provide: ClockCheck, useValue: parts.clockCheck },
      { provide: NEW_ID, useValue: parts.newId },
      { provide: LOGGER, useValue: parts.logger },
      { provide: RUNTIME_CONFIG, useValue: parts.config },
      { provide: METRICS_REGISTRY, useValue: parts.registry },
      { provide: Health, useValue: new Health(parts.clock) },
      { provide: Appender, useValue: new Appender(parts.log) },
      { provide: IdempotencyRecords, useValue: new IdempotencyRecords(parts.db, parts.log, parts.clock) },
    ];
    return {
      module: RuntimeModule,
      global: true,
      controllers: [ProbesController],
      providers: [...providers, IdempotencySweep],
      exports: providers.map(({ provide }) => provide),
    };
  }
}
