import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs';
import { KafkaUnreachableError, TopicsDifferError } from './event-log.errors.ts';
import { CONNECTION_TIMEOUT_MS, kafkaClient, type KafkaSettings } from './kafka-settings.ts';
import { amendKafkajs } from './kafkajs-internals.ts';
import type { DeclaredTopic, TopicDeclaration } from './topic-declaration.ts';

const REQUEST_TIMEOUT_MS = 10_000; // creating many partitions takes a slow broker seconds
const LEADERS_WITHIN_MS = 20_000;
const LEADERS_POLL_MS = 50;
/** A broker that has just started refuses the first requests. */
const RETRY = { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 };
/** Not among the names that kafkajs exports to ES modules. */
const TOPIC_RESOURCE = kafkajs.ConfigResourceTypes.TOPIC;

/**
 * Creates the declared topics that are missing and waits until their partitions have leaders; answers their names.
 * What exists is left as it is, partitions above all. May run several times and in several places at once. Throws
 * `KafkaUnreachableError`.
 */
export async function provisionTopics(settings: KafkaSettings, declaration: TopicDeclaration): Promise<string[]> {
  return withAdmin(settings, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = declaration.filter(({ name }) => !existing.has(name));
    for (const topic of missing) await create(admin, topic);
    if (missing.length > 0) await untilLed(admin, missing);
    return missing.map(({ name }) => name);
  });
}

/**
 * Compares the broker's topics with the declaration. Throws one `TopicsDifferError` that lists every difference and
 * what to do about it, or `KafkaUnreachableError`.
 */
export async function verifyTopics(settings: KafkaSettings, declaration: TopicDeclaration): Promise<void> {
  const differences = await withAdmin(settings, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const present = declaration.filter(({ name }) => existing.has(name));
    const missing = declaration.filter(({ name }) => !existing.has(name));
    const actual = await describe(admin, present);
    return [
      ...missing.map(({ name }) => `${name} does not exist: create it by provisioning the declared topics`),
      ...present.flatMap((topic) => differencesOf(topic, actual.get(topic.name))),
    ];
  });
  if (differences.length > 0) throw new TopicsDifferError(differences);
}

async function create(admin: Admin, topic: DeclaredTopic): Promise<void> {
  await admin.createTopics({
    topics: [
      {
        topic: topic.name,
        numPartitions: topic.partitions,
        replicationFactor: topic.replicationFactor,
        configEntries: Object.entries(topic.config).map(([name, value]) => ({ name, value })),
      },
    ],
    timeout: REQUEST_TIMEOUT_MS,
    waitForLeaders: false, // it waits in a way that the amended metadata request answers at once
  });
}

async function untilLed(admin: Admin, topics: TopicDeclaration): Promise<void> {
  const late = AbortSignal.timeout(LEADERS_WITHIN_MS);
  const names = topics.map(({ name }) => name);
  const led = ({ partitions }: ITopicMetadata): boolean => partitions.every(({ leader }) => leader >= 0);
  for (;;) {
    const found = await admin.fetchTopicMetadata({ topics: names }).catch((error: unknown) => {
      if (late.aborted) throw error;
      return { topics: [] };
    });
    if (found.topics.length === names.length && found.topics.every(led)) return;
    if (late.aborted)
      throw new TopicsDifferError([`${names.join(', ')}: created, but without leaders; see the broker`]);
    await new Promise((resolve) => setTimeout(resolve, LEADERS_POLL_MS));
  }
}

interface ActualTopic {
  readonly partitions: number;
  readonly replicationFactors: readonly number[];
  readonly config: ReadonlyMap<string, string>;
}

async function describe(admin: Admin, topics: TopicDeclaration): Promise<ReadonlyMap<string, ActualTopic>> {
  if (topics.length === 0) return new Map();
  const metadata = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name, config }) => ({ type: TOPIC_RESOURCE, name, configNames: Object.keys(config) })),
  });
  const configs = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      {
        partitions: partitions.length,
        replicationFactors: [...new Set(partitions.map(({ replicas }) => replicas.length))],
        config: configs.get(name) ?? new Map<string, string>(),
      },
    ]),
  );
}

function differencesOf(declared: DeclaredTopic, actual: ActualTopic | undefined): string[] {
  const { name } = declared;
  if (actual === undefined) return [`${name} could not be described`];
  const differences: string[] = [];
  if (actual.partitions !== declared.partitions) {
    differences.push(
      `${name} has ${actual.partitions} partitions, declared are ${declared.partitions}: partitions are fixed for ` +
        'life, so correct the declaration, or move to a new cluster; never add partitions',
    );
  }
  for (const factor of actual.replicationFactors.filter((item) => item !== declared.replicationFactor)) {
    differences.push(
      `${name} has partitions with ${factor} replicas, declared are ${declared.replicationFactor}: reassign them ` +
        '(kafka-reassign-partitions)',
    );
  }
  for (const [key, value] of Object.entries(declared.config)) {
    const found = actual.config.get(key);
    if (found === value) continue;
    differences.push(
      `${name} has ${key}=${found ?? '(unset)'}, declared is ${value}: kafka-configs --alter --entity-type topics ` +
        `--entity-name ${name} --add-config ${key}=${value}`,
    );
  }
  return differences;
}

async function withAdmin<T>(settings: KafkaSettings, work: (admin: Admin) => Promise<T>): Promise<T> {
  amendKafkajs();
  const times = { connectionTimeoutMs: CONNECTION_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS };
  const admin = kafkaClient(settings, { ...times, retry: RETRY }).admin();
  try {
    await admin.connect().catch((error: unknown) => {
      throw new KafkaUnreachableError(settings.brokers, error);
    });
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
