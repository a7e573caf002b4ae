import { setTimeout as pause } from 'node:timers/promises';
import { Body, Controller, Get, Inject, Module, Param, Post } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { dataSchemaOf, deterministicId } from '@assent/contracts';
import type { AnyEvent } from '@assent/contracts';
import type { RecordBatch, TopicPartition } from '@assent/event-log';
import { Barrier, Checkpoints } from '@assent/projection';
import type { Checkpoint, Fold, ProjectedDocument } from '@assent/projection';
import {
  Appender, BatchConsumers, batchConsumers, CLOCK, CurrentCaller, DB, Env, EVENT_LOG, IdempotencyKey, IdempotencyRecords, LOGGER, Problem,
  projectorProvider, Public, Roles, RUNTIME_CONFIG, RuntimeConfig,
} from '@assent/service-runtime'; // prettier-ignore
import type { BatchConsumer, Caller, Clock, WriteAnswer } from '@assent/service-runtime';
import type { EventLog } from '@assent/event-log';
import { IsIn, IsString, Matches, MaxLength } from 'class-validator';
import type { Connection } from 'mongoose';
import type { Logger } from 'pino';

/** The smallest service that has everything: it publishes purposes, projects them and reacts to them. */
export class ToyConfig extends RuntimeConfig {
  @Env({ help: 'the port to listen on', default: '4099', as: 'integer' })
  override PORT!: number;

  /** How long the reaction works on each batch, ms. */
  @Env({ help: 'milliseconds', default: '0', as: 'integer' })
  TOY_REACTION_MS!: number;
}

export class PublishPurposeDto {
  @Matches(/^[a-z0-9][a-z0-9-]{0,47}$/)
  purposeId!: string;

  @IsString()
  @MaxLength(100)
  name!: string;

  @IsIn(['marketing', 'utility'])
  category!: 'marketing' | 'utility';
}

type Purpose = Pick<PublishPurposeDto, 'purposeId' | 'name' | 'category'>;

const PROJECTOR = Symbol('PROJECTOR');
const REACTION = Symbol('REACTION');

interface PurposeDocument extends ProjectedDocument {
  name: string;
}

const purposes: Fold<PurposeDocument> = {
  collection: 'purposes',
  topics: ['consent.catalog'],
  idsOf: (event) => (event.type === 'purpose.published.v1' ? [`${event.tenant}/${event.data.purposeId}`] : []),
  evolve: (_document, event, _id) =>
    event.type === 'purpose.published.v1' ? { _id, name: event.data.name } : undefined,
};

/** Follows records slowly, with checkpoints of its own, and fails once at the purpose `fail-once`. */
class SlowReaction implements BatchConsumer {
  readonly topics = ['consent.catalog'];
  readonly #checkpoints: Checkpoints;
  readonly #logger: Logger;
  readonly #pauseMs: number;
  readonly #owned = new Map<number, Checkpoint>();
  #failed = false;

  constructor(db: Connection, logger: Logger, config: ToyConfig) {
    this.#checkpoints = new Checkpoints({ db, reader: 'toy.reaction' });
    this.#logger = logger;
    this.#pauseMs = config.TOY_REACTION_MS;
  }

  async take(partitions: readonly TopicPartition[]): Promise<Map<string, Checkpoint>> {
    const taken = await this.#checkpoints.take(partitions);
    for (const checkpoint of taken) this.#owned.set(checkpoint.partition, checkpoint);
    return new Map(taken.map((checkpoint) => [`${checkpoint.topic}/${String(checkpoint.partition)}`, checkpoint]));
  }

  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.#checkpoints.next(partitions);
  }

  async apply(batch: RecordBatch): Promise<void> {
    const owner = this.#owned.get(batch.partition);
    const last = batch.records.at(-1);
    if (owner === undefined || last === undefined) return;
    if (!this.#failed && batch.records.some(({ value }) => Buffer.from(value ?? []).includes('"fail-once"'))) {
      this.#failed = true;
      throw new TypeError('the reaction fails once');
    }
    this.#logger.info({ records: batch.records.length }, 'reaction began');
    await pause(this.#pauseMs);
    await this.#checkpoints.advance(owner, last.offset + 1);
    this.#logger.info({ records: batch.records.length }, 'reaction done');
  }
}

@Controller('v1/purposes')
class PurposesController {
  constructor(
    @Inject(IdempotencyRecords) private readonly writes: IdempotencyRecords,
    @Inject(Appender) private readonly appender: Appender,
    @Inject(DB) private readonly db: Connection,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @Roles('admin')
  publish(
    @Body() dto: PublishPurposeDto,
    @CurrentCaller() caller: Caller,
    @IdempotencyKey() key: string | undefined,
  ): Promise<WriteAnswer> {
    return this.writes.run({ tenant: caller.tenant, route: 'POST /v1/purposes', key, body: dto }, () => {
      const records = this.appender.encode([
        purposePublished(caller.tenant, dto, new Date(this.clock.now()).toISOString()),
      ]);
      return Promise.resolve({ records, status: 201, answer: { purposeId: dto.purposeId } });
    });
  }

  @Get(':id')
  @Roles('admin', 'auditor')
  async show(@Param('id') id: string, @CurrentCaller() { tenant }: Caller): Promise<object> {
    const found = await this.db.collection<PurposeDocument>('purposes').findOne({ _id: `${tenant}/${id}` });
    if (found === null)
      throw new Problem({
        status: 404,
        code: 'unknown-purpose',
        title: 'No such purpose',
        detail: 'Publish it first.',
      });
    return { purposeId: id, name: found.name };
  }
}

function purposePublished(tenant: string, { purposeId, name, category }: Purpose, time: string): AnyEvent {
  return {
    id: deterministicId('toy', tenant, purposeId, name),
    source: '/toy',
    type: 'purpose.published.v1',
    time,
    tenant,
    partitionKey: purposeId,
    dataSchema: dataSchemaOf('purpose.published.v1'),
    data: { purposeId, name, description: name, category },
  };
}

/** What a test of shutdowns needs: requests that run on, and a worker that ends. */
@Controller('v1')
class SlowController implements OnModuleDestroy {
  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(BatchConsumers) private readonly consumers: BatchConsumers,
  ) {}

  /** Waits, and then for a record appended after that: it needs the consumer to be running still. */
  @Post('slow/:ms')
  @Roles('admin')
  async slow(@Param('ms') ms: string): Promise<{ reached: boolean }> {
    this.logger.info('slow request began');
    await pause(Number(ms));
    const late = { purposeId: 'late', name: 'Late', category: 'utility' as const };
    const event = purposePublished('acme', late, new Date(this.clock.now()).toISOString());
    const positions = await new Appender(this.log).append([event]);
    const barrier = new Barrier({
      log: this.log,
      next: (partitions) => this.consumers.next(partitions),
      clock: this.clock,
    });
    return { reached: await barrier.waitFor(positions, { timeoutMs: 5_000 }) };
  }

  @Get('public')
  @Public()
  open(): object {
    return {};
  }

  onModuleDestroy(): void {
    this.logger.info({ step: 'workers-stopped' }, 'stopping');
  }
}

@Controller()
class ToyStreamsConsumer {
  constructor(@Inject(BatchConsumers) private readonly consumers: BatchConsumers) {}

  @EventPattern(['consent.catalog'])
  apply(@Payload() batch: RecordBatch): Promise<void> {
    return this.consumers.apply(batch);
  }
}

@Module({
  controllers: [PurposesController, SlowController, ToyStreamsConsumer],
  providers: [
    projectorProvider(PROJECTOR, { projection: 'toy.purposes.v1', folds: [purposes] }),
    {
      provide: REACTION,
      inject: [DB, LOGGER, RUNTIME_CONFIG],
      useFactory: (db: Connection, logger: Logger, config: ToyConfig) => new SlowReaction(db, logger, config),
    },
    batchConsumers(PROJECTOR, REACTION),
  ],
})
export class ToyModule {}
