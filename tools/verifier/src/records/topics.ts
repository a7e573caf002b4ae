/** What a verifier has to know of each logged topic: docs/formats/audit-folder.md and docs/events. */
interface TopicFacts {
  /** Begins at offset 0 and is never cut; others begin with the oldest record that was still there. */
  readonly keptForEver: boolean;
  /** Written by programs of others: hashes only are kept, and their transactions leave gaps. */
  readonly hashesOnly: boolean;
}

export const LOGGED_TOPICS: Readonly<Record<string, TopicFacts>> = {
  'consent.catalog': { keptForEver: true, hashesOnly: false },
  'consent.events': { keptForEver: true, hashesOnly: false },
  'dispatch.events': { keptForEver: true, hashesOnly: false },
  'dispatch.policy': { keptForEver: true, hashesOnly: false },
  'dispatch.requests': { keptForEver: false, hashesOnly: true },
  'suppression.events': { keptForEver: true, hashesOnly: false },
  'whatsapp.inbound': { keptForEver: false, hashesOnly: false },
};

/** A log, by what it is the log of. */
export interface LogName {
  readonly topic: string;
  readonly partition: number;
  /** `consent.events/3` */
  readonly name: string;
}

/** Reads `topic/partition`; undefined for what is not a logged topic. */
export function logNamed(name: string): LogName | undefined {
  const [, topic, partition] = /^([a-z.]+)\/(0|[1-9]\d{0,9})$/.exec(name) ?? [];
  if (topic === undefined || partition === undefined || !Object.hasOwn(LOGGED_TOPICS, topic)) return undefined;
  return { topic, partition: Number(partition), name };
}

export function factsOf(topic: string): TopicFacts {
  const facts = LOGGED_TOPICS[topic];
  if (facts === undefined) throw new RangeError('no such topic');
  return facts;
}

/** Person by person: these topics have the same partitions, and facts come before the decisions that rest on them. */
export const PERSON_TOPICS: readonly string[] = ['consent.events', 'dispatch.events'];

/** Whether a log holds facts or decisions about persons; then what is known of them is that partition's. */
export function isAboutPersons({ topic }: LogName): boolean {
  return PERSON_TOPICS.includes(topic);
}
