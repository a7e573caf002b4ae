import { join } from 'node:path';
import { openWorld, type Platform, publishNotice, registerSender, startPlatform, type World } from '@assent/cli';
import type { BenchContext } from '../bench.ts';

export interface BenchPlatform {
  readonly platform: Platform;
  readonly world: World;
}

/** Runs `work` on a whole platform of its own, on free ports, with the demo's sender, templates, purpose and notice. */
export async function onPlatform<T>(
  { folder, progress }: BenchContext,
  work: (on: BenchPlatform) => Promise<T>,
): Promise<T> {
  progress('starting the platform');
  const platform = await startPlatform({
    dataDir: join(folder, 'platform'),
    logsDir: join(folder, 'logs'),
    ports: 'free',
    fresh: true,
  });
  try {
    const world = await openWorld({ urls: platform.urls, brokers: platform.plan.brokers });
    try {
      for (const step of [registerSender, publishNotice]) await step.run(world);
      return await work({ platform, world });
    } finally {
      await world.log.close();
    }
  } finally {
    await platform.stop();
  }
}
