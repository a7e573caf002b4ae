import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '@assent/local-stack';
import type { ProcessName } from './platform-processes.ts';

/** What a supervisor's processes get for an orderly end before they are killed. */
const LEFTOVER_STOP_MS = 10_000;
const POLL_MS = 50;

/** Where a running platform is found by later commands; relative to the repository. */
export const RUN_DIR = '.assent/run';
export const LOGS_DIR = '.assent/logs';
export const STATE_FILE = join(RUN_DIR, 'platform.json');

/** A running platform as its supervisor writes it down; the file is the supervisor's lock at the same time. */
export interface PlatformState extends ProcessIdentity {
  readonly status: 'starting' | 'ready' | 'stopping';
  /** RFC 3339 */
  readonly since: string;
  readonly dataDir: string;
  readonly kafka?: { readonly brokers: string; readonly provider: string };
  readonly mongo?: { readonly uri: string; readonly provider: string };
  /** Keys and audit logs. */
  readonly folder?: string;
  readonly ports?: Readonly<Record<ProcessName, number>>;
  /** Everything that has to end with the supervisor, the stack's own processes included. */
  readonly processes: readonly (ProcessIdentity & { readonly name: string })[];
}

/** The platform of this folder, whether its supervisor still runs or not; undefined when nothing is written down. */
export function readPlatformState(file: string = STATE_FILE): PlatformState | undefined {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as Partial<PlatformState>;
    if (typeof state.pid !== 'number' || typeof state.startedAt !== 'string') return undefined;
    const unknown = { status: 'starting', since: '', dataDir: '', processes: [] } as const;
    return { ...unknown, ...state, pid: state.pid, startedAt: state.startedAt };
  } catch {
    return undefined;
  }
}

/** Replaces the state at once, so that a reader never sees half of it. */
export function writePlatformState(state: PlatformState): void {
  const next = `${STATE_FILE}.${process.pid}.next`;
  writeFileSync(next, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(next, STATE_FILE);
}

/** The platform that is up; undefined when there is none. */
export function runningPlatform(): PlatformState | undefined {
  const state = readPlatformState();
  return state !== undefined && isRunning(state) ? state : undefined;
}

/**
 * Ends what a killed supervisor left behind, and nothing else: a pid that belongs to somebody else by now is told by the
 * moment its process began. Answers the names of what was ended.
 */
export async function clearLeftovers(file: string = STATE_FILE): Promise<string[]> {
  const state = readPlatformState(file);
  if (state === undefined || isRunning(state)) return [];
  const left = state.processes.filter(isRunning);
  for (const { pid } of left) signal(pid, 'SIGTERM');
  for (let waitedMs = 0; left.some(isRunning); waitedMs += POLL_MS) {
    if (waitedMs >= LEFTOVER_STOP_MS) for (const identity of left.filter(isRunning)) signal(identity.pid, 'SIGKILL');
    await pause(POLL_MS);
  }
  rmSync(file, { force: true });
  return left.map(({ name }) => name);
}

/** Sends a signal to a process that may have ended meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
