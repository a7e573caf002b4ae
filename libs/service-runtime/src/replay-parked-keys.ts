import { Projector } from '@assent/projection';
import type { ReplayOutcome } from '@assent/projection';
import { withAssembly } from './assembly.ts';
import type { ServiceOptions } from './assembly.ts';

/** Parked keys replayed by one run; so many at once are a defect of ours, and the next run takes the rest. */
const KEYS_MAX = 1_000;

/** What became of one parked key, which is told by where it was parked. */
export type ReplayedKey = ReplayOutcome & { projection: string; topic: string; partition: number };

/**
 * Folds every parked key of the service anew from the log, after what made its event poison was mended. Stop the
 * service's other processes first: they would lose their partitions. Nothing listens or reacts meanwhile.
 *
 * @throws as `Projector.replayParked` and `bootService`; keys replayed before stay so
 */
export function replayParkedKeys(options: ServiceOptions): Promise<ReplayedKey[]> {
  return withAssembly(options, async ({ app, consumers, log, db }) => {
    await consumers.init();
    const replayed: ReplayedKey[] = [];
    for (const consumer of consumers.consumers) {
      if (!(consumer instanceof Projector)) continue;
      for (const { _id, topic, partition } of await consumer.allParked(KEYS_MAX)) {
        const outcome = await consumer.replayParked(log, _id);
        replayed.push({ projection: consumer.projection, topic, partition, ...outcome });
      }
    }
    await app.close();
    await log.close();
    await db.close();
    return replayed;
  });
}
