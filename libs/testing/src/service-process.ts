import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitUntil } from './wait-until.ts';

const LOADER = fileURLToPath(new URL('./run-from-source.mjs', import.meta.url));

/** A program of the workspace that runs in a process of its own, from its sources. */
export interface SourceProcess {
  readonly child: ChildProcess;
  /** Standard output so far: a service's log lines. */
  output(): string;
  errors(): string;
  /** Log lines that are JSON objects, in order. */
  lines(): Record<string, unknown>[];
  /** Resolves with the exit code, or the signal's name when one ended it. */
  readonly ended: Promise<number | string>;
  /** SIGKILL, and waits. For `afterEach`: harmless when it has ended. */
  kill(): Promise<void>;
}

/**
 * Starts a TypeScript program in a process of its own: for tests of signals, crashes and exit codes.
 *
 * @param file absolute path of the `.ts` file
 * @param env the whole environment of the process, besides PATH
 */
export function startFromSource(
  file: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): SourceProcess {
  const child = spawn(process.execPath, ['--conditions=@assent/source', '--import', LOADER, file, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 'unknown');
    });
  });
  return {
    child,
    output: () => output,
    errors: () => errors,
    lines: () => linesOf(output),
    ended,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function linesOf(output: string): Record<string, unknown>[] {
  const whole = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
  return whole.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The URL a service's process listens on, once it has started. */
export async function urlOf(process: SourceProcess): Promise<string> {
  const started = await waitUntil(
    'the service has started',
    () => {
      if (process.child.exitCode !== null) throw new Error(`it has ended: ${process.errors()}`);
      return process.lines().find(({ msg }) => msg === 'started');
    },
    { timeoutMs: 60_000 },
  );
  return String(started['listens']);
}
