import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identify, isRunning, type ProcessIdentity } from '@assent/local-stack';
import { CommandError, EXIT } from '../command-error.ts';
import { FRESH, STAY, type SupervisorMessage } from './keep-platform.ts';
import {
  clearLeftovers,
  LOGS_DIR,
  type PlatformState,
  readPlatformState,
  runningPlatform,
  signal,
} from './platform-state.ts';
import { REPOSITORY } from './platform-processes.ts';
import { waitUntil } from './wait-until.ts';

/** Services end in order within 28 s each group; then the stack. Beyond this it hangs, and is killed. */
const STOP_TIMEOUT_MS = 100_000;
const CLI = fileURLToPath(new URL('../main.js', import.meta.url));

export interface SupervisorOptions {
  readonly dataDir: string;
  readonly fresh: boolean;
  /** For people, one line a call. */
  readonly progress: (line: string) => void;
}

/** A platform under a supervisor of its own, as the command that started it sees it. */
export class SupervisedPlatform {
  readonly #child: ChildProcess;
  readonly #identity: ProcessIdentity;

  private constructor(child: ChildProcess, identity: ProcessIdentity) {
    this.#child = child;
    this.#identity = identity;
  }

  /**
   * Starts the supervisor; `ready` of the answer resolves when the platform is. What a killed run left behind is ended
   * first.
   *
   * @throws CommandError when a platform of this folder is up already
   */
  static async launch(options: SupervisorOptions): Promise<SupervisedPlatform> {
    const up = runningPlatform();
    if (up !== undefined) {
      const text = `Assent is up already since ${up.since} (process ${up.pid}, data in ${up.dataDir}).`;
      throw new CommandError(`${text}\n./assent status shows it, ./assent down ends it.`, EXIT.unavailable);
    }
    const left = await clearLeftovers();
    if (left.length > 0) options.progress(`an earlier run was cut off; ended what it left: ${left.join(', ')}`);
    mkdirSync(LOGS_DIR, { recursive: true });
    const log = openSync(join(LOGS_DIR, 'supervisor.log'), 'w');
    const child = spawn(process.execPath, [CLI, 'keep-platform', options.dataDir, ...(options.fresh ? [FRESH] : [])], {
      cwd: REPOSITORY,
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new CommandError('The supervisor could not be started.');
    return new SupervisedPlatform(child, identity);
  }

  /** @throws CommandError with the supervisor's own words when it could not start the platform */
  ready(progress: (line: string) => void): Promise<PlatformState> {
    return new Promise((resolve, reject) => {
      this.#child.on('message', (message: SupervisorMessage) => {
        if (message.kind === 'progress') progress(message.line);
        if (message.kind === 'failed') reject(new CommandError(message.message, message.exitCode));
        const state = message.kind === 'ready' ? readPlatformState() : undefined;
        if (state !== undefined) resolve(state);
      });
      this.#child.once('exit', (code) => {
        const log = join(LOGS_DIR, 'supervisor.log');
        reject(new CommandError(`The supervisor ended (exit code ${code ?? 'none'}); see ${log}.`));
      });
    });
  }

  /** Lets the platform outlive this process. */
  async release(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#child.send(STAY, () => {
        resolve();
      });
    });
    this.#child.disconnect();
    this.#child.unref();
  }

  stop(): Promise<void> {
    return stopSupervisor(this.#identity);
  }
}

/** Ends a supervisor with everything it runs; resolves when all of it is gone. */
export async function stopSupervisor(supervisor: ProcessIdentity): Promise<void> {
  if (isRunning(supervisor)) signal(supervisor.pid, 'SIGTERM');
  const gone = await waitUntil(() => Promise.resolve(isRunning(supervisor) ? undefined : true), STOP_TIMEOUT_MS);
  if (gone === undefined) signal(supervisor.pid, 'SIGKILL');
  // Its process group is its own (it was started detached): what it started and did not end, such as a download.
  signal(-supervisor.pid, 'SIGKILL');
  await clearLeftovers();
}
