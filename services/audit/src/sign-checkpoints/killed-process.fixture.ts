import { encodeEvent, type LogRecord } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { FolderLogStore } from '../merkle-logs/folder-log-store.ts';
import { LogKey } from '../merkle-logs/log-key.ts';
import { AuditLogs } from '../record-leaves/audit-logs.ts';
import { FollowedTopics } from '../record-leaves/followed-topics.ts';
import { CheckpointSigner } from './checkpoint-signer.ts';

/**
 * A program for tests that kill it: makes logs of topics that are the same every time, as fast as it can, and ends when
 * all their records are signed and bound. Each line of its output is a head that it announced.
 *
 * Arguments: data folder, key file, records of each log.
 */
const PARTITIONS = [
  { topic: 'consent.events', partition: 0 },
  { topic: 'consent.events', partition: 1 },
];
/** Records between two rounds of signing: not a divisor of a tile's width, so that rounds end everywhere in it. */
const BATCH = 37;

const NOW_MS = 1_795_500_000_000;

/** A subject whose key belongs to partition 0 of 2, and one to 1. */
const SUBJECTS = ['6f9619ff-8b86-4d01-b42d-00cf4fc964ff', '00000000-0000-4000-8000-000000000003'];

const EVENTS = SUBJECTS.map((subjectId) => {
  const granted = exampleEvent('consent.granted.v1');
  return encodeEvent('consent.events', {
    ...granted,
    partitionKey: subjectId,
    data: { ...granted.data, subjectId },
  });
});

/** Record `offset` of a topic of these tests. */
export function recordAt(topic: string, partition: number, offset: number): LogRecord {
  const event = EVENTS[partition];
  if (event === undefined) throw new RangeError('there is no such partition');
  const { headers, value } = event;
  return {
    topic,
    partition,
    offset,
    timestampMs: NOW_MS + offset,
    key: Buffer.from(event.key),
    headers,
    value,
  };
}

async function run(folder: string, keyFile: string, recordsOfEach: number): Promise<void> {
  const store = await FolderLogStore.open(folder, NOW_MS);
  const key = await LogKey.load(keyFile, true);
  const clock = { now: () => NOW_MS, monotonicMs: () => 0 };
  const around = { store, key, origin: 'log.example', clock };
  const logs = new AuditLogs(around, () => undefined);
  const signer = new CheckpointSigner({
    logs,
    around,
    appender: {
      append: (events) => {
        for (const { data } of events) process.stdout.write(`${JSON.stringify(data)}\n`);
        return Promise.resolve([]);
      },
    },
    partitionCount: () => PARTITIONS.length,
    clock,
    logger: { warn: (facts, message) => process.stderr.write(`${message} ${JSON.stringify(facts)}\n`) },
    intervalMs: 3_600_000,
  });
  const topics = new FollowedTopics(logs, signer, around);
  await topics.init();
  const taken = await topics.take(PARTITIONS);
  const states = PARTITIONS.map((of) => ({
    ...of,
    ...(taken.get(`${of.topic}/${String(of.partition)}`) ?? { next: 0, epoch: 0 }),
  }));
  process.stdout.write(`${JSON.stringify({ next: states.map(({ next }) => next) })}\n`);
  for (let more = true; more;) {
    more = false;
    for (const state of states) {
      const { topic, partition, epoch, next } = state;
      const count = Math.min(BATCH, recordsOfEach - next);
      const records = Array.from({ length: Math.max(0, count) }, (_, i) => recordAt(topic, partition, next + i));
      await topics.apply({
        topic,
        partition,
        records,
        epoch,
        heartbeat: () => Promise.resolve(),
        isCurrent: () => true,
      });
      state.next += records.length;
      more ||= state.next < recordsOfEach;
    }
    await signer.tick();
  }
}

if (process.argv[1] === import.meta.filename) {
  const [folder = '', keyFile = '', records = '0'] = process.argv.slice(2);
  await run(folder, keyFile, Number(records));
}
