import { mkdirSync } from 'node:fs';
import { identify, LocalStackError, tryLock, unlock } from '@assent/local-stack';
import { CommandError, EXIT } from '../command-error.ts';
import { LOGS_DIR, type PlatformState, RUN_DIR, STATE_FILE, writePlatformState } from './platform-state.ts';
import { type Platform, startPlatform } from './start-platform.ts';

/** A start that is told to end while the stack's parts come up gets this long for an orderly end. */
const ABORT_PATIENCE_MS = 10_000;

/** What the supervisor tells whoever started it. */
export type SupervisorMessage =
  | { readonly kind: 'progress'; readonly line: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly exitCode: number };

/** Whoever started the supervisor says so when the platform may outlive them. */
export const STAY = 'stay';
/** Empties the data folder first. */
export const FRESH = '--fresh';

/**
 * The supervisor: a process of its own that starts the platform, keeps it running and writes down what runs. It ends
 * everything on SIGTERM or SIGINT, and when whoever started it is gone before they said that it may stay.
 *
 * @param argv the data folder, and `--fresh` to empty it first
 * @returns the exit code
 */
export async function keepPlatform(argv: readonly string[]): Promise<number> {
  const [dataDir = '.assent/data'] = argv;
  mkdirSync(RUN_DIR, { recursive: true });
  const ending = untilTold();
  const holder = tryLock(STATE_FILE);
  if (holder !== undefined) {
    return fail(
      new CommandError(`Another Assent of this folder is up (process ${holder.pid}). ./assent down ends it.`),
    );
  }
  try {
    await keep(dataDir, argv.includes(FRESH), ending);
    return EXIT.ok;
  } catch (error) {
    return fail(error);
  } finally {
    unlock(STATE_FILE);
    // The channel to whoever started this process would keep it alive.
    if (process.connected) process.disconnect();
  }
}

async function keep(dataDir: string, fresh: boolean, ending: AbortSignal): Promise<void> {
  const record = new PlatformRecord(dataDir);
  record.write('starting');
  ending.addEventListener('abort', () => {
    if (record.platform === undefined) exitLater();
    record.write('stopping');
  });
  const platform = await startPlatform({
    dataDir,
    logsDir: LOGS_DIR,
    runDir: RUN_DIR,
    ports: 'local',
    fresh,
    signal: ending,
    progress: (line) => {
      console.log(line);
      tell({ kind: 'progress', line });
    },
    onChange: (changed) => {
      record.platform = changed;
      record.write();
    },
  });
  record.write('ready');
  tell({ kind: 'ready' });
  await aborted(ending);
  await platform.stop();
}

/** The state file, kept up to date. */
class PlatformRecord {
  platform: Platform | undefined;
  readonly #dataDir: string;
  readonly #since = new Date().toISOString();
  #status: PlatformState['status'] = 'starting';

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  write(status: PlatformState['status'] = this.#status): void {
    const self = identify(process.pid);
    if (self === undefined) throw new Error('this process does not find itself');
    this.#status = status;
    const shared = { ...self, status, since: this.#since, dataDir: this.#dataDir };
    writePlatformState({ ...shared, ...partsOf(this.platform) });
  }
}

function partsOf(
  platform: Platform | undefined,
): Omit<PlatformState, 'pid' | 'startedAt' | 'status' | 'since' | 'dataDir'> {
  if (platform === undefined) return { processes: [] };
  const { stack, plan } = platform;
  const owned = [
    ...platform.processes().map(({ name, process: child }) => ({ name, identity: child.identity })),
    ...[stack.kafka, stack.mongo].map(({ pid }, index) => ({
      name: index === 0 ? 'Kafka' : 'MongoDB',
      identity: pid === undefined ? undefined : identify(pid),
    })),
  ];
  return {
    kafka: { brokers: stack.kafka.brokers, provider: stack.kafka.provider },
    mongo: { uri: stack.mongo.uri, provider: stack.mongo.provider },
    folder: plan.folder,
    ports: plan.ports,
    processes: owned.flatMap(({ name, identity }) => (identity === undefined ? [] : [{ name, ...identity }])),
  };
}

/** Aborted by a signal, or when whoever started this process is gone and has not said that it may stay. */
function untilTold(): AbortSignal {
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  let mayStay = false;
  process.on('message', (message) => {
    mayStay ||= message === STAY;
  });
  process.on('disconnect', () => {
    if (!mayStay) end();
  });
  return ending.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => undefined, 60_000);
    const end = (): void => {
      clearInterval(keepAlive);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

/** The stack's parts end with this process, however it ends. */
function exitLater(): void {
  setTimeout(() => {
    unlock(STATE_FILE);
    process.exit(EXIT.interrupted);
  }, ABORT_PATIENCE_MS).unref();
}

function fail(error: unknown): number {
  const known = error instanceof CommandError || error instanceof LocalStackError;
  const message = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  const exitCode = error instanceof CommandError ? error.exitCode : EXIT.failed;
  console.error(message);
  tell({ kind: 'failed', message, exitCode });
  return exitCode;
}

function tell(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message);
}
