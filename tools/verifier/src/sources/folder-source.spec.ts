import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyFolder } from '../run/verify-folder.ts';
import { preferences } from '../written-log/events.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';
import { writeFiles } from '../written-log/write-files.fixture.ts';

const log = 'logs/consent.events/0';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-hostile-'));
  const sink = new FilesInMemory();
  const written = new WrittenLog({ origin: 'log.example', sink, key: new TestKey(1) });
  written.append('consent.events/0', preferences(2));
  written.sign();
  writeFiles(folder, sink.files);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function found(): Promise<string[]> {
  return (await verifyFolder({ folder })).faults.map(({ code, where }) => `${code} ${where}`);
}

const inPlaceOf = (path: string, put: (path: string) => void): void => {
  rmSync(join(folder, path), { recursive: true });
  put(join(folder, path));
};

describe('a folder of unknown origin', () => {
  it('is verified', async () => {
    expect(await found()).toEqual([]);
  });

  it.each([`${log}/checkpoint`, `${log}/tile/0/000.p/2`, `${log}/tile`, 'logs', 'heads', 'manifest.json'])(
    'is read through no link: %s',
    async (path) => {
      inPlaceOf(path, (at) => {
        symlinkSync(path.includes('.') ? '/etc/passwd' : '/etc', at);
      });
      expect((await found()).some((fault) => fault.startsWith('folder-unreadable'))).toBe(true);
    },
  );

  it.each([`${log}/checkpoint`, `${log}/tile/entries/000.p/2`])(
    'is not waited for where it has a pipe: %s',
    async (path) => {
      inPlaceOf(path, (at) => {
        execFileSync('mkfifo', [at]);
      });
      expect(await found()).toContain(`folder-unreadable consent.events/0, ${path}`);
    },
  );

  it.each([
    `${log}/checkpoint`,
    'manifest.json',
    'heads/checkpoint',
    `${log}/tile/0/000.p/2`,
    `${log}/tile/entries/000.p/2`,
  ])('is not read where a file is without an end: %s', async (path) => {
    // A file with a hole: a terabyte that takes no room.
    truncateSync(join(folder, path), 2 ** 40);
    expect(await found()).not.toEqual([]);
  });

  it('is read no deeper and no wider than the format goes', async () => {
    mkdirSync(join(folder, log, 'tile', ...Array.from({ length: 200 }, () => 'x000')), { recursive: true });
    for (let i = 0; i < 1_200; i += 1) writeFileSync(join(folder, log, `stray-${i}`), '');
    const result = await verifyFolder({ folder });
    expect(result.faults.map(({ code }) => code)).toContain('too-many-faults');
    expect(result.faults.length + result.faultsNotListed).toBeLessThan(1_100);
  });

  it('is none when it is a file, or not there', async () => {
    expect((await verifyFolder({ folder: join(folder, 'manifest.json') })).faults).toMatchObject([
      { code: 'folder-unreadable' },
    ]);
    expect((await verifyFolder({ folder: '/nowhere/at/all' })).faults).toMatchObject([{ code: 'folder-unreadable' }]);
  });
});
