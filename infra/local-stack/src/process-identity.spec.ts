import { identify, isRunning, parseProcStat } from './process-identity.ts';

const stat = (state: string): string =>
  `42 (a name) with) ${state} 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 10 11`;

describe('the state of a process as the kernel prints it', () => {
  it('gives the start, whatever the command is called', () => {
    expect(parseProcStat(42, stat('S'))).toEqual({ pid: 42, startedAt: '987654' });
  });

  it('counts a zombie as gone', () => {
    expect(parseProcStat(42, stat('Z'))).toBeUndefined();
  });
});

describe('an identity', () => {
  it('is running while it is the same process', () => {
    expect(isRunning(identify(process.pid)!)).toBe(true);
  });

  it('is not running when another process has its pid', () => {
    expect(isRunning({ pid: process.pid, startedAt: 'another time' })).toBe(false);
  });
});
