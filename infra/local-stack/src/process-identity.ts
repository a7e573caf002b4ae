import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** A process as its pid and the moment it began, because the system gives a pid to another process later. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
}

/** The identity of a running process; undefined when there is none, or only a zombie (which `kill -0` takes for alive). */
export function identify(pid: number): ProcessIdentity | undefined {
  return existsSync('/proc/self/stat') ? identifyByProc(pid) : identifyByPs(pid);
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

function identifyByProc(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  return parseProcStat(pid, stat);
}

/** proc(5): after the command in parentheses come the state (field 3) and, as field 22, the start in ticks since boot. */
export function parseProcStat(pid: number, stat: string): ProcessIdentity | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') {
    return undefined;
  }
  return { pid, startedAt: startTicks };
}

function identifyByPs(pid: number): ProcessIdentity | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' || line.startsWith('Z') ? undefined : { pid, startedAt: line.slice(line.indexOf(' ')).trim() };
  } catch {
    return undefined;
  }
}
