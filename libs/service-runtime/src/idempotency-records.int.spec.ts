import { randomBytes } from 'node:crypto';
import type { NewRecord, Position } from '@assent/contracts';
import { AppendError, InMemoryEventLog } from '@assent/event-log';
import { createConnection } from 'mongoose';
import type { Connection } from 'mongoose';
import { IDEMPOTENCY_KEPT_MS, IdempotencyRecords } from './idempotency-records.ts';
import type { WriteDecision, WriteRequest } from './idempotency-records.ts';

const planted = '+15550100123';
const utf8 = new TextEncoder();

/** A log that can fail before or after it took the records. */
class FailingLog extends InMemoryEventLog {
  failure: 'none' | 'before' | 'after' = 'none';
  appended: { value: string; urgent: boolean }[] = [];

  override async append(records: readonly NewRecord[], options: { urgent?: boolean } = {}): Promise<Position[]> {
    if (this.failure === 'before') throw new AppendError('append-failed', 'not acknowledged');
    const positions = await super.append(records);
    this.appended.push(
      ...records.map(({ value }) => ({ value: Buffer.from(value).toString(), urgent: options.urgent === true })),
    );
    if (this.failure === 'after') throw new AppendError('append-failed', 'not acknowledged');
    return positions;
  }
}

let db: Connection;
let log: FailingLog;
let nowMs: number;
let writes: IdempotencyRecords;
let decided: number;

const record = (text: string): NewRecord => ({
  topic: 'consent.events',
  key: 'subject-1',
  headers: [{ name: 'ce_id', value: utf8.encode('é') }],
  value: utf8.encode(text),
});

/** Every decision is another one: a repeat that decided again would show. */
const decide = (): Promise<WriteDecision> => {
  decided += 1;
  return Promise.resolve({
    records: [record(`fact ${String(decided)}`)],
    status: 201,
    answer: { id: decided, 'a.b': { $c: 1 } },
  });
};

const request = (more: Partial<WriteRequest> = {}): WriteRequest => ({
  tenant: 'acme',
  route: 'POST /v1/things',
  key: 'key-1',
  body: { a: 1, b: planted },
  ...more,
});

beforeAll(async () => {
  db = await createConnection(process.env['MONGODB_URI'] ?? '', {
    dbName: `idempotency_${randomBytes(4).toString('hex')}`,
  }).asPromise();
});
afterAll(async () => {
  await db.dropDatabase();
  await db.close();
});
beforeEach(async () => {
  await db.collection('idempotency_records').deleteMany({});
  log = new FailingLog({ topics: { 'consent.events': 2 }, clock: { now: () => nowMs } });
  nowMs = Date.UTC(2026, 2, 1);
  writes = new IdempotencyRecords(db, log, { now: () => nowMs, monotonicMs: () => 0 });
  await writes.init();
  decided = 0;
});

describe('a write without a key', () => {
  it('is decided and appended each time and leaves no record', async () => {
    await writes.run(request({ key: undefined }), decide);
    const again = await writes.run(request({ key: undefined, urgent: true }), decide);
    expect(again).toMatchObject({
      status: 201,
      answer: { id: 2, position: expect.stringMatching(/^consent\.events\/[01]@1$/) as string },
    });
    expect(log.appended).toEqual([
      { value: 'fact 1', urgent: false },
      { value: 'fact 2', urgent: true },
    ]);
    expect(await db.collection('idempotency_records').countDocuments()).toBe(0);
  });
});

describe('a write with a key', () => {
  it('is decided once; its repeat appends the same bytes and gets the first answer', async () => {
    const first = await writes.run(request(), decide);
    const repeat = await writes.run(request({ body: { b: planted, a: 1 } }), decide);
    expect(repeat).toEqual(first);
    expect(first.answer).toEqual({ id: 1, 'a.b': { $c: 1 }, position: expect.any(String) as string });
    expect(log.appended.map(({ value }) => value)).toEqual(['fact 1', 'fact 1']);
  });

  it('stands apart by tenant and by route', async () => {
    await writes.run(request(), decide);
    await writes.run(request({ tenant: 'other' }), decide);
    await writes.run(request({ route: 'POST /v1/others' }), decide);
    expect(decided).toBe(3);
  });

  it.each(['before', 'after'] as const)(
    'that was cut off %s the log took it appends the first decision when it is repeated',
    async (failure) => {
      log.failure = failure;
      await expect(writes.run(request(), decide)).rejects.toThrow(AppendError);
      log.failure = 'none';
      expect((await writes.run(request(), decide)).answer).toMatchObject({ id: 1 });
      expect(new Set(log.appended.map(({ value }) => value))).toEqual(new Set(['fact 1']));
    },
  );

  it('leaves nothing behind when its decision is a refusal', async () => {
    await expect(writes.run(request(), () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    expect(await db.collection('idempotency_records').countDocuments()).toBe(0);
    expect((await writes.run(request(), decide)).status).toBe(201);
  });

  it('is one write when it comes many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => writes.run(request(), decide)));
    expect(new Set(answers.map(({ answer }) => answer['id'])).size).toBe(1);
    expect(new Set(log.appended.map(({ value }) => value)).size).toBe(1);
    expect(await db.collection('idempotency_records').countDocuments()).toBe(1);
  });

  it('is refused with 409 when the body is another one, also when both come at once', async () => {
    const outcomes = await Promise.allSettled([
      writes.run(request(), decide),
      writes.run(request({ body: { a: 2 } }), decide),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(writes.run(request({ body: { a: 3 } }), decide)).rejects.toMatchObject({
      status: 409,
      code: 'idempotency-key-reused',
    });
    expect(new Set(log.appended.map(({ value }) => value)).size).toBe(1);
  });

  it.each(['', 'a b', 'é', 'x'.repeat(256)])('is refused with 400 when the key is unusable: %.10s', async (key) => {
    await expect(writes.run(request({ key }), decide)).rejects.toMatchObject({
      status: 400,
      code: 'invalid-idempotency-key',
    });
  });

  it('is refused with 413 when it is more than a record holds, before anything is stored', async () => {
    const many = (): Promise<WriteDecision> =>
      Promise.resolve({ records: Array.from({ length: 101 }, () => record('x')), status: 201, answer: {} });
    await expect(writes.run(request(), many)).rejects.toMatchObject({ status: 413, code: 'facts-too-large' });
    expect(await db.collection('idempotency_records').countDocuments()).toBe(0);
  });

  it('keeps neither the key nor the body', async () => {
    await writes.run(request({ key: `order-${planted}` }), decide);
    const stored = JSON.stringify(await db.collection('idempotency_records').find().toArray());
    expect(stored).not.toContain('15550100123');
    expect(stored).not.toContain('order-');
  });
});

describe('a withdrawal', () => {
  const withdrawal = (body: unknown, key = 'key-1'): WriteRequest =>
    request({ body, key, conflictIsNewFact: true, urgent: true });

  it('with another body under a known key is a new fact, which itself can be repeated', async () => {
    await writes.run(withdrawal({ a: 1 }), decide);
    const second = await writes.run(withdrawal({ a: 2 }), decide);
    expect(await writes.run(withdrawal({ a: 2 }), decide)).toEqual(second);
    expect(await writes.run(withdrawal({ a: 1 }), decide)).toMatchObject({ answer: { id: 1 } });
    expect(log.appended.map(({ value }) => value)).toEqual(['fact 1', 'fact 2', 'fact 2', 'fact 1']);
    expect(log.appended.every(({ urgent }) => urgent)).toBe(true);
  });

  it('is not refused for its key', async () => {
    expect((await writes.run(withdrawal({ a: 1 }, `ä ${'x'.repeat(1_000)}`), decide)).status).toBe(201);
  });
});

describe('the sweep', () => {
  it('forgets keys after their time and no earlier', async () => {
    await writes.run(request({ key: 'old' }), decide);
    nowMs += IDEMPOTENCY_KEPT_MS;
    await writes.run(request({ key: 'new' }), decide);
    expect(await writes.sweep()).toBe(0);
    nowMs += 1;
    expect(await writes.sweep()).toBe(1);
    await writes.run(request({ key: 'new' }), decide);
    expect(decided).toBe(2);
  });
});
