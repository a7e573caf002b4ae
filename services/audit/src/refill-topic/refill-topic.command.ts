import { readFile } from 'node:fs/promises';
import { loadTopicDeclaration } from '@assent/event-log';
import { systemClock } from '@assent/service-runtime';
import type { AuditConfig } from '../config.ts';
import { FolderLogStore } from '../merkle-logs/folder-log-store.ts';
import { RefillError, refillTopic } from './refill-topic.ts';

/** The operator's command: fills the named topic from the logs in AUDIT_DATA_DIR and answers what it did, in words. */
export async function refillTopicCommand(config: AuditConfig, [name = '']: readonly string[]): Promise<string> {
  const declaration = loadTopicDeclaration(await readFile(config.ASSENT_TOPICS_FILE, 'utf8'));
  const topic = declaration.find((declared) => declared.name === name);
  if (topic === undefined)
    throw new RefillError('topic-not-refillable', `Usage: refill-topic <topic>; ${name} is none`);
  const restored = await refillTopic({
    store: await FolderLogStore.open(config.AUDIT_DATA_DIR, systemClock.now()),
    origin: config.AUDIT_ORIGIN,
    kafka: { brokers: config.KAFKA_BROKERS, clientId: 'audit-refill' },
    topic,
  });
  return `${name}: ${restored} records are back, as the audit log holds them.`;
}
