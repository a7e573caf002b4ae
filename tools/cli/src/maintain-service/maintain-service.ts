import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { createWriteStream } from 'node:fs';
import { isRunning, tryLock, unlock } from '@assent/local-stack';
import { CommandError, EXIT } from '../command-error.ts';
import {
  environmentOf,
  REPOSITORY,
  scriptOf,
  SERVICES,
  type ServiceName,
  urlOf,
} from '../start-platform/platform-processes.ts';
import { LOGS_DIR, type PlatformState, RUN_DIR, signal } from '../start-platform/platform-state.ts';
import { answersOk, pauseFileOf } from '../start-platform/start-platform.ts';
import { platformThatIsUp } from '../start-platform/up-platform.ts';
import { waitUntil } from '../start-platform/wait-until.ts';

const STOP_TIMEOUT_MS = 30_000;
const READY_TIMEOUT_MS = 90_000;

/** What a service can do about its own read models while it does not serve. */
export type Maintenance = 'rebuild' | 'replay';

/**
 * Stops one service of the platform that is up, runs its program in a maintenance mode, and lets the supervisor start it
 * again; answers the lines it printed. Ctrl-C in the middle: the supervisor starts the service, which goes on where the
 * maintenance was cut off.
 *
 * @throws CommandError when no platform is up, the name is no service's, or the service can't be stopped or started
 */
export async function maintainService(
  argv: readonly string[],
  mode: Maintenance,
): Promise<{ lines: string[]; exitCode: number }> {
  const [name, ...rest] = argv;
  const service = SERVICES.find((known) => known === name);
  if (service === undefined || rest.length > 0) {
    throw new CommandError(`Usage: ./assent ${mode} <service>, one of ${SERVICES.join(', ')}`, EXIT.usage);
  }
  const state = platformThatIsUp();
  const pauseFile = pauseFileOf(RUN_DIR, service);
  const holder = tryLock(pauseFile);
  if (holder !== undefined) throw new CommandError(`Process ${holder.pid} is maintaining ${service} already.`);
  try {
    console.log(`Stopping ${service} …`);
    await stopService(service, state);
    console.log(
      mode === 'rebuild' ? 'Dropping its read models and replaying the log …' : 'Replaying its parked keys …',
    );
    return await runMaintenance(service, mode, state);
  } finally {
    unlock(pauseFile);
    await untilServing(service, state);
  }
}

async function stopService(service: ServiceName, { processes }: PlatformState): Promise<void> {
  const identity = processes.find(({ name }) => name === service);
  if (identity === undefined || !isRunning(identity)) return;
  signal(identity.pid, 'SIGTERM');
  const gone = await waitUntil(() => Promise.resolve(isRunning(identity) ? undefined : true), STOP_TIMEOUT_MS);
  if (gone === undefined) throw new CommandError(`${service} did not end within ${STOP_TIMEOUT_MS / 1_000} s.`);
}

async function runMaintenance(
  service: ServiceName,
  mode: Maintenance,
  { ports, kafka, mongo, folder }: PlatformState,
): Promise<{ lines: string[]; exitCode: number }> {
  if (ports === undefined || kafka === undefined || mongo === undefined || folder === undefined) {
    throw new CommandError('The platform is not ready.', EXIT.unavailable);
  }
  const plan = { ports, brokers: kafka.brokers, mongoUri: mongo.uri, folder };
  const log = join(LOGS_DIR, `${service}.log`);
  const child = spawn(process.execPath, [scriptOf(service), mode], {
    cwd: REPOSITORY,
    env: environmentOf(service, plan, process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.pipe(createWriteStream(log, { flags: 'a' }));
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code) => {
      resolve(code ?? EXIT.failed);
    });
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  const exitCode = await exited;
  if (exitCode !== EXIT.ok && lines.length === 0) console.error(`${service} could not do it; see the end of ${log}.`);
  return { lines, exitCode };
}

async function untilServing(service: ServiceName, { ports }: PlatformState): Promise<void> {
  if (ports === undefined) return;
  console.log(`Starting ${service} again …`);
  const url = `${urlOf(ports, service)}/readyz`;
  const ready = await waitUntil(async () => ((await answersOk(url)) ? true : undefined), READY_TIMEOUT_MS);
  console.log(ready === true ? `${service} is ready.` : `${service} is not ready yet; ./assent status shows it.`);
}
