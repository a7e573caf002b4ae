import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, type ProcessIdentity } from '@assent/local-stack';
import { clearLeftovers, readPlatformState } from './platform-state.ts';

function sleeper(): { child: ChildProcess; identity: ProcessIdentity } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  return { child, identity: identify(child.pid ?? -1)! };
}

describe('what is written down of a platform', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assent-state-'));
  const file = join(folder, 'platform.json');
  const children: ChildProcess[] = [];
  const write = (state: object): void => {
    writeFileSync(file, JSON.stringify(state));
  };
  const start = (): ProcessIdentity => {
    const { child, identity } = sleeper();
    children.push(child);
    return identity;
  };

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('lets the leftovers of a killed supervisor be ended', async () => {
    const left = start();
    const ended = once(children.at(-1)!, 'exit');
    write({ pid: 2 ** 22 + 1, startedAt: '1', processes: [{ name: 'consent', ...left }] });
    await expect(clearLeftovers(file)).resolves.toEqual(['consent']);
    await ended;
    expect(existsSync(file)).toBe(false);
  });

  it('leaves a process alone that has a pid of ours by chance', async () => {
    const stranger = start();
    write({
      pid: 2 ** 22 + 1,
      startedAt: '1',
      processes: [{ name: 'consent', pid: stranger.pid, startedAt: 'earlier' }],
    });
    await expect(clearLeftovers(file)).resolves.toEqual([]);
    expect(identify(stranger.pid)).toEqual(stranger);
  });

  it('lets nothing be ended while the supervisor runs', async () => {
    const supervisor = start();
    const service = start();
    write({ ...supervisor, processes: [{ name: 'consent', ...service }] });
    await expect(clearLeftovers(file)).resolves.toEqual([]);
    expect(identify(service.pid)).toEqual(service);
    expect(existsSync(file)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"pid": 4'],
    ['something else', '{"name": "x"}'],
  ])('is unknown when the file holds %s', (_, text) => {
    writeFileSync(file, text);
    expect(readPlatformState(file)).toBeUndefined();
  });
});
