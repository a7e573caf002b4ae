import { setTimeout as sleep } from 'node:timers/promises';
import { KafkaEventLog } from '@assent/event-log';
import type { EndsAsked } from '../checkers/stale-ends.ts';
import { monotonicMs } from '../platform/monotonic.ts';

/** About as often as a busy dispatch process asks. */
const ASK_EVERY_MS = 25;

/** Asks for the ends of topics as the gate does, again and again while `work` runs, and remembers every answer. */
export async function whileAskingForEnds<T>(
  o: { brokers: string; topics: Readonly<Record<string, number>> },
  work: () => Promise<T>,
): Promise<{ result: T; asked: readonly EndsAsked[] }> {
  const log = await KafkaEventLog.connect({ brokers: o.brokers.split(','), clientId: 'soak-ends', topics: o.topics });
  const partitions = Object.entries(o.topics).flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
  const asked: EndsAsked[] = [];
  const running = { is: true };
  const asking = async (): Promise<void> => {
    while (running.is) {
      const askedAtMs = monotonicMs();
      asked.push({ askedAtMs, ends: await log.endOffsets(partitions) });
      await sleep(ASK_EVERY_MS);
    }
  };
  const done = asking();
  try {
    return { result: await work(), asked };
  } finally {
    running.is = false;
    await done;
    await log.close();
  }
}
