import { createHash, createHmac } from 'node:crypto';
import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { canonicalJson } from '@assent/contracts';
import type { NewRecord, Position } from '@assent/contracts';
import type { EventLog } from '@assent/event-log';
import { mongo } from 'mongoose';
import type { Connection } from 'mongoose';
import { formatPositions } from './appender.ts';
import type { Clock } from './clock.ts';
import { Problem } from './problem.ts';

/** Longest key that is taken, characters: a UUID or a caller's own reference. */
const KEY_LENGTH_MAX = 255;
/** Most records of one write: far above any call of ours, far below a document's 16 MiB. */
const RECORDS_MAX = 100;
/** Most bytes of values in one write: what MongoDB holds in one document, with room to spare. */
const RECORD_BYTES_MAX = 4_194_304;
/** How long a key is remembered, ms: three days outlast a weekend's retries. */
export const IDEMPOTENCY_KEPT_MS = 3 * 24 * 60 * 60 * 1_000;

const COLLECTION = 'idempotency_records';
const DUPLICATE_KEY = 11_000;

/** The request that a write answers. */
export interface WriteRequest {
  tenant: string;
  /** Method and route template, `POST /v1/consents`: keys of different routes do not meet. */
  route: string;
  /** The caller's `Idempotency-Key`; without one the write is made, and not remembered. */
  key: string | undefined;
  /** The request's body as parsed: JSON, with or without a DTO's class. */
  body: unknown;
  /** For withdrawals: another body under a known key is a new fact instead of a 409, and no key is refused. */
  conflictIsNewFact?: boolean;
  /** The producer kept for withdrawals. */
  urgent?: boolean;
}

/** What a write decided: the facts to append and what the caller hears once they are durable. */
export interface WriteDecision {
  records: readonly NewRecord[];
  /** HTTP status. */
  status: number;
  /** JSON. Kept with the key, so: ids and codes, never an address or a text of a person. */
  answer: Readonly<Record<string, unknown>>;
}

/** The answer of a write. A controller returns it as it is: the runtime sends its status and body. */
export class WriteAnswer {
  readonly status: number;
  /** The decision's answer; `position` is added when facts were appended. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly positions: readonly Position[];

  constructor(decision: Pick<WriteDecision, 'status' | 'answer'>, positions: readonly Position[]) {
    this.status = decision.status;
    this.answer =
      positions.length === 0 ? decision.answer : { ...decision.answer, position: formatPositions(positions) };
    this.positions = positions;
  }
}

interface StoredRecord {
  topic: string;
  key: string;
  partition?: number;
  headers: { name: string; value: mongo.Binary }[];
  value: mongo.Binary;
}

interface StoredWrite {
  _id: string;
  tenant: string;
  route: string;
  /** Keyed with the caller's key, which is not stored: the body cannot be guessed from it. */
  bodyHash: string;
  records: StoredRecord[];
  status: number;
  /** JSON text: names with dots or dollars are no matter then. */
  answer: string;
  storedAtMs: number;
  /** Set once the log has acknowledged the records. */
  positions?: Position[];
}

/**
 * Makes writes repeatable (design: "Idempotency"). The unique document (tenant, route, key) with the body's hash and the
 * exact bytes of the events is stored with majority and journal before the append, so a crash at any point leaves either
 * nothing or a document whose repeat appends the very same facts.
 */
export class IdempotencyRecords {
  readonly #writes: mongo.Collection<StoredWrite>;
  readonly #log: EventLog;
  readonly #clock: Clock;

  constructor(db: Connection, log: EventLog, clock: Clock) {
    if (db.db === undefined) throw new TypeError('the connection to the store is not open');
    this.#writes = db.db.collection<StoredWrite>(COLLECTION, { writeConcern: { w: 'majority', journal: true } });
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Decides and appends, once per key.
   *
   * @param decide runs for a new key only; what it throws leaves no record. Two requests that race may both decide:
   *   one document wins, and both append and answer that one
   * @returns the answer after the facts are durable. A repeat appends the first bytes again (readers take them as the
   *   same facts) and returns the first answer
   * @throws Problem 400 `invalid-idempotency-key`, 409 `idempotency-key-reused`; AppendError, MongoDB's errors: nothing
   *   was acknowledged and the same request may be repeated
   */
  async run(request: WriteRequest, decide: () => Promise<WriteDecision>): Promise<WriteAnswer> {
    if (request.key === undefined) {
      const decision = await decide();
      return new WriteAnswer(decision, await this.#append(decision.records, request));
    }
    const key = checkedKey(request.key, request.conflictIsNewFact === true);
    const bodyHash = hashOfBody(key, request.body);
    const id = idOf(request, key);
    const known = await this.#writes.findOne({ _id: id });
    const write = known ?? (await this.#store(id, request, bodyHash, decide));
    if (write.bodyHash === bodyHash) return this.#answer(write, request);
    if (request.conflictIsNewFact !== true) throw keyReused();
    const derived = idOf(request, key, bodyHash);
    return this.#answer(
      (await this.#writes.findOne({ _id: derived })) ?? (await this.#store(derived, request, bodyHash, decide)),
      request,
    );
  }

  /** Forgets keys older than {@link IDEMPOTENCY_KEPT_MS}. Returns how many. A key that is forgotten is a new one. */
  async sweep(): Promise<number> {
    const { deletedCount } = await this.#writes.deleteMany({
      storedAtMs: { $lt: this.#clock.now() - IDEMPOTENCY_KEPT_MS },
    });
    return deletedCount;
  }

  /** Prepares the index that the sweep reads. */
  async init(): Promise<void> {
    await this.#writes.createIndex({ storedAtMs: 1 }, {}, undefined);
  }

  async #store(
    id: string,
    request: WriteRequest,
    bodyHash: string,
    decide: () => Promise<WriteDecision>,
  ): Promise<StoredWrite> {
    const decision = await decide();
    const { tenant, route } = request;
    const records = decision.records.map(toStored);
    assertStorable(decision.records);
    const write: StoredWrite = {
      _id: id,
      tenant,
      route,
      bodyHash,
      records,
      status: decision.status,
      answer: JSON.stringify(decision.answer),
      storedAtMs: this.#clock.now(),
    };
    try {
      await this.#writes.insertOne(write);
      return write;
    } catch (error) {
      if (!(error instanceof mongo.MongoServerError) || error.code !== DUPLICATE_KEY) throw error;
      const first = await this.#writes.findOne({ _id: id });
      if (first === null) throw error;
      return first;
    }
  }

  async #answer(write: StoredWrite, request: WriteRequest): Promise<WriteAnswer> {
    const appended = await this.#append(write.records.map(fromStored), request);
    const positions = write.positions ?? appended;
    if (write.positions === undefined) await this.#writes.updateOne({ _id: write._id }, { $set: { positions } });
    return new WriteAnswer(
      { status: write.status, answer: JSON.parse(write.answer) as WriteDecision['answer'] },
      positions,
    );
  }

  async #append(records: readonly NewRecord[], { urgent }: WriteRequest): Promise<Position[]> {
    return records.length === 0 ? [] : this.#log.append(records, urgent === true ? { urgent } : {});
  }
}

function checkedKey(key: string, anyKey: boolean): string {
  if (anyKey || (/^[\x21-\x7e]+$/.test(key) && key.length <= KEY_LENGTH_MAX)) return key;
  throw new Problem({
    status: 400,
    code: 'invalid-idempotency-key',
    title: 'The Idempotency-Key is not usable',
    detail: `Send 1 to ${String(KEY_LENGTH_MAX)} visible ASCII characters.`,
  });
}

const keyReused = (): Problem =>
  new Problem({
    status: 409,
    code: 'idempotency-key-reused',
    title: 'The Idempotency-Key belongs to another request',
    detail: 'Use a new key for a new request, or repeat the first body exactly.',
  });

/** The caller's key may itself hold an address, so only a hash of it is kept. Parts are length-prefixed. */
function idOf({ tenant, route }: WriteRequest, ...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of [tenant, route, ...parts]) hash.update(`${String(Buffer.byteLength(part))}:${part}`);
  return hash.digest('base64url');
}

function hashOfBody(key: string, body: unknown): string {
  const plain: unknown = body === undefined ? null : JSON.parse(JSON.stringify(body));
  return createHmac('sha256', key).update(canonicalJson(plain)).digest('base64url');
}

function assertStorable(records: readonly NewRecord[]): void {
  const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
  if (records.length <= RECORDS_MAX && bytes <= RECORD_BYTES_MAX) return;
  throw new Problem({
    status: 413,
    code: 'facts-too-large',
    title: 'The facts are too large',
    detail: 'Send less in one request; nothing was recorded.',
  });
}

const toStored = ({ topic, key, partition, headers, value }: NewRecord): StoredRecord => ({
  topic,
  key,
  ...(partition === undefined ? {} : { partition }),
  headers: headers.map((header) => ({ name: header.name, value: new mongo.Binary(header.value) })),
  value: new mongo.Binary(value),
});

const bytesOf = (binary: mongo.Binary): Uint8Array => Uint8Array.from(binary.value());

const fromStored = ({ topic, key, partition, headers, value }: StoredRecord): NewRecord => ({
  topic,
  key,
  ...(partition === undefined ? {} : { partition }),
  headers: headers.map((header) => ({ name: header.name, value: bytesOf(header.value) })),
  value: bytesOf(value),
});

/** The `Idempotency-Key` of the request, for {@link IdempotencyRecords.run}, which checks it. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined => {
  const key = context.switchToHttp().getRequest<{ headers: Record<string, string | string[] | undefined> }>().headers[
    'idempotency-key'
  ];
  const text = Array.isArray(key) ? key.join(',') : key;
  return text === '' ? undefined : text;
});
