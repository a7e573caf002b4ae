import { join } from 'node:path';
import { openWorld, type Platform, publishNotice, registerSender, startPlatform, type World } from '@assent/cli';
import type { BenchContext } from '../bench.ts';

export interface BenchPlatform {
  readonly platform: Platform;
  readonly world: World;
}

/** Process ids by name: the services, the simulator, and broker and store where they are processes of this machine. */
export function pidsOf(platform: Platform): Readonly<Record<string, number>> {
  const { kafka, mongo } = platform.stack;
  return {
    ...Object.fromEntries(platform.processes().map(({ name, process }) => [name, process.identity?.pid ?? 0])),
    ...(kafka.pid === undefined ? {} : { broker: kafka.pid }),
    ...(mongo.pid === undefined ? {} : { store: mongo.pid }),
  };
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
