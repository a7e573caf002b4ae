import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { identify, type ProcessIdentity } from '@assent/local-stack';
import { REPOSITORY } from './platform-processes.ts';

/** Above a service's own limit for an orderly end (25 s), so that it is not cut off in the middle of it. */
const STOP_TIMEOUT_MS = 28_000;
const LOG_TAIL_LINES = 15;

export interface ProcessSettings {
  readonly script: string;
  readonly args?: readonly string[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** False begins the log anew. */
  readonly keepLog: boolean;
}

/** A Node program as a child of this process, its output in a file. */
export class ManagedProcess {
  readonly identity: ProcessIdentity | undefined;
  /** Exit code, or -1 when a signal ended it. */
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #logStart: number;
  #exitCode: number | undefined;

  private constructor(child: ChildProcess, logFile: string, logStart: number) {
    this.#child = child;
    this.#logFile = logFile;
    this.#logStart = logStart;
    this.identity = child.pid === undefined ? undefined : identify(child.pid);
    this.exited = new Promise((resolve) => {
      const end = (code: number): void => {
        this.#exitCode = code;
        resolve(code);
      };
      child.once('exit', (code) => {
        end(code ?? -1);
      });
      child.once('error', () => {
        end(-1);
      });
    });
  }

  static start({ script, args = [], environment, logFile, keepLog }: ProcessSettings): ManagedProcess {
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, keepLog ? 'a' : 'w');
    const logStart = fstatSync(log).size;
    const child = spawn(process.execPath, [script, ...args], {
      cwd: REPOSITORY,
      env: { ...environment },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return new ManagedProcess(child, logFile, logStart);
  }

  get isRunning(): boolean {
    return this.#exitCode === undefined;
  }

  /** SIGTERM, and SIGKILL when the orderly end takes too long. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    this.#child.kill('SIGTERM');
    await this.exited;
    clearTimeout(late);
  }

  /** The end of what it said since its start, for the message when it does not serve. */
  logTail(): string {
    const said = readFileSync(this.#logFile).subarray(this.#logStart).toString('utf8');
    return said.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }
}
