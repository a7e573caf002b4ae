import { TOPICS, type TopicName } from '@assent/contracts';
import type { TopicPartition } from '@assent/event-log';

/** Everything an auditor gets: a copy of this folder is an export. docs/formats/audit-folder.md describes it. */
export const PUBLIC_FOLDER = 'public';

export const MANIFEST_PATH = `${PUBLIC_FOLDER}/manifest.json`;

/** Statements of keys about the keys that follow them. */
export const KEYS_PATH = `${PUBLIC_FOLDER}/keys`;

/** The operator's trust policy, where witnesses are asked: for people, it proves nothing. */
export const WITNESS_POLICY_PATH = `${PUBLIC_FOLDER}/witness-policy`;

/** The log of the logs' heads. */
export const HEADS_PREFIX = `${PUBLIC_FOLDER}/heads`;

/** The one topic that is not logged: it carries the heads of the logs. */
const CHECKPOINTS_TOPIC: TopicName = 'audit.checkpoints';

/** The topics that are logged. */
export const LOGGED_TOPICS: readonly TopicName[] = (Object.keys(TOPICS) as TopicName[])
  .filter((topic) => topic !== CHECKPOINTS_TOPIC)
  .sort();

/** Name of a log: `consent.events/3`. */
export function logName({ topic, partition }: TopicPartition): string {
  return `${topic}/${String(partition)}`;
}

/** Where a log's tiles, entries and checkpoint are. */
export function logPrefix(log: TopicPartition): string {
  return `${PUBLIC_FOLDER}/logs/${logName(log)}`;
}

/** The origin of a log: the first line of its checkpoints and the name of its key. */
export function originOf(base: string, name: string): string {
  return `${base}/${name}`;
}

/** Name of the log of heads below the base origin. */
export const HEADS_NAME = 'heads';

/**
 * Entries of a topic that others write are not kept, leaf hashes only: what a foreign program puts into keys and headers
 * is not known to be free of personal data.
 */
export function keepsEntries(topic: TopicName): boolean {
  return TOPICS[topic].owner !== 'platform-teams';
}
