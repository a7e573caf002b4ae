import type { PartName } from '../platform/parts.ts';
import { answersOk } from '@assent/cli';
import { type SoakPlatform, until } from '../platform/soak-platform.ts';

const START_TIMEOUT_MS = 90_000;

/**
 * Starts a process anew with a wall clock that is off by `offsetMs`; resolves when it answers. It need not become ready:
 * that it does not is part of what is tested.
 */
export async function startWithClockOff(platform: SoakPlatform, name: PartName, offsetMs: number): Promise<void> {
  const part = platform.part(name);
  part.importAtNextStart([new URL(`./offset-clock.js?offsetMs=${offsetMs}`, import.meta.url).href]);
  await part.kill9({ stayDown: true });
  part.start();
  const url = `${platform.url(name)}/livez`;
  const isUp = await until(async () => ((await answersOk(url)) ? true : undefined), START_TIMEOUT_MS);
  if (isUp === undefined) throw new Error(`${name} does not answer`);
}

/** Starts the process anew with the machine's clock; resolves when it is ready. */
export async function startWithClockRight(platform: SoakPlatform, name: PartName): Promise<void> {
  platform.part(name).importAtNextStart([]);
  await platform.restart(name);
}
