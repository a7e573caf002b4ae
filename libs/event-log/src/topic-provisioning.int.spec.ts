import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { TopicsDifferError } from './event-log.errors.ts';
import { declaredTopic, kafkaForTests } from './kafka.fixture.ts';
import type { TopicDeclaration } from './topic-declaration.ts';
import { provisionTopics, verifyTopics } from './topic-provisioning.ts';

jest.setTimeout(30_000);

describe('provisioning topics on Kafka', () => {
  const settings = kafkaForTests();
  const declaration = (): TopicDeclaration => {
    const run = randomUUID();
    return [declaredTopic(`${run}.wide`, 12), declaredTopic(`${run}.narrow`, 1)];
  };

  it('creates what is declared, so that it verifies', async () => {
    const topics = declaration();
    await expect(provisionTopics(settings, topics)).resolves.toEqual(topics.map(({ name }) => name));
    await expect(verifyTopics(settings, topics)).resolves.toBeUndefined();
  });

  it('may run again and at the same time', async () => {
    const topics = declaration();
    await Promise.all([provisionTopics(settings, topics), provisionTopics(settings, topics)]);
    await expect(provisionTopics(settings, topics)).resolves.toEqual([]);
    await expect(verifyTopics(settings, topics)).resolves.toBeUndefined();
  });

  it('never changes what exists', async () => {
    const [wide, narrow] = declaration();
    await provisionTopics(settings, [wide!]);
    await provisionTopics(settings, [{ ...wide!, partitions: 24 }, narrow!]);
    await expect(verifyTopics(settings, [wide!, narrow!])).resolves.toBeUndefined();
  });

  it('lists every difference in one error, with what to do', async () => {
    const [wide, narrow] = declaration();
    await provisionTopics(settings, [wide!]);
    const other = {
      ...wide!,
      partitions: 24,
      replicationFactor: 3,
      config: { ...wide!.config, 'message.timestamp.type': 'CreateTime', 'retention.ms': '7' },
    };
    const error = await verifyTopics(settings, [other, narrow!]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TopicsDifferError);
    const { differences, message, code } = error as TopicsDifferError;
    expect(code).toBe('topics-differ');
    expect(differences).toHaveLength(5);
    for (const difference of differences) expect(message).toContain(difference);
    expect(differences.join('\n')).toMatch(/narrow does not exist: create it/);
    expect(differences.join('\n')).toMatch(/wide has 12 partitions, declared are 24: partitions are fixed for life/);
    expect(differences.join('\n')).toMatch(/wide has partitions with 1 replicas, declared are 3: reassign/);
    expect(differences.join('\n')).toMatch(
      /message.timestamp.type=LogAppendTime, declared is CreateTime: kafka-configs/,
    );
    expect(differences.join('\n')).toMatch(/retention.ms=-1, declared is 7: kafka-configs --alter/);
  });

  it('says which broker it cannot reach', async () => {
    const nobody = { ...settings, brokers: ['127.0.0.1:1'] };
    await expect(verifyTopics(nobody, declaration())).rejects.toMatchObject({ code: 'kafka-unreachable' });
  });
});
