import type { ServiceOptions } from './assembly.ts';
import { bootService } from './boot-service.ts';
import type { RunningService } from './boot-service.ts';
import { ConfigError, loadConfig } from './config.ts';
import { rebuildReadModels } from './rebuild-read-models.ts';
import { replayParkedKeys } from './replay-parked-keys.ts';
import type { RuntimeConfig } from './runtime-config.ts';

/** Exit codes: what a supervisor may conclude. 78 is EX_CONFIG of sysexits.h: a restart does not mend it. */
const EXIT = { ok: 0, failed: 1, misconfigured: 78 } as const;
/** Number of each signal, for the usual 128 + n. */
const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** {@link ServiceOptions}, with the class to read the configuration with. */
export type MainOptions = Omit<ServiceOptions, 'config' | 'onFatal'> & { configClass: new () => RuntimeConfig };

/**
 * The whole of a service's `main.ts`. Without an argument: configuration from the environment, boot, and an ordered
 * shutdown on SIGTERM or SIGINT within `SHUTDOWN_GRACE_MS`; a second signal ends the process at once. With the argument
 * `rebuild`: {@link rebuildReadModels}, one JSON line per projection on standard output, exit code 0 only when every
 * digest is equal. With `replay`: {@link replayParkedKeys}, one JSON line per parked key, exit code 0 only when none is
 * parked any more. What cannot be started is told on standard error in words for people. Never rejects.
 */
export async function runService(options: MainOptions): Promise<void> {
  try {
    const config = loadConfig(options.configClass, process.env);
    if (process.argv[2] === 'rebuild') await rebuild({ ...options, config });
    else if (process.argv[2] === 'replay') await replay({ ...options, config });
    else await serve({ ...options, config });
  } catch (error) {
    process.stderr.write(`${options.name} cannot start. ${error instanceof Error ? error.message : 'Unknown error'}\n`);
    process.exit(error instanceof ConfigError ? EXIT.misconfigured : EXIT.failed);
  }
}

async function rebuild(options: ServiceOptions): Promise<void> {
  // Standard output is the result, so the log goes to standard error.
  const rebuilt = await rebuildReadModels({ ...options, logDestination: process.stderr });
  for (const projection of rebuilt)
    process.stdout.write(`${JSON.stringify({ service: options.name, ...projection })}\n`);
  process.exit(rebuilt.every(({ equal }) => equal) ? EXIT.ok : EXIT.failed);
}

async function replay(options: ServiceOptions): Promise<void> {
  const replayed = await replayParkedKeys({ ...options, logDestination: process.stderr });
  for (const key of replayed) process.stdout.write(`${JSON.stringify({ service: options.name, ...key })}\n`);
  process.exit(replayed.every(({ status }) => status !== 'still-parked') ? EXIT.ok : EXIT.failed);
}

async function serve(options: ServiceOptions): Promise<void> {
  const lifetime = new Lifetime(options.config.SHUTDOWN_GRACE_MS);
  for (const [signal, number] of Object.entries(SIGNALS))
    process.on(signal, () => {
      lifetime.signalled(number);
    });
  const service = await bootService({
    ...options,
    onFatal: () => {
      lifetime.end(EXIT.failed);
    },
  });
  exitOnUncaught(service);
  lifetime.began(service);
}

/** The life of a service's process: it ends in order at the first signal, at once at the second. */
class Lifetime {
  readonly #graceMs: number;
  #service: RunningService | undefined;
  /** Set once the end was asked for. */
  #exitCode: number | undefined;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** The boot is done. When the end was asked for meanwhile it comes now, in order. */
  began(service: RunningService): void {
    this.#service = service;
    if (this.#exitCode !== undefined) this.#stop(service, this.#exitCode);
  }

  signalled(number: number): void {
    if (this.#exitCode !== undefined) process.exit(128 + number);
    this.end(EXIT.ok);
  }

  end(exitCode: number): void {
    if (this.#exitCode !== undefined) return;
    this.#exitCode = exitCode;
    if (this.#service !== undefined) this.#stop(this.#service, exitCode);
  }

  #stop({ stop, logger }: RunningService, exitCode: number): void {
    setTimeout(() => {
      logger.fatal({ graceMs: this.#graceMs }, 'the shutdown took too long');
      process.exit(EXIT.failed);
    }, this.#graceMs).unref();
    stop().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        logger.fatal({ err: error }, 'the shutdown failed');
        process.exit(EXIT.failed);
      },
    );
  }
}

/** An error nobody caught leaves the process in a state nobody knows: say so without its data and end. */
function exitOnUncaught({ logger }: RunningService): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, event);
      process.exit(EXIT.failed);
    });
  }
}
