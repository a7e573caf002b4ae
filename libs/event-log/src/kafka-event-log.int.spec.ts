import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { describeEventLogContract } from './event-log.contract.ts';
import { KafkaEventLog } from './kafka-event-log.ts';
import { provisionTopics } from './topic-provisioning.ts';
import { kafkaForTests, declaredTopic } from './kafka.fixture.ts';

jest.setTimeout(30_000);

describeEventLogContract('Kafka', async () => {
  const topic = `contract.${randomUUID()}`;
  const settings = kafkaForTests();
  await provisionTopics(settings, [declaredTopic(topic, 4)]);
  const log = await KafkaEventLog.connect({ ...settings, topics: { [topic]: 4 }, read: { stallMs: 500 } });
  return { log, topic, close: () => log.close() };
});

describe('connecting to Kafka', () => {
  it('tells a missing topic from a missing broker', async () => {
    const missing = { [`missing.${randomUUID()}`]: 4 };
    await expect(KafkaEventLog.connect({ ...kafkaForTests(), topics: missing })).rejects.toMatchObject({
      code: 'topics-differ',
    });
    const nobody = { ...kafkaForTests(), brokers: ['127.0.0.1:1'] };
    await expect(KafkaEventLog.connect({ ...nobody, topics: missing })).rejects.toMatchObject({
      code: 'kafka-unreachable',
    });
  });
});
