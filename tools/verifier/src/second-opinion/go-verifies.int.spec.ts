import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { AuditFolderFixture, placed } from '../written-by-service/audit-folder.fixture.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { preferences, recordOf, uuid } from '../written-log/events.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { writeFiles } from '../written-log/write-files.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';

const SOURCE = join(import.meta.dirname, '../../go');
/** Go fetches its one module from the module proxy; without a network, or refused there, it cannot. */
const OFFLINE =
  /dial tcp|no such host|lookup |i\/o timeout|connection refused|proxyconnect|reading https?:|module lookup disabled/;
/** What an empty module cache makes Go say while it builds. */
const DOWNLOADING = /^go: downloading .*\n/gm;

const folder = mkdtempSync(join(tmpdir(), 'assent-go-'));
const program = join(folder, 'verify-folder');
const built = spawnSync('go', ['build', '-o', program, '.'], { cwd: SOURCE, encoding: 'utf8', timeout: 240_000 });
const lacks =
  built.error !== undefined
    ? 'Go is not installed'
    : OFFLINE.test(built.stderr)
      ? 'the Go module proxy cannot be reached'
      : undefined;
if (lacks !== undefined) {
  console.warn(`SKIPPED: ${lacks}, so nobody else than our own verifier has looked at our audit folders in this run.`);
}
const test = lacks === undefined ? it : it.skip;

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const run = (at: string) => {
  const { status, stdout } = spawnSync(program, [at], { encoding: 'utf8', timeout: 60_000 });
  return { status, stdout: stdout.trim() };
};

describe('a program on golang.org/x/mod/sumdb, where Go is installed,', () => {
  test('is built from pinned sources', () => {
    expect([built.status, built.stderr.replaceAll(DOWNLOADING, '')]).toEqual([0, '']);
  });

  test('agrees with a folder that the audit service wrote', async () => {
    const service = await AuditFolderFixture.make();
    await service.append(...[1, 2, 3].map((n) => placed(exampleEvent('preferences.changed.v1', { id: uuid(n) }))));
    await service.append(
      placed(exampleEvent('dispatch.requested.v1')),
      placed(exampleEvent('preferences.changed.v1'), 1),
    );
    expect(run(service.folder)).toEqual({ status: 0, stdout: 'OK: 3 logs, 8 leaves, 3 heads' });
    await service.remove();
  }, 30_000);

  test('agrees with a log that has two keys, pruned entries and more than one level of tiles, and finds a bit flipped', () => {
    const sink = new FilesInMemory();
    const log = new WrittenLog({ origin: 'log.example', sink, key: new TestKey(1) });
    log.append('consent.events/0', preferences(300));
    log.append(
      'whatsapp.inbound/0',
      Array.from({ length: 600 }, () => recordOf(exampleEvent('whatsapp.message-received.v1'))),
    );
    log.sign();
    log.rotate(new TestKey(2));
    log.prune('whatsapp.inbound/0', 512);
    log.append('consent.events/0', preferences(7, 300));
    log.sign();
    writeFiles(join(folder, 'clean'), sink.files);
    expect(run(join(folder, 'clean'))).toEqual({ status: 0, stdout: 'OK: 2 logs, 911 leaves, 4 heads' });
    for (const path of ['tile/0/000', 'tile/1/000.p/1', 'tile/entries/000', 'checkpoint']) {
      const broken = new BrokenLog(sink.files).flip(`logs/consent.events/0/${path}`, 99);
      writeFiles(join(folder, 'broken'), broken.files);
      expect([path, run(join(folder, 'broken')).status]).toEqual([path, 1]);
    }
  });
});
