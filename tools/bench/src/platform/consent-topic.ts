import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NewRecord } from '@assent/contracts';
import {
  KafkaEventLog,
  loadTopicDeclaration,
  partitionCounts,
  provisionTopics,
  type TopicPartition,
} from '@assent/event-log';
import { type LocalStack, startLocalStack } from '@assent/local-stack';
import type { BenchContext } from '../bench.ts';
import { consentRecords } from './consent-records.ts';

export const CONSENT_TOPIC = 'consent.events';
const TOPICS_FILE = fileURLToPath(new URL('../../../../infra/kafka/topics.yaml', import.meta.url));
const RECORDS_PER_APPEND = 2_000;

/** A broker with the declared topics and a store, without services. */
export interface BenchStack {
  readonly stack: LocalStack;
  readonly log: KafkaEventLog;
  /** `<provider> broker, <provider> store`. */
  readonly engines: string;
}

export async function onStack<T>({ folder }: BenchContext, work: (on: BenchStack) => Promise<T>): Promise<T> {
  const stack = await startLocalStack({ dataDir: join(folder, 'stack'), providers: ['docker', 'native'] });
  try {
    const kafka = { brokers: stack.kafka.brokers.split(','), clientId: 'bench' };
    const declaration = loadTopicDeclaration(readFileSync(TOPICS_FILE, 'utf8'));
    await provisionTopics(kafka, declaration);
    const log = await KafkaEventLog.connect({ ...kafka, topics: partitionCounts(declaration) });
    try {
      return await work({ stack, log, engines: `${stack.kafka.provider} broker, ${stack.mongo.provider} store` });
    } finally {
      await log.close();
    }
  } finally {
    await stack.stop();
  }
}

/** Every partition of a topic. */
export function partitionsOf(log: KafkaEventLog, topic: string): TopicPartition[] {
  return Array.from({ length: log.partitionCount(topic) }, (_, partition) => ({ topic, partition }));
}

/** Grows consent.events to a number of events; what it holds already is not appended again. */
export class ConsentTopic {
  #appended = 0;

  constructor(private readonly log: KafkaEventLog) {}

  async growTo(events: number): Promise<void> {
    let records: NewRecord[] = [];
    const append = async (): Promise<void> => {
      if (records.length > 0) await this.log.append(records);
      this.#appended += records.length;
      records = [];
    };
    for (const record of consentRecords(this.#appended, events)) {
      records.push(record);
      if (records.length >= RECORDS_PER_APPEND) await append();
    }
    await append();
  }
}
