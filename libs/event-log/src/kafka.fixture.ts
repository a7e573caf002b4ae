import type { KafkaSettings } from './kafka-settings.ts';
import type { DeclaredTopic } from './topic-declaration.ts';

/** The broker the test run started, or the one the environment names. */
export function kafkaForTests(): KafkaSettings {
  // The fixture is where tests learn of their broker.
  // eslint-disable-next-line no-restricted-syntax
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined) throw new Error('KAFKA_BROKERS is not set; the int tier starts a broker and sets it');
  return { brokers: brokers.split(','), clientId: 'event-log-tests' };
}

/** A topic configured as the declared ones are, on a single broker. */
export function declaredTopic(name: string, partitions: number): DeclaredTopic {
  return {
    name,
    partitions,
    replicationFactor: 1,
    config: {
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'delete',
      'max.message.bytes': '6291456',
      'compression.type': 'gzip',
      'min.insync.replicas': '1',
      'retention.ms': '-1',
    },
  };
}
