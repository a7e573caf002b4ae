import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { monotonicMs } from './monotonic.ts';

const END_WITH_PARENT = fileURLToPath(new URL('./end-with-parent.js', import.meta.url));
/** An orchestrator's pause before it starts a process again. */
export const RESTART_PAUSE_MS = 300;
/** Above a service's own limit for an orderly end (25 s). */
const STOP_TIMEOUT_MS = 28_000;
const PROBE_MS = 50;
/** Above the second that one check of a service may take, so that what it says of itself is heard. */
const PROBE_TIMEOUT_MS = 2_500;
/** A first join of the consumer groups on a loaded machine takes tens of seconds. */
const READY_TIMEOUT_MS = 90_000;
/** A process that fails more often than this while it is waited for will not become ready. */
const OWN_ENDS_MAX = 5;

/** What one process of the platform is started with. */
export interface PartSettings {
  readonly name: string;
  /** Absolute path of its program. */
  readonly script: string;
  /** Modules imported before the program: what makes a test build of it. Absolute paths. */
  readonly imports: readonly string[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Answers 200 when the process can work. */
  readonly readyUrl: string;
}

/** How a process ended, and how long it had run. */
export interface PartEnd {
  readonly atMs: number;
  /** Exit code, or the signal's name. */
  readonly how: number | string;
}

/**
 * One process of the platform under a small orchestrator: whenever it ends it is started again after a pause, unless it
 * is held down. All times are monotonic milliseconds, see `monotonicMs`.
 */
export class PartProcess {
  readonly #settings: PartSettings;
  #imports: readonly string[];
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #held = false;
  #isRetired = false;
  #startedAtMs = 0;
  readonly ends: PartEnd[] = [];

  constructor(settings: PartSettings) {
    this.#settings = settings;
    this.#imports = settings.imports;
  }

  get name(): string {
    return this.#settings.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Monotonic instant of its last start. */
  get startedAtMs(): number {
    return this.#startedAtMs;
  }

  start(): void {
    this.#held = false;
    if (this.#child !== undefined || this.#isRetired) return;
    const { script, environment, logFile } = this.#settings;
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    const before = [END_WITH_PARENT, ...this.#imports].flatMap((file) => ['--import', file]);
    this.#startedAtMs = monotonicMs();
    const child = spawn(process.execPath, [...before, script], {
      env: { ...environment },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const ended = (how: number | string): void => {
        if (this.#child !== child) return;
        this.#child = undefined;
        this.ends.push({ atMs: monotonicMs(), how });
        resolve();
        void this.#comeBack();
      };
      child.once('exit', (code, signal) => {
        ended(code ?? signal ?? 'unknown');
      });
      child.once('error', () => {
        ended('not-started');
      });
    });
  }

  /** Sends a signal to the running process; false when there is none. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#child?.kill(signal) ?? false;
  }

  /** Tells a test build something over its channel; one that listens to nothing ignores it. */
  tell(message: object): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  /** SIGKILL; resolves when it is gone. The orchestrator starts it again unless `stayDown`. */
  async kill9({ stayDown = false }: { stayDown?: boolean } = {}): Promise<void> {
    this.#held = stayDown;
    this.signal('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM, and SIGKILL when the orderly end takes too long; it stays down. Answers how long it took. */
  async stop(): Promise<number> {
    this.#held = true;
    const beganMs = monotonicMs();
    const late = setTimeout(() => this.signal('SIGKILL'), STOP_TIMEOUT_MS);
    // A stopped process does not hear SIGTERM before it goes on.
    this.signal('SIGTERM');
    this.signal('SIGCONT');
    await this.#exited;
    clearTimeout(late);
    return monotonicMs() - beganMs;
  }

  /** Ends it for good: whatever still wants to start it, such as a run that hangs, can't any more. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.stop();
  }

  /** From its next start on it is another test build; the running process is not touched. */
  importAtNextStart(imports: readonly string[]): void {
    this.#imports = imports;
  }

  /**
   * Resolves when it answers that it is ready; answers the milliseconds since its last start.
   *
   * @throws Error when it is not in time, or ends by itself again and again; with what it last said of itself
   */
  async waitReady(timeoutMs = READY_TIMEOUT_MS): Promise<number> {
    const deadline = monotonicMs() + timeoutMs;
    const endsBefore = this.#ownEnds();
    for (;;) {
      const reason = await reasonNotReady(this.#settings.readyUrl);
      if (reason === undefined) return monotonicMs() - this.#startedAtMs;
      const endsAlone = this.#ownEnds() - endsBefore > OWN_ENDS_MAX;
      if (endsAlone || monotonicMs() > deadline) {
        const why = endsAlone ? 'ends by itself again and again' : `was not ready within ${timeoutMs} ms`;
        throw new Error(`${this.name} ${why}: ${reason}; see ${this.#settings.logFile}`);
      }
      await sleep(PROBE_MS);
    }
  }

  /** How often it ended with an exit code that says failure. */
  #ownEnds(): number {
    return this.ends.filter(({ how }) => typeof how === 'number' && how !== 0).length;
  }

  async #comeBack(): Promise<void> {
    if (this.#held) return;
    await sleep(RESTART_PAUSE_MS);
    if (!this.#isHeld()) this.start();
  }

  #isHeld(): boolean {
    return this.#held;
  }
}

/** undefined when it is ready; else its own answer, or that there is none. */
async function reasonNotReady(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const answer = await response.text();
    return response.ok ? undefined : `${response.status} ${answer}`;
  } catch (error) {
    return `no answer (${error instanceof Error ? error.name : 'unknown error'})`;
  }
}
