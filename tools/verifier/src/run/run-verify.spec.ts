import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateFolder } from '../remember/state-folder.ts';
import type { VerifyResult } from '../verify-log/verify-audit-log.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { preferences } from '../written-log/events.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { vectorsOf } from '../written-log/format-vectors.fixture.ts';
import { writeFiles } from '../written-log/write-files.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';
import { runVerify } from './run-verify.ts';
import type { VerifyIo } from './verify-io.ts';

const key = new TestKey(1);
const folder = mkdtempSync(join(tmpdir(), 'assent-command-'));
const [clean, broken, rewritten] = ['clean', 'broken', 'rewritten'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  const witnesses = [{ name: 'w.example/1', key: new TestKey(3) }];
  const sink = new FilesInMemory();
  const log = new WrittenLog({ origin: 'log.example', sink, key, witnesses });
  log.append('consent.events/0', preferences(1));
  log.sign();
  writeFiles(clean, sink.files);
  writeFiles(broken, new BrokenLog(sink.files).flip('logs/consent.events/0/tile/entries/000.p/1', 100).files);
  const other = new FilesInMemory();
  const forged = new WrittenLog({ origin: 'log.example', sink: other, key });
  forged.append('consent.events/0', preferences(1, 50));
  forged.sign();
  writeFiles(rewritten, other.files);
  writeFileSync(at('policy'), log.policy('all'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function run(argv: readonly string[], changes: Partial<VerifyIo> = {}) {
  let [out, err] = ['', ''];
  const io: VerifyIo = {
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
    isTty: false,
    monotonicMs: () => 0,
    now: () => new Date('2026-11-25T08:00:00.000Z'),
    stateFolder: undefined,
    token: undefined,
    signal: undefined,
    ...changes,
  };
  return { code: await runVerify(argv, io), out, err };
}

describe('the command verify', () => {
  it('says that a clean log is clean, counts what it checked, and asks for the fingerprint to be compared', async () => {
    const { code, out } = await run([clean]);
    expect(code).toBe(0);
    expect(out).toContain('✓ consent.events/0  1 leaf\n');
    expect(out).toContain('OK: no faults');
    expect(out).toContain(key.fingerprint);
    expect(out).toContain('Compare the fingerprint with one you got another way');
    expect(out).not.toContain('\u001b');
  });

  it('does not ask when the key was given', async () => {
    const { code, out } = await run([clean, '--key', key.fingerprint]);
    expect(code).toBe(0);
    expect(out).toContain('The signatures are by the key you gave.');
    expect(out).not.toContain('another way');
  });

  it('names what is wrong and exits with 1', async () => {
    const { code, out } = await run([broken]);
    expect(code).toBe(1);
    expect(out).toContain('✗ consent.events/0  1 leaf  1 fault\n');
    expect(out).toContain('fail entry-changed  consent.events/0 index 0, offset 0, tile/entries/000.p/1\n');
    expect(out).toContain('FAILED: 1 fault\n');
  });

  it('gives the result as JSON, on the terminal and in a file, and as a page of plain English', async () => {
    const { code, out } = await run([broken, '--json', '--report', at('report.json')]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, faults: [{ code: 'entry-changed' }], checked: { leaves: 1 } });
    expect(readFileSync(at('report.json'), 'utf8')).toBe(out);
    await run([broken, '--report', at('page.md')]);
    const page = readFileSync(at('page.md'), 'utf8');
    expect(page).toContain('# Verification of log.example\n');
    expect(page).toContain('**One thing is wrong.**');
    expect(page).toContain(
      '- **consent.events/0 index 0, offset 0, tile/entries/000.p/1**: an entry is not the one that was hashed.',
    );
    await run([clean, '--report', at('page.md')]);
    expect(readFileSync(at('page.md'), 'utf8')).toContain('**Nothing is wrong.**');
  });

  it('exits with 4 when nothing is wrong but something could not be judged, and says what', async () => {
    const sink = new FilesInMemory();
    const log = new WrittenLog({ origin: 'log.example', sink, key });
    const [good] = preferences(1);
    const headers = good!.headers.map(
      ([name, value]) => [name, name === 'ce_type' ? Buffer.from('consent.invented.v9') : value] as const,
    );
    log.append('consent.events/0', [
      { ...good!, headers },
      { ...good!, headers },
    ]);
    log.sign();
    writeFiles(at('open'), sink.files);
    const { code, out } = await run([at('open'), '--report', at('open.md')]);
    expect(code).toBe(4);
    expect(out).toContain('? consent.events/0  2 leaves  2 could not be judged\n');
    expect(out).toContain('open event-type-unknown  consent.events/0 index 0, offset 0\n');
    expect(out).toContain('open and 1 more like these\n');
    expect(out).toContain('OPEN: no faults, but not everything could be judged');
    expect(out).not.toContain('OK');
    const page = readFileSync(at('open.md'), 'utf8');
    expect(page).toContain('**Nothing was found that is wrong, but not everything could be judged.**');
    expect(page).toContain(
      '## What could not be judged\n\n- **consent.events/0 index 0, offset 0**: an event is of a type',
    );
    writeFiles(at('open'), new BrokenLog(sink.files).flip('logs/consent.events/0/tile/entries/000.p/2', 100).files);
    expect((await run([at('open')])).code).toBe(1);
  });

  it('lets no name in the log write on the terminal, nor one kind of fault hide another', async () => {
    const names = Array.from({ length: 1_200 }, (_, i) => [`junk-${i}\u001b[2J\u202e`, Buffer.of(1)] as const);
    const sink = new FilesInMemory();
    const log = new WrittenLog({ origin: 'log.example', sink, key });
    log.append('consent.events/0', preferences(1));
    log.sign();
    const files = new BrokenLog(sink.files).flip('logs/consent.events/0/tile/entries/000.p/1', 100).files;
    writeFiles(at('junk'), new Map([...files, ...names]));
    for (const option of ['--no-state', '--json']) {
      const { code, out } = await run([at('junk'), option]);
      expect(code).toBe(1);
      expect(out).toContain('junk-');
      expect(['\u001b', '\u202e'].filter((sign) => out.includes(sign))).toEqual([]);
      expect(out).toContain('entry-changed');
    }
  }, 30_000);

  it('draws a bar on a terminal, and takes it away', async () => {
    let ms = 0;
    const monotonicMs = (): number => (ms += 200);
    const large = at('large');
    const sink = new FilesInMemory();
    const log = new WrittenLog({ origin: 'log.example', sink, key });
    log.append('consent.events/0', preferences(300));
    log.sign();
    writeFiles(large, sink.files);
    const { err, out } = await run([large], { isTty: true, monotonicMs });
    expect(err).toMatch(/█+·* 85 % {2}consent\.events\/0 {2}\d+ leaves\/s/);
    expect(err.endsWith('\r\u001b[K')).toBe(true);
    expect(out).toContain('\u001b[32m✓\u001b[0m consent.events/0  300 leaves');
  });

  it('remembers where it is told to, and finds out a log that was rewritten since', async () => {
    expect((await run([clean, '--state', at('state')])).code).toBe(0);
    const { code, out } = await run([rewritten, '--state', at('state')]);
    expect([code, out]).toEqual([1, expect.stringContaining('history-differs')]);
    expect((await run([rewritten, '--no-state'])).code).toBe(0);
    expect((await run([rewritten], { stateFolder: at('state') })).code).toBe(1);
    expect((await run([rewritten, '--no-state', '--seen', join(clean, 'heads/checkpoint')])).code).toBe(1);
  });

  it('prints what it found when it cannot remember it, says so, and does not exit with 0', async () => {
    mkdirSync(`${new StateFolder(at('full')).pathOfLastSeen('log.example')}.new`, { recursive: true });
    const { code, out, err } = await run([clean, '--state', at('full')]);
    expect([code, out]).toEqual([3, expect.stringContaining('OK: no faults')]);
    expect(err).toMatch(/^Not remembered: .* cannot be kept in .*full \(EISDIR\)\. Make room there/);
    expect(await run([broken, '--state', at('full')])).toMatchObject({ code: 1 });
  });

  it('exits with 3 when progress cannot be kept, and says what to do', async () => {
    const { code, out, err } = await run([clean, '--state', at('clean/manifest.json')]);
    expect([code, out]).toEqual([3, '']);
    expect(err).toMatch(/^Not finished: .*manifest\.json \(ENOTDIR\)\. Make room there.*--no-state/);
  });

  it('wants the witnesses of a policy', async () => {
    const { code, out } = await run([clean, '--policy', at('policy')]);
    expect(code).toBe(1);
    expect(out).toContain('fail quorum-missing  heads, size 1, checkpoint\n');
    expect(out).toContain('witnesses: WITHOUT the quorum "all"; signed by no witness');
  });

  it('verifies a single file', async () => {
    const checkpoint = join(clean, 'logs/consent.events/0/checkpoint');
    const line = key.line('log.example/heads');
    expect(await run([checkpoint, '--key', line])).toMatchObject({
      code: 0,
      out: expect.stringContaining('had 1 leaves') as string,
    });
    expect(await run([checkpoint, '--key', new TestKey(2).line('log.example/heads')])).toMatchObject({ code: 1 });
    expect(await run([checkpoint, '--json'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('names no key') as string,
    });
  });

  it('verifies a proof and its binding together, with the witnesses of a policy', async () => {
    const vectors = vectorsOf('proofs.md') as { recordProof: string; bindingProof: string };
    const heads = vectorsOf('signed-heads.md') as { newKey: string; policy: string };
    writeFileSync(at('record.tlog-proof'), vectors.recordProof);
    writeFileSync(at('binding.tlog-proof'), vectors.bindingProof);
    writeFileSync(at('one-of-two'), heads.policy);
    const alone = [at('record.tlog-proof'), '--key', heads.newKey, '--policy', at('one-of-two')];
    expect(await run(alone)).toMatchObject({ code: 1, out: expect.stringContaining('give its binding too') as string });
    const { code, out } = await run([...alone, '--binding', at('binding.tlog-proof')]);
    expect([code, out]).toEqual([0, expect.stringContaining('that state of consent.events/3 is bound by head 3\n')]);
    expect(out).toContain('the quorum "witnesses" has seen that head');
    expect(await run([...alone, '--binding', at('record.tlog-proof')])).toMatchObject({ code: 1 });
  });

  it.each([
    [],
    ['a', 'b'],
    ['a', '--nonsense'],
    ['a', '--key'],
    ['a', '--timeout', 'x'],
    ['https://'],
    ['a', '--policy', '/nowhere'],
  ])('explains itself and exits with 2 for %j', async (...argv) => {
    const { code, out, err } = await run(argv.flat());
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: verify <folder | URL | proof file>');
  });

  it('exits with 2 for a key that is none', async () => {
    const { code, err } = await run([clean, '--key', 'nonsense']);
    expect(code).toBe(2);
    expect(err).toContain('--key:');
  });

  it('exits with 1 for a folder that is none', async () => {
    const { code, out } = await run(['/nowhere']);
    expect(code).toBe(1);
    expect(out).toContain('folder-unreadable');
  });

  it('exits with 3 when a server does not answer, and when it is told to stop', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, err } = await run([url, '--timeout', '0.05']);
    expect([code, err]).toEqual([3, expect.stringContaining('Not finished: manifest.json: timed-out')]);
    server.closeAllConnections();
    server.close();
    const large = await run([at('large'), '--state', at('stopped')], { signal: AbortSignal.abort() });
    expect([large.code, large.err]).toEqual([3, expect.stringContaining('Run the same command again')]);
    const again = await run([at('large'), '--state', at('stopped'), '--json']);
    expect((JSON.parse(again.out) as VerifyResult).notes).toEqual([expect.stringContaining('was interrupted')]);
  });
});
