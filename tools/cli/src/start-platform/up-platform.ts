import { CommandError, EXIT } from '../command-error.ts';
import { describePlatform } from '../show-status/show-status.ts';
import { clearLeftovers, type PlatformState, readPlatformState, runningPlatform } from './platform-state.ts';
import { stopSupervisor, SupervisedPlatform, type SupervisorOptions } from './supervised-platform.ts';

/** Data of `./assent up`: it stays between runs. */
export const DATA_DIR = '.assent/data';

/** `./assent up`: answers when everything is ready; the platform stays up under its supervisor. */
export async function upPlatform(): Promise<number> {
  const { platform, state } = await bringUp({
    dataDir: DATA_DIR,
    fresh: false,
    progress: (line) => {
      console.log(`  ${line}`);
    },
  });
  await platform.release();
  for (const line of describePlatform(state)) console.log(line);
  console.log('\nAssent is up. ./assent status shows it, ./assent down ends it.');
  return EXIT.ok;
}

/** `./assent down`: ends a running platform, or what a killed one left behind. Data stays. */
export async function downPlatform(): Promise<number> {
  const up = runningPlatform();
  if (up === undefined) {
    const left = await clearLeftovers();
    console.log(left.length === 0 ? 'Assent is not up.' : `Ended what a cut-off run had left: ${left.join(', ')}.`);
    return EXIT.ok;
  }
  console.log('Ending the services, then the local stack …');
  await stopSupervisor(up);
  console.log(`Assent is down. Its data stays in ${up.dataDir}.`);
  return EXIT.ok;
}

/**
 * Starts a platform under a supervisor and waits until it is ready. Ctrl-C (or SIGTERM, or a closed terminal) in the
 * meantime ends all of it; so does the end of this process before `release`.
 *
 * @throws CommandError
 */
export async function bringUp(
  options: SupervisorOptions,
): Promise<{ platform: SupervisedPlatform; state: PlatformState; interrupted: AbortSignal }> {
  const interruption = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      interruption.abort();
    });
  }
  const platform = await SupervisedPlatform.launch(options);
  const { signal: interrupted } = interruption;
  try {
    const state = await Promise.race([platform.ready(options.progress), whenAborted(interrupted)]);
    return { platform, state, interrupted };
  } catch (error) {
    if (interrupted.aborted) console.log('\nInterrupted: ending everything that was started …');
    await platform.stop();
    throw error;
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => {
      reject(new CommandError('Interrupted. Nothing keeps running.', EXIT.interrupted));
    };
    if (signal.aborted) end();
    signal.addEventListener('abort', end);
  });
}

/** The platform that is up. @throws CommandError when there is none */
export function platformThatIsUp(): PlatformState {
  const state = runningPlatform();
  if (state?.status === 'ready') return state;
  const text = readPlatformState() === undefined ? 'Assent is not up.' : 'Assent is not up, or not ready yet.';
  throw new CommandError(`${text} ./assent up starts it.`, EXIT.unavailable);
}
