import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readIdentity, tryLock, unlock } from './lock-file.ts';
import { identify } from './process-identity.ts';

let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-lock-'));
  lock = join(folder, 'lock');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a lock', () => {
  it('is taken once and free again after the unlock', () => {
    expect(tryLock(lock)).toBeUndefined();
    expect(tryLock(lock)?.pid).toBe(process.pid);
    unlock(lock);
    expect(tryLock(lock)).toBeUndefined();
  });

  it('is free when its holder is gone', () => {
    writeFileSync(lock, JSON.stringify({ pid: process.pid, startedAt: 'an earlier process with this pid' }));
    expect(tryLock(lock)).toBeUndefined();
    expect(readIdentity(lock)).toEqual(identify(process.pid));
  });

  it('is free when its file says nothing', () => {
    writeFileSync(lock, '');
    expect(tryLock(lock)).toBeUndefined();
  });

  it('of another process stays', () => {
    const other = spawn('sleep', ['60']);
    try {
      const holder = identify(other.pid!)!;
      writeFileSync(lock, JSON.stringify(holder));
      expect(tryLock(lock)).toEqual(holder);
      unlock(lock);
      expect(readIdentity(lock)).toEqual(holder);
    } finally {
      other.kill('SIGKILL');
    }
  });
});
