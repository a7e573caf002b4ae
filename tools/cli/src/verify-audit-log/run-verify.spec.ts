import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { AuditFolderFixture, type BreakableFolder, placed } from './audit-folder.fixture.ts';
import { runVerify } from './run-verify.ts';

describe('the command verify', () => {
  let fixture: AuditFolderFixture;
  let broken: BreakableFolder;

  beforeAll(async () => {
    fixture = await AuditFolderFixture.make();
    await fixture.append(placed(exampleEvent('preferences.changed.v1')));
    broken = await fixture.copy();
    await broken.flip('logs/consent.events/0/tile/entries/000.p/1', 100);
  });

  afterAll(async () => {
    await fixture.remove();
    await rm(broken.folder, { recursive: true });
  });

  async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', ''];
    const io = {
      stdout: (text: string) => {
        out += text;
      },
      stderr: (text: string) => {
        err += text;
      },
      isTty: false,
      monotonicMs: () => 0,
    };
    return { code: await runVerify(argv, io), out, err };
  }

  it('says that a clean folder is clean, counts what it checked, and asks for the fingerprint to be compared', async () => {
    const { code, out } = await run(fixture.folder);
    expect(code).toBe(0);
    expect(out).toContain('✓ consent.events/0  1 leaf\n');
    expect(out).toContain('OK: no faults');
    expect(out).toContain(fixture.key.fingerprint);
    expect(out).toContain('Compare the fingerprint with one you got another way');
    expect(out).not.toContain('\u001b');
  });

  it('does not ask when the key was given', async () => {
    const { code, out } = await run(fixture.folder, '--key', fixture.key.fingerprint);
    expect(code).toBe(0);
    expect(out).toContain('The signatures are by the key you gave.');
    expect(out).not.toContain('another way');
  });

  it('names what is wrong and exits with 1', async () => {
    const { code, out } = await run(broken.folder);
    expect(code).toBe(1);
    expect(out).toContain('✗ consent.events/0  1 leaf  1 fault\n');
    expect(out).toContain('fail entry-changed  consent.events/0 index 0\n');
    expect(out).toContain('FAILED: 1 faults');
  });

  it('gives the result as JSON, on the terminal and in a file', async () => {
    const report = join(broken.folder, '..', `report-${String(process.pid)}.json`);
    const { code, out } = await run(broken.folder, '--json', '--report', report);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, faults: [{ code: 'entry-changed' }], checked: { leaves: 2 } });
    expect(await readFile(report, 'utf8')).toBe(out);
    await rm(report);
  });

  it.each([[], ['a', 'b'], ['a', '--nonsense'], ['a', '--key']])(
    'explains itself and exits with 2 for %j',
    async (...argv) => {
      const { code, out, err } = await run(...argv.flat());
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('Usage: ./assent verify <folder>');
    },
  );

  it('exits with 2 for a key that is none', async () => {
    const { code, err } = await run(fixture.folder, '--key', 'nonsense');
    expect(code).toBe(2);
    expect(err).toContain('--key:');
  });

  it('exits with 1 for a folder that is none', async () => {
    const { code, out } = await run('/nowhere');
    expect(code).toBe(1);
    expect(out).toContain('folder-unreadable');
  });
});
