import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type AnyEvent, encodeEvent, type LogRecord, topicOf } from '@assent/contracts';
import { loadTopicDeclaration, type DeclaredTopic } from '@assent/event-log';
import { encodeLeaf, leafHash, TreeBuilder } from '@assent/merkle-log';
import { startTestStack, type TestStack } from '@assent/testing';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { AuditProcess, key, origin } from '../sign-checkpoints/audit-process.fixture.ts';
import { HeadLog } from '../sign-checkpoints/head-log.ts';
import { refillTopic } from './refill-topic.ts';

const TOPICS_FILE = fileURLToPath(new URL('../../../../infra/kafka/topics.yaml', import.meta.url));

/** Roots of a topic's partitions, recomputed from its records. */
function rootsOf(records: readonly LogRecord[]): Record<string, string> {
  const trees = new Map<number, TreeBuilder>();
  for (const record of records) {
    const tree = trees.get(record.partition) ?? new TreeBuilder();
    trees.set(record.partition, tree);
    tree.append(leafHash(encodeLeaf(record)));
  }
  return Object.fromEntries([...trees].map(([p, tree]) => [p, Buffer.from(tree.root()).toString('hex')]));
}

/** The logs of a topic, as the audit service makes them of its records. */
async function logsOf(topic: string, partitions: number, records: readonly LogRecord[]): Promise<MemoryLogStore> {
  const store = new MemoryLogStore();
  await HeadLog.take(store, key, origin);
  const audit = new AuditProcess(store);
  await audit.take(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
  for (const record of records) await audit.applyRecords([record]);
  await audit.signer.tick();
  return store;
}

describe('a topic that Kafka has lost', () => {
  let stack: TestStack;
  let lost: LogRecord[];
  let store: MemoryLogStore;
  let topic: DeclaredTopic;
  const kafka = () => ({ brokers: stack.env.KAFKA_BROKERS.split(','), clientId: 'refill' });

  beforeAll(async () => {
    const declaration = loadTopicDeclaration(await readFile(TOPICS_FILE, 'utf8'));
    topic = declaration.find(({ name }) => name === 'suppression.events')!;
    const before = await startTestStack();
    const events = Array.from({ length: 60 }, () => exampleEvent('suppression.cause-added.v1')) as AnyEvent[];
    await before.log.append(
      events.map((event, i) => {
        const record = encodeEvent(topicOf(event.type), event);
        // One value is too large for an entry, and kept beside the log.
        const value = i === 7 ? Buffer.alloc(70_000, 120) : record.value;
        return { ...record, value, partition: i % 5 };
      }),
    );
    lost = await before.records('suppression.events');
    await before.stop();
    store = await logsOf(topic.name, topic.partitions, lost);
    stack = await startTestStack();
  }, 120_000);

  afterAll(() => stack.stop());

  it('is filled again from the audit log: the same records at the same offsets and times, the same roots', async () => {
    expect(await refillTopic({ store, origin, kafka: kafka(), topic })).toBe(60);
    const back = await stack.records('suppression.events');
    expect(rootsOf(back)).toEqual(rootsOf(lost));
    expect(back.map(({ partition, offset, timestampMs }) => [partition, offset, timestampMs])).toEqual(
      lost.map(({ partition, offset, timestampMs }) => [partition, offset, timestampMs]),
    );
  }, 60_000);

  it('takes the broker’s time again afterwards, and is not filled twice', async () => {
    const [position] = await stack.log.append([
      encodeEvent(topic.name as 'suppression.events', exampleEvent('suppression.cause-added.v1')),
    ]);
    const last = (await stack.records('suppression.events')).find(
      ({ partition, offset }) => partition === position!.partition && offset === position!.offset,
    );
    expect(last!.timestampMs).toBeGreaterThan(lost.at(-1)!.timestampMs);
    await expect(refillTopic({ store, origin, kafka: kafka(), topic })).rejects.toMatchObject({
      code: 'topic-not-restorable',
    });
  }, 60_000);

  it('is not filled from a log that is damaged, pruned, or keeps hashes only', async () => {
    const refill = (changed: MemoryLogStore, name = topic.name) =>
      refillTopic({ store: changed, origin, kafka: kafka(), topic: { ...topic, name } });
    await expect(refill(store, 'dispatch.requests')).rejects.toMatchObject({ code: 'topic-not-refillable' });
    const damaged = store.copy();
    const [path] = [...damaged.objects.keys()].filter((name) => name.includes('/tile/entries/'));
    const entries = Buffer.from(damaged.objects.get(path!)!);
    entries[entries.length - 3] = entries[entries.length - 3]! ^ 1;
    damaged.objects.set(path!, entries);
    await expect(refill(damaged)).rejects.toMatchObject({ code: 'log-damaged' });
    const inbound = Array.from({ length: 300 }, (_, offset) => ({
      ...lost[0]!,
      topic: 'whatsapp.inbound',
      partition: 0,
      offset,
    }));
    const pruned = await logsOf('whatsapp.inbound', 1, inbound);
    pruned.objects.delete('public/logs/whatsapp.inbound/0/tile/entries/000');
    await expect(refill(pruned, 'whatsapp.inbound')).rejects.toMatchObject({ code: 'log-incomplete' });
    const late = await logsOf('whatsapp.inbound', 1, inbound.slice(7));
    await expect(refill(late, 'whatsapp.inbound')).rejects.toMatchObject({ code: 'log-incomplete' });
    const valueless = store.copy();
    for (const name of valueless.objects.keys()) if (name.includes('/value/')) valueless.objects.delete(name);
    await expect(refill(valueless)).rejects.toMatchObject({ code: 'log-damaged' });
  });
});
