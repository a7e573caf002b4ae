import { KafkaEventLog, partitionCounts, type TopicDeclaration } from '@assent/event-log';
import { CommandError } from '../command-error.ts';

/**
 * A story that begins with nobody known needs a log that begins empty; the environment's broker is not ours to empty.
 *
 * @throws CommandError
 */
export async function assertEmptyLog(brokers: readonly string[], declaration: TopicDeclaration): Promise<void> {
  const log = await KafkaEventLog.connect({ brokers, clientId: 'assent-cli', topics: partitionCounts(declaration) });
  try {
    const partitions = declaration.flatMap(({ name: topic, partitions: count }) =>
      Array.from({ length: count }, (_, partition) => ({ topic, partition })),
    );
    const ends = await log.endOffsets(partitions);
    if ([...ends.values()].every((end) => end === 0)) return;
  } finally {
    await log.close();
  }
  throw new CommandError(
    'The Kafka that KAFKA_BROKERS names holds records of an earlier run, and the demo begins with an empty log.\n' +
      'Unset KAFKA_BROKERS and MONGODB_URI, or name an empty broker and store.',
  );
}
