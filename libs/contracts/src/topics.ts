import type { TopicName } from './generated/event-data.ts';

/** The only writer of a topic: one of the services, or the platform teams that ask for messages. */
export type TopicOwner = 'consent' | 'suppression' | 'dispatch' | 'audit' | 'platform-teams';

export interface TopicFacts {
  readonly owner: TopicOwner;
  /** The record key is a subjectId. All subject-keyed topics have the same number of partitions, for life. */
  readonly subjectKeyed: boolean;
  /** Read models may be built from it: nothing in it is ever deleted. */
  readonly keptForEver: boolean;
}

/** What the code relies on about each topic. Partition counts and retention are declared in infra/kafka/topics.yaml. */
export const TOPICS: Readonly<Record<TopicName, TopicFacts>> = {
  'consent.events': { owner: 'consent', subjectKeyed: true, keptForEver: true },
  'consent.catalog': { owner: 'consent', subjectKeyed: false, keptForEver: true },
  'whatsapp.inbound': { owner: 'consent', subjectKeyed: false, keptForEver: false },
  'suppression.events': { owner: 'suppression', subjectKeyed: false, keptForEver: true },
  'dispatch.requests': { owner: 'platform-teams', subjectKeyed: false, keptForEver: false },
  'dispatch.events': { owner: 'dispatch', subjectKeyed: true, keptForEver: true },
  'dispatch.policy': { owner: 'dispatch', subjectKeyed: false, keptForEver: true },
  'audit.checkpoints': { owner: 'audit', subjectKeyed: false, keptForEver: true },
};

/** Tells whether a text is the name of one of the topics. */
export function isTopicName(text: string): text is TopicName {
  return Object.hasOwn(TOPICS, text);
}
