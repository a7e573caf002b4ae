import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIdentity } from './lock-file.ts';
import { identify, isRunning } from './process-identity.ts';

/** An orderly stop of a broker takes about a second; ten is a hang. */
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
/** What a launcher prints once it serves. */
const READY_LINE = 'READY';

export interface ChildSettings {
  readonly command: string;
  readonly args: readonly string[];
  readonly pidFile: string;
  readonly logFile: string;
}

/** A handle on one part of the stack, for tests that kill it. */
export interface ServiceProcess {
  /** undefined while it does not run */
  readonly pid: number | undefined;
  /** Sends the signal and resolves when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/**
 * A child in a process group of its own, so that Ctrl-C reaches this process only and the order of the stop is ours. Its
 * standard input is a pipe whose end tells it that we are gone, also after kill -9.
 */
export class Child implements ServiceProcess {
  readonly #process: ChildProcess;
  readonly #pidFile: string;
  readonly #logFile: string;
  readonly #logStart: number;
  readonly #exited: Promise<void>;
  #running = true;
  #ready = false;

  private constructor(process: ChildProcess, settings: ChildSettings, logStart: number) {
    this.#process = process;
    this.#pidFile = settings.pidFile;
    this.#logFile = settings.logFile;
    this.#logStart = logStart;
    this.#exited = new Promise((resolve) => {
      const gone = (): void => {
        this.#running = false;
        resolve();
      };
      process.once('exit', gone);
      process.once('error', (error) => {
        appendFileSync(settings.logFile, `${error.message}\n`);
        gone();
      });
    });
    process.stdout?.on('data', (chunk: Buffer) => {
      this.#ready ||= chunk.includes(READY_LINE);
      appendFileSync(settings.logFile, chunk);
    });
  }

  static start(settings: ChildSettings): Child {
    mkdirSync(dirname(settings.pidFile), { recursive: true });
    mkdirSync(dirname(settings.logFile), { recursive: true });
    const log = openSync(settings.logFile, 'a');
    const logStart = fstatSync(log).size;
    const process = spawn(settings.command, settings.args, { stdio: ['pipe', 'pipe', log], detached: true });
    closeSync(log);
    const child = new Child(process, settings, logStart);
    for (const handle of [process, process.stdin, process.stdout]) {
      (handle as { unref?: () => void } | null)?.unref?.();
    }
    const identity = process.pid === undefined ? undefined : identify(process.pid);
    if (identity !== undefined) {
      writeFileSync(settings.pidFile, JSON.stringify(identity));
    }
    return child;
  }

  get pid(): number | undefined {
    return this.#running ? this.#process.pid : undefined;
  }

  /** Whether it has printed that it serves. */
  get ready(): boolean {
    return this.#ready;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#running) {
      this.#process.ref();
      this.#process.kill(signal);
    }
    await this.#exited;
    rmSync(this.#pidFile, { force: true });
  }

  /** SIGTERM, and SIGKILL when that takes longer than `timeoutMs`. */
  async stop(timeoutMs: number = STOP_TIMEOUT_MS): Promise<void> {
    const hang = setTimeout(() => this.#process.kill('SIGKILL'), timeoutMs);
    await this.kill('SIGTERM');
    clearTimeout(hang);
  }

  /** What it has said since its start, for the message when it does not serve. */
  log(): string {
    return readFileSync(this.#logFile).subarray(this.#logStart).toString('utf8');
  }
}

/**
 * Stops what an earlier, killed run left behind. The pid file names the moment the process began, so a pid that belongs
 * to somebody else by now is left alone.
 */
export async function stopStaleChild(pidFile: string): Promise<void> {
  const identity = readIdentity(pidFile);
  if (identity !== undefined && isRunning(identity)) {
    process.kill(identity.pid, 'SIGTERM');
    for (let waitedMs = 0; isRunning(identity); waitedMs += POLL_MS) {
      if (waitedMs >= STOP_TIMEOUT_MS) {
        process.kill(identity.pid, 'SIGKILL');
      }
      await sleep(POLL_MS);
    }
  }
  rmSync(pidFile, { force: true });
}
