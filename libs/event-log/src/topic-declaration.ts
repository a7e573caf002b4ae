import { parse } from 'yaml';
import { TopicDeclarationError } from './event-log.errors.ts';
import type { PartitionCounts } from './log-record.ts';

/** Which of the declared environments: they differ in partitions and replicas only. */
export type TopicEnvironment = 'local' | 'production';

export interface DeclaredTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Topic configuration as Kafka names and writes it. */
  readonly config: Readonly<Record<string, string>>;
}

export type TopicDeclaration = readonly DeclaredTopic[];

const SUBJECT_KEYED = 'subject-keyed';
const FOREVER = 'forever';
const DAY_MS = 24 * 60 * 60 * 1_000;
const RETENTION_IN_DAYS = /^([1-9]\d{0,4}) days$/;
const TOPIC_NAME = /^[a-z][a-z0-9.-]{0,200}$/;

/**
 * Reads a declaration (infra/kafka/topics.yaml) for one environment. Throws `TopicDeclarationError` with every fault
 * it finds.
 */
export function loadTopicDeclaration(yamlText: string, environment: TopicEnvironment = 'local'): TopicDeclaration {
  const faults: string[] = [];
  const document = record(parseYaml(yamlText), 'the document', faults);
  const env = record(record(document['environments'], 'environments', faults)[environment], environment, faults);
  const subjectKeyed = positive(env['subjectKeyedPartitions'], `${environment}.subjectKeyedPartitions`, faults);
  const replicationFactor = positive(env['replicationFactor'], `${environment}.replicationFactor`, faults);
  const minInsyncReplicas = positive(env['minInsyncReplicas'], `${environment}.minInsyncReplicas`, faults);
  if (minInsyncReplicas > replicationFactor) {
    faults.push(`${environment}.minInsyncReplicas is larger than its replicationFactor`);
  }
  const shared = configOf(document['config'], faults);
  const topics = Object.entries(record(document['topics'], 'topics', faults)).map(([name, value]): DeclaredTopic => {
    if (!TOPIC_NAME.test(name)) faults.push(`topics: ${JSON.stringify(name)} is not a topic name`);
    const topic = record(value, name, faults);
    const { partitions, retention } = topic;
    return {
      name,
      partitions: partitions === SUBJECT_KEYED ? subjectKeyed : positive(partitions, `${name}.partitions`, faults),
      replicationFactor,
      config: {
        ...shared,
        'min.insync.replicas': String(minInsyncReplicas),
        'retention.ms': retentionMs(retention, `${name}.retention`, faults),
        'retention.bytes': '-1',
      },
    };
  });
  if (topics.length === 0) faults.push('topics: none is declared');
  if (faults.length > 0) throw new TopicDeclarationError(faults);
  return topics;
}

/** Partition counts by topic, as `KafkaEventLog.connect` takes them. */
export function partitionCounts(declaration: TopicDeclaration): PartitionCounts {
  return Object.fromEntries(declaration.map(({ name, partitions }) => [name, partitions]));
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new TopicDeclarationError([`not YAML: ${(error as Error).message}`]);
  }
}

function record(value: unknown, where: string, faults: string[]): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  faults.push(`${where}: must be a mapping`);
  return {};
}

function positive(value: unknown, where: string, faults: string[]): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  faults.push(`${where}: must be a positive integer${where.endsWith('.partitions') ? ` or ${SUBJECT_KEYED}` : ''}`);
  return 0;
}

function configOf(value: unknown, faults: string[]): Record<string, string> {
  const entries = Object.entries(record(value, 'config', faults));
  for (const [name, setting] of entries) {
    if (typeof setting !== 'string') faults.push(`config.${name}: must be a string, as Kafka writes it`);
  }
  return Object.fromEntries(entries.map(([name, setting]) => [name, String(setting)]));
}

function retentionMs(value: unknown, where: string, faults: string[]): string {
  if (value === FOREVER) return '-1';
  const days = typeof value === 'string' ? RETENTION_IN_DAYS.exec(value)?.[1] : undefined;
  if (days !== undefined) return String(Number(days) * DAY_MS);
  faults.push(`${where}: must be ${FOREVER} or a number of days such as "90 days"`);
  return '';
}
