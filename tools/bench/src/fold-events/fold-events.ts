import { evolveConsent, initialConsentState, type ConsentState } from '@assent/consent-state';
import { decodeEvent, type LogRecord } from '@assent/contracts';
import type { KafkaEventLog, RecordBatch, TopicPartition } from '@assent/event-log';
import { type Fold, type ProjectedDocument, Projector } from '@assent/projection';
import mongoose, { type Connection } from 'mongoose';
import type { Bench, BenchContext, BenchResult, Comparison } from '../bench.ts';
import { alternate } from '../measure/alternate.ts';
import { CONSENT_TOPIC as TOPIC, ConsentTopic, onStack, partitionsOf } from '../platform/consent-topic.ts';

const SIZES = [10_000, 31_600, 100_000, 316_000, 1_000_000] as const;
/** The size at which the two are compared. */
const COMPARED_AT = 31_600;
/** As many as the consumer hands over at once. */
const RECORDS_PER_BATCH = 500;

interface PersonDocument extends ProjectedDocument {
  readonly tenant: string;
  readonly consent: ConsentState;
}

/** The consent fold alone, one document per person. */
const personFold: Fold<PersonDocument> = {
  collection: 'people',
  topics: [TOPIC],
  idsOf: ({ data }) => ('subjectId' in data && typeof data.subjectId === 'string' ? [data.subjectId] : []),
  evolve: (document, event, id) => ({
    ...(document ?? { _id: id, tenant: event.tenant }),
    consent: evolveConsent(document?.consent ?? initialConsentState, event),
  }),
};

export const foldEvents: Bench = {
  name: 'fold-events',
  measures:
    'A consent stream read from Kafka, validated, folded by the consent fold and written guarded with checkpoints by libs/projection, beside a bare loop that reads the same records, parses their JSON and writes the same documents with one unguarded bulkWrite a batch.',
  run: (context) =>
    onStack(context, ({ stack, log, engines }) => new FoldBench(log, stack.mongo.uri).run(context, engines)),
};

class FoldBench {
  readonly #topic: ConsentTopic;
  #databases = 0;

  constructor(
    private readonly log: KafkaEventLog,
    private readonly mongoUri: string,
  ) {
    this.#topic = new ConsentTopic(log);
  }

  async run(context: BenchContext, engines: string): Promise<BenchResult> {
    const points: [number, number][] = [];
    const comparisons: Comparison[] = [];
    for (const size of context.isTrial ? [2_000, 4_000] : SIZES) {
      context.progress(`growth: ${size} events`);
      await this.#topic.growTo(size);
      if (size === (context.isTrial ? 2_000 : COMPARED_AT)) comparisons.push(await this.#compare(context, size));
      points.push([size, await this.#inDatabase((db) => this.#project(db))]);
    }
    return {
      comparisons,
      figures: [],
      curves: [{ title: 'Time to fold', x: 'events', y: 'seconds', series: [{ label: 'Projector', points }] }],
      notes: [
        `${engines}. Both sides read through the same client; the bare one knows the documents of each batch beforehand, so it neither folds nor loads.`,
        'One run per size of the curve.',
      ],
    };
  }

  async #compare(context: BenchContext, events: number): Promise<Comparison> {
    const documents = await this.#documentsByBatch();
    const rounds = await alternate(context, `${events} events`, {
      bare: () => this.#inDatabase((db) => this.#bareLoop(db, documents, events)),
      ours: () => this.#inDatabase((db) => this.#project(db)),
    });
    const rate = (seconds: readonly number[]): number[] => seconds.map((value) => events / value);
    return {
      title: `${events} events of ${events / 4} people`,
      unit: 'events/s',
      bare: { label: 'read, parse, bulkWrite', rounds: rate(rounds.bare) },
      ours: { label: 'Projector', rounds: rate(rounds.ours) },
      goal: { atLeast: 0.5 },
    };
  }

  #partitions(): TopicPartition[] {
    return partitionsOf(this.log, TOPIC);
  }

  async *#batches(): AsyncGenerator<RecordBatch> {
    const ends = await this.log.endOffsets(this.#partitions());
    for (const partition of this.#partitions()) {
      const end = ends.get(`${partition.topic}/${partition.partition}`) ?? 0;
      let waiting: LogRecord[] = [];
      for await (const records of this.log.read(partition, 0, end)) {
        waiting.push(...records);
        for (; waiting.length >= RECORDS_PER_BATCH; waiting = waiting.slice(RECORDS_PER_BATCH)) {
          yield batchOf(partition, waiting.slice(0, RECORDS_PER_BATCH));
        }
      }
      if (waiting.length > 0) yield batchOf(partition, waiting);
    }
  }

  async #inDatabase(work: (db: Connection) => Promise<number>): Promise<number> {
    this.#databases += 1;
    const db = await mongoose.createConnection(this.mongoUri, { dbName: `bench_${this.#databases}` }).asPromise();
    try {
      return await work(db);
    } finally {
      await db.dropDatabase();
      await db.close();
    }
  }

  /** Seconds. */
  async #project(db: Connection): Promise<number> {
    const silent = { info: () => undefined, warn: () => undefined };
    const clock = { now: () => Date.now() };
    const projector = new Projector({ db, projection: 'bench', folds: [personFold], logger: silent, clock });
    await projector.init();
    await projector.take(this.#partitions());
    const beganAt = performance.now();
    for await (const batch of this.#batches()) await projector.apply(batch);
    return (performance.now() - beganAt) / 1_000;
  }

  /** Seconds. */
  async #bareLoop(db: Connection, documents: readonly (readonly PersonDocument[])[], events: number): Promise<number> {
    const people = db.collection<PersonDocument>('people');
    const beganAt = performance.now();
    let at = 0;
    let parsed = 0;
    for await (const { records } of this.#batches()) {
      for (const { value } of records) {
        const data = JSON.parse(Buffer.from(value ?? []).toString('utf8')) as { subjectId?: string };
        if (data.subjectId !== undefined) parsed += 1;
      }
      const writes = (documents[at] ?? []).map((replacement) => ({
        replaceOne: { filter: { _id: replacement._id }, replacement, upsert: true },
      }));
      await people.bulkWrite(writes, { ordered: false, writeConcern: { w: 'majority', journal: true } });
      at += 1;
    }
    if (parsed < events || at !== documents.length) throw new Error('the bare loop did not read every event');
    return (performance.now() - beganAt) / 1_000;
  }

  /** What the bare loop writes: the documents as they stand after each batch. */
  async #documentsByBatch(): Promise<PersonDocument[][]> {
    const people = new Map<string, PersonDocument>();
    const byBatch: PersonDocument[][] = [];
    for await (const { records } of this.#batches()) {
      const touched = new Set<string>();
      for (const event of records.map(decodeEvent)) {
        for (const id of personFold.idsOf(event)) {
          const document = personFold.evolve(people.get(id), event, id);
          if (document !== undefined) people.set(id, document);
          touched.add(id);
        }
      }
      byBatch.push([...touched].flatMap((id) => people.get(id) ?? []));
    }
    return byBatch;
  }
}

function batchOf(partition: TopicPartition, records: readonly LogRecord[]): RecordBatch {
  return { ...partition, records, epoch: 0, heartbeat: () => Promise.resolve(), isCurrent: () => true };
}
