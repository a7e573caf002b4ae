import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEvent } from '@assent/contracts';
import type { LogRecord, RecordedEvent, TopicName } from '@assent/contracts';
import { KafkaEventLog, loadTopicDeclaration, partitionCounts, partitionKey, provisionTopics } from '@assent/event-log';
import type { EventLog, TopicPartition } from '@assent/event-log';
import { startLocalStack } from '@assent/local-stack';
import type { LocalStack } from '@assent/local-stack';
import { loadConfig, RuntimeConfig } from '@assent/service-runtime';

/**
 * A broker with the declared topics and a store, of this spec file's own. The names of topics are part of the contract,
 * so suites that shared a broker would react to each other's facts, and parts that a test kills must be nobody else's.
 */
export interface TestStack {
  /** What a service of this stack needs of the environment. `ASSENT_INSTANCE` names its databases and its group. */
  readonly env: { readonly KAFKA_BROKERS: string; readonly MONGODB_URI: string; readonly ASSENT_INSTANCE: string };
  /** The log itself, to append and to read. */
  readonly log: EventLog;
  /** To kill and restart the parts. */
  readonly parts: Pick<LocalStack, 'kafkaProcess' | 'restartKafka' | 'mongoProcess' | 'restartMongo'>;
  /** Names of the topics. */
  readonly topics: readonly TopicName[];
  /** Every partition of these topics. */
  readonly partitions: (topics: readonly string[]) => TopicPartition[];
  /** All records of a topic, by partition. */
  records(topic: TopicName): Promise<LogRecord[]>;
  /** All events of a topic, by partition; fails on a record that is none. */
  events(topic: TopicName): Promise<RecordedEvent[]>;
  /** Stops everything and removes the data. Stop the services first. */
  stop(): Promise<void>;
}

/** Name of the installation of every test stack: databases are `spec_<service>`. */
const INSTANCE = 'spec';

/** Starts a {@link TestStack}: some two seconds on an idle machine. Call it in `beforeAll`, with a time limit of 60 s. */
export async function startTestStack(): Promise<TestStack> {
  const dataDir = await mkdtemp(join(tmpdir(), 'assent-spec-'));
  // Not the environment's, which the run's other suites share.
  const parts = await startLocalStack({ dataDir, providers: ['docker', 'native'] });
  try {
    return await onParts(parts, dataDir);
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

async function onParts(parts: LocalStack, dataDir: string): Promise<TestStack> {
  const env = { KAFKA_BROKERS: parts.kafka.brokers, MONGODB_URI: parts.mongo.uri, ASSENT_INSTANCE: INSTANCE };
  const config = loadConfig(RuntimeConfig, { ...env, PORT: '0' });
  const kafka = { brokers: config.KAFKA_BROKERS, clientId: INSTANCE };
  const declaration = loadTopicDeclaration(await readFile(config.ASSENT_TOPICS_FILE, 'utf8'));
  await provisionTopics(kafka, declaration);
  const log = await KafkaEventLog.connect({ ...kafka, topics: partitionCounts(declaration) });
  const partitions = (topics: readonly string[]): TopicPartition[] =>
    topics.flatMap((topic) =>
      Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ topic, partition })),
    );
  const records = (topic: TopicName): Promise<LogRecord[]> => readAll(log, partitions([topic]));
  return {
    env,
    log,
    parts,
    topics: declaration.map(({ name }) => name as TopicName),
    partitions,
    records,
    events: async (topic) => (await records(topic)).map(decodeEvent),
    stop: async () => {
      await log.close();
      await parts.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function readAll(log: EventLog, partitions: readonly TopicPartition[]): Promise<LogRecord[]> {
  const [starts, ends] = await Promise.all([log.startOffsets(partitions), log.endOffsets(partitions)]);
  const all: LogRecord[] = [];
  for (const partition of partitions) {
    const from = starts.get(partitionKey(partition));
    const to = ends.get(partitionKey(partition));
    if (from === undefined || to === undefined)
      throw new Error(`${partitionKey(partition)} does not answer its offsets`);
    for await (const batch of log.read(partition, from, to)) all.push(...batch);
  }
  return all;
}
