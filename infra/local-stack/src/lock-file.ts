import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { identify, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/**
 * Takes a lock for this process, or answers who holds it. The lock of a process that is gone counts as free. The file
 * appears with its content at once (link), so a crash cannot leave half a lock.
 */
export function tryLock(path: string): ProcessIdentity | undefined {
  const self = identify(process.pid);
  const candidate = `${path}.${process.pid}`;
  writeFileSync(candidate, JSON.stringify(self));
  try {
    for (;;) {
      if (linkIfAbsent(candidate, path)) {
        return undefined;
      }
      const holder = readIdentity(path);
      if (holder !== undefined && isRunning(holder)) {
        return holder;
      }
      removeStale(path, holder);
    }
  } finally {
    rmSync(candidate, { force: true });
  }
}

export function unlock(path: string): void {
  const holder = readIdentity(path);
  if (holder?.pid === process.pid) {
    rmSync(path, { force: true });
  }
}

/** The identity written in a file; undefined when the file is absent or unreadable. */
export function readIdentity(path: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isIdentity(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return typeof value === 'object' && value !== null && 'pid' in value && 'startedAt' in value;
}

function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}

/** Moves the stale lock aside before removing it: of two processes that both found it stale, one moves it. */
function removeStale(path: string, stale: ProcessIdentity | undefined): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readIdentity(aside);
  if (moved !== undefined && moved.pid !== stale?.pid) {
    linkIfAbsent(aside, path);
  }
  rmSync(aside, { force: true });
}
