import { randomBytes, randomUUID } from 'node:crypto';
import type { LogRecord, NewRecord } from '@assent/contracts';
import { AppendError } from './event-log.errors.ts';
import type { EventLog, TopicPartition } from './event-log.ts';
import { RECORD_BYTES_MAX } from './log-record.ts';
import { partitionOfKey } from './murmur2.ts';

export interface EventLogUnderTest {
  /** An empty topic with four partitions that nobody else uses. */
  readonly topic: string;
  readonly log: EventLog;
  close(): Promise<void>;
}

/** The promises of the `EventLog` port as tests; every implementation runs them. */
export function describeEventLogContract(name: string, open: () => Promise<EventLogUnderTest>): void {
  describe(`the event log contract, kept by ${name}`, () => {
    let log: EventLog;
    let topic: string;
    let opened: EventLogUnderTest;

    beforeEach(async () => {
      opened = await open();
      ({ log, topic } = opened);
    });
    afterEach(() => opened.close());

    const record = (key: string, value = `value of ${key}`): NewRecord => ({
      topic,
      key,
      headers: [],
      value: Buffer.from(value),
    });
    const readAll = async (partition: number, from = 0): Promise<LogRecord[]> => {
      const end = (await log.endOffsets([{ topic, partition }])).get(`${topic}/${partition}`) ?? 0;
      return collect(log.read({ topic, partition }, from, end));
    };
    const everyPartition = (): TopicPartition[] => [0, 1, 2, 3].map((partition) => ({ topic, partition }));

    describe('append', () => {
      it('answers one position per record, in the order given', async () => {
        const keys = Array.from({ length: 40 }, () => randomUUID());
        const positions = await log.append(keys.map((key) => record(key)));
        const found = await Promise.all(positions.map(async (at) => collect(log.read(at, at.offset, at.offset + 1))));
        expect(found.map(([one]) => text(one?.key))).toEqual(keys);
      });

      it('keeps key, value and headers byte for byte, repeated headers in their order', async () => {
        const headers = [
          { name: 'ce_id', value: Buffer.from('1') },
          { name: 'trace', value: Buffer.from([0xff, 0x00, 0x80]) },
          { name: 'trace', value: Buffer.from('second') },
          { name: 'constructor', value: Buffer.from('not a member of Object') },
          { name: '__proto__', value: Buffer.from('neither is this') },
          { name: 'empty', value: Buffer.alloc(0) },
        ];
        const value = Buffer.from([0x00, 0x7b, 0xff, 0x0a]);
        const [at] = await log.append([{ topic, key: 'Zürich', headers, value }]);
        const [found] = await collect(log.read(at!, at!.offset, at!.offset + 1));
        expect(text(found?.key)).toBe('Zürich');
        expect(Buffer.from(found?.value ?? [])).toEqual(value);
        expect(found?.headers.map((header) => ({ ...header, value: Buffer.from(header.value) }))).toEqual(headers);
        expect(found).toMatchObject({ topic, partition: at?.partition, offset: at?.offset });
      });

      it('stamps recorded time in epoch milliseconds, never going back within a partition', async () => {
        for (let call = 0; call < 3; call += 1) await log.append([{ ...record('a'), partition: 1 }]);
        const stamps = (await readAll(1)).map(({ timestampMs }) => timestampMs);
        expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
        expect(new Date(stamps[0]!).getUTCFullYear()).toBeGreaterThan(2024);
      });

      it('places a key by murmur2 and a record with a partition there', async () => {
        const [byKey, given] = await log.append([record('a subject'), { ...record('a subject'), partition: 2 }]);
        expect(byKey?.partition).toBe(partitionOfKey('a subject', 4));
        expect(log.partitionFor(topic, 'a subject')).toBe(byKey?.partition);
        expect(given?.partition).toBe(2);
      });

      it('keeps the order of one call within each partition', async () => {
        const values = Array.from({ length: 300 }, (_, index) => String(index));
        await log.append(values.map((value) => ({ ...record('same', value), partition: 3 })));
        expect((await readAll(3)).map(({ value }) => text(value))).toEqual(values);
      });

      it('gives every record of concurrent calls a position of its own, at which it stands', async () => {
        const calls = Array.from({ length: 60 }, (_, call) => Array.from({ length: 5 }, (_, at) => `${call}-${at}`));
        const answers = await Promise.all(
          calls.map((keys, call) =>
            log.append(
              keys.map((key) => record(key)),
              { urgent: call % 3 === 0 },
            ),
          ),
        );
        const stored = new Map<string, string>();
        for (const { partition } of everyPartition()) {
          for (const { offset, key } of await readAll(partition)) stored.set(`${partition}@${offset}`, text(key));
        }
        expect(stored.size).toBe(300);
        answers.forEach((positions, call) => {
          expect(positions.map(({ partition, offset }) => stored.get(`${partition}@${offset}`))).toEqual(calls[call]);
        });
      });

      it('is visible in the end offsets as soon as it has resolved', async () => {
        for (let round = 0; round < 20; round += 1) {
          const [at] = await log.append([record(randomUUID())]);
          const ends = await log.endOffsets([at!]);
          expect(ends.get(`${topic}/${at!.partition}`)).toBeGreaterThan(at!.offset);
        }
      });

      it('resolves to nothing for no records', async () => {
        await expect(log.append([])).resolves.toEqual([]);
      });

      it('refuses a record that is too large, and the whole call with it', async () => {
        const large = { ...record('large'), value: Buffer.alloc(RECORD_BYTES_MAX + 1) };
        await expect(log.append([record('small'), large])).rejects.toMatchObject({
          code: 'record-too-large',
          failed: [1],
        });
        const ends = await log.endOffsets(everyPartition());
        expect([...ends.values()]).toEqual([0, 0, 0, 0]);
      });

      it('takes a record of the largest size that is allowed', async () => {
        const value = randomBytes(RECORD_BYTES_MAX - 1_000);
        const [at] = await log.append([{ ...record('large'), value }]);
        const [found] = await collect(log.read(at!, at!.offset, at!.offset + 1));
        expect(value.equals(found?.value ?? Buffer.alloc(0))).toBe(true);
      });

      it.each([
        ['an undeclared topic', { topic: 'no.such.topic' }],
        ['a partition the topic does not have', { partition: 4 }],
        ['a partition that is no integer', { partition: 0.5 }],
      ])('refuses %s', async (_, change) => {
        await expect(log.append([{ ...record('a'), ...change }])).rejects.toMatchObject({ code: 'unknown-partition' });
      });
    });

    describe('read', () => {
      it('yields exactly the offsets in [from, to), in order', async () => {
        await log.append(Array.from({ length: 2_000 }, () => ({ ...record('a'), partition: 0 })));
        const offsets = (await collect(log.read({ topic, partition: 0 }, 3, 1_777))).map(({ offset }) => offset);
        expect(offsets).toEqual(Array.from({ length: 1_774 }, (_, index) => index + 3));
      });

      it('yields nothing for an empty range', async () => {
        await expect(collect(log.read({ topic, partition: 0 }, 5, 5))).resolves.toEqual([]);
      });

      it('may be left early and started again', async () => {
        await log.append(Array.from({ length: 1_200 }, () => ({ ...record('a'), partition: 0 })));
        for await (const batch of log.read({ topic, partition: 0 }, 0, 1_200)) {
          expect(batch[0]?.offset).toBe(0);
          break;
        }
        await expect(collect(log.read({ topic, partition: 0 }, 1_199, 1_200))).resolves.toHaveLength(1);
      });

      it('throws rather than ends early when the log is shorter than asked for', async () => {
        await log.append([{ ...record('a'), partition: 0 }]);
        await expect(collect(log.read({ topic, partition: 0 }, 0, 2))).rejects.toMatchObject({ code: 'read-stalled' });
        await expect(collect(log.read({ topic, partition: 0 }, 7, 9))).rejects.toMatchObject({
          code: 'offset-out-of-range',
        });
      });
    });

    describe('offsets', () => {
      it('names the next offset and the oldest one of each partition asked for', async () => {
        await log.append(Array.from({ length: 7 }, () => ({ ...record('a'), partition: 1 })));
        const asked = [0, 1].map((partition) => ({ topic, partition }));
        expect(await log.endOffsets(asked)).toEqual(
          new Map([
            [`${topic}/0`, 0],
            [`${topic}/1`, 7],
          ]),
        );
        expect((await log.startOffsets(asked)).get(`${topic}/1`)).toBe(0);
      });

      it('leaves out a partition that cannot answer and answers for the others', async () => {
        const ends = await log.endOffsets([
          { topic, partition: 0 },
          { topic, partition: 99 },
          { topic: 'no.such.topic', partition: 0 },
        ]);
        expect([...ends.keys()]).toEqual([`${topic}/0`]);
      });

      it('knows the number of partitions', () => {
        expect(log.partitionCount(topic)).toBe(4);
        expect(() => log.partitionCount('no.such.topic')).toThrow(AppendError);
      });
    });

    it('refuses everything once it is closed', async () => {
      await log.close();
      await expect(log.append([record('a')])).rejects.toMatchObject({ code: 'closed' });
      await expect(log.endOffsets([{ topic, partition: 0 }])).rejects.toMatchObject({ code: 'closed' });
      await expect(collect(log.read({ topic, partition: 0 }, 0, 1))).rejects.toMatchObject({ code: 'closed' });
    });
  });
}

async function collect(batches: AsyncIterable<readonly LogRecord[]>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const batch of batches) records.push(...batch);
  return records;
}

function text(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}
