import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTopicDeclaration } from '@assent/event-log';
import { PlatformClient } from '../platform-client/platform-client.ts';
import { type ProcessName, REPOSITORY } from '../start-platform/platform-processes.ts';
import { chooseZone } from './choose-zone.ts';
import { LogFollower } from './log-follower.ts';
import { SimulatedPeople } from './simulated-people.ts';
import type { World } from './step.ts';

/** A platform as the story sees it. Close `log` at the end. */
export async function openWorld({
  urls,
  brokers,
}: {
  readonly urls: Readonly<Record<ProcessName, string>>;
  /** host:port, separated by commas */
  readonly brokers: string;
}): Promise<World> {
  const declaration = loadTopicDeclaration(readFileSync(join(REPOSITORY, 'infra', 'kafka', 'topics.yaml'), 'utf8'));
  return {
    client: new PlatformClient(urls),
    people: new SimulatedPeople(urls.simulator),
    log: await LogFollower.open(brokers.split(','), declaration),
    zone: chooseZone(Date.now()),
    known: { subjects: new Map(), dispatches: new Map() },
  };
}
