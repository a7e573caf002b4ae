import { Projector } from '@assent/projection';
import type { RebuildResult } from '@assent/projection';
import { withAssembly } from './assembly.ts';
import type { ServiceOptions } from './assembly.ts';

/** The outcome for one projection: digests before and after at the same positions. */
export type RebuiltProjection = RebuildResult & { projection: string };

/**
 * Drops every read model of the service and replays it from the log. Stop the service's other processes first: they
 * would lose their partitions. Nothing listens or reacts meanwhile.
 *
 * @throws as `Projector.rebuild` and `bootService`; a rebuild that failed is continued by the next consumer
 */
export function rebuildReadModels(options: ServiceOptions): Promise<RebuiltProjection[]> {
  return withAssembly(options, async ({ app, consumers, log, db }) => {
    await consumers.init();
    const rebuilt: RebuiltProjection[] = [];
    for (const consumer of consumers.consumers) {
      if (consumer instanceof Projector)
        rebuilt.push({ projection: consumer.projection, ...(await consumer.rebuild(log)) });
    }
    await app.close();
    await log.close();
    await db.close();
    return rebuilt;
  });
}
