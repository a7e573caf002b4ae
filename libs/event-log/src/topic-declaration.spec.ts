import { readFileSync } from 'node:fs';
import type { TopicDeclarationError } from './event-log.errors.ts';
import { loadTopicDeclaration, partitionCounts } from './topic-declaration.ts';

const declared = readFileSync(new URL('../../../infra/kafka/topics.yaml', import.meta.url), 'utf8');

const FOREVER = '-1';
const days = (count: number) => String(count * 86_400_000);

describe('the declared topics', () => {
  const local = loadTopicDeclaration(declared);
  const production = loadTopicDeclaration(declared, 'production');

  it('are these eight, each with the retention the design gives it', () => {
    expect(Object.fromEntries(local.map(({ name, config }) => [name, config['retention.ms']]))).toEqual({
      'consent.events': FOREVER,
      'consent.catalog': FOREVER,
      'whatsapp.inbound': days(90),
      'suppression.events': FOREVER,
      'dispatch.requests': days(30),
      'dispatch.events': FOREVER,
      'dispatch.policy': FOREVER,
      'audit.checkpoints': FOREVER,
    });
  });

  it('have 12 partitions locally and 96 in production when they are keyed by subject', () => {
    expect(partitionCounts(local)).toEqual({
      'consent.events': 12,
      'consent.catalog': 3,
      'whatsapp.inbound': 12,
      'suppression.events': 12,
      'dispatch.requests': 12,
      'dispatch.events': 12,
      'dispatch.policy': 3,
      'audit.checkpoints': 1,
    });
    expect(partitionCounts(production)).toMatchObject({ 'consent.events': 96, 'consent.catalog': 3 });
  });

  it('survive the loss of a broker in production', () => {
    for (const { replicationFactor, config } of production) {
      expect([replicationFactor, config['min.insync.replicas']]).toEqual([3, '2']);
    }
    for (const { replicationFactor, config } of local) {
      expect([replicationFactor, config['min.insync.replicas']]).toEqual([1, '1']);
    }
  });

  it('record when the log took a record, lose nothing to a late leader, and keep every fact', () => {
    for (const { config } of [...local, ...production]) {
      expect(config).toMatchObject({
        'message.timestamp.type': 'LogAppendTime',
        'unclean.leader.election.enable': 'false',
        'cleanup.policy': 'delete',
      });
    }
  });
});

describe('reading a declaration', () => {
  const faultsOf = (text: string): readonly string[] => {
    try {
      loadTopicDeclaration(text);
      return [];
    } catch (error) {
      return (error as TopicDeclarationError).faults;
    }
  };

  it('lists every fault at once', () => {
    const text = `
      environments: { local: { subjectKeyedPartitions: 0, replicationFactor: 1, minInsyncReplicas: 2 } }
      config: { cleanup.policy: [delete] }
      topics:
        good.topic: { partitions: subject-keyed, retention: forever }
        Bad_Name: { partitions: many, retention: 3 weeks }
        other.topic: 7
    `;
    expect(faultsOf(text)).toEqual([
      'local.subjectKeyedPartitions: must be a positive integer',
      'local.minInsyncReplicas is larger than its replicationFactor',
      'config.cleanup.policy: must be a string, as Kafka writes it',
      'topics: "Bad_Name" is not a topic name',
      'Bad_Name.partitions: must be a positive integer or subject-keyed',
      'Bad_Name.retention: must be forever or a number of days such as "90 days"',
      'other.topic: must be a mapping',
      'other.topic.partitions: must be a positive integer or subject-keyed',
      'other.topic.retention: must be forever or a number of days such as "90 days"',
    ]);
  });

  it.each([
    ['nothing', ''],
    ['a list', '- a'],
    ['no YAML', '{'],
  ])('refuses %s', (_, text) => {
    expect(faultsOf(text).length).toBeGreaterThan(0);
  });

  it('refuses an environment that is not declared', () => {
    const withoutProduction = declared.replace('production:', 'elsewhere:');
    expect(() => loadTopicDeclaration(withoutProduction, 'production')).toThrow('production: must be a mapping');
  });
});
