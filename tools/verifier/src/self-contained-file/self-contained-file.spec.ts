import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exampleEvents } from '../../../../libs/contracts/src/examples.fixture.ts';
import { BrokenLog } from '../written-log/broken-log.fixture.ts';
import { recordOf } from '../written-log/events.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';
import { writeFiles } from '../written-log/write-files.fixture.ts';
import type { VerifyResult } from '../verify-log/verify-audit-log.ts';

const PROJECT = join(import.meta.dirname, '../..');
let folder: string;
let alone: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'assent-alone-'));
  alone = join(folder, 'empty');
  mkdirSync(alone);
  const built = spawnSync(process.execPath, [join(PROJECT, 'scripts/build.mjs'), join(folder, 'dist')], {
    encoding: 'utf8',
  });
  expect([built.status, built.stderr]).toEqual([0, '']);
  copyFileSync(join(folder, 'dist/assent-verify.mjs'), join(alone, 'assent-verify.mjs'));
}, 60_000);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Plain Node in the folder that has nothing but the file: no options, no packages, no environment. */
function run(...argv: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['assent-verify.mjs', ...argv], {
    cwd: alone,
    env: { HOME: folder, PATH: '' },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

/** A log with one event of every type. */
function everyEvent(): FilesInMemory {
  const sink = new FilesInMemory();
  const log = new WrittenLog({ origin: 'log.example', sink, key: new TestKey(1) });
  for (const event of exampleEvents) {
    const record = recordOf(event);
    const topic = record.headers.find(([name]) => name === 'ce_type')?.[1];
    const name = Buffer.from(topic ?? []).toString();
    if (name !== 'audit.checkpoint-signed.v1') log.append(`${topicOf(name)}/0`, [record]);
  }
  log.sign();
  return sink;
}

function topicOf(type: string): string {
  const schema = readFileSync(join(PROJECT, `../../libs/contracts/schemas/${type}.json`), 'utf8');
  return (JSON.parse(schema) as { 'x-topic': string })['x-topic'];
}

describe('the verifier as one file', () => {
  it('runs on plain Node in a folder where nothing else is', () => {
    expect(readdirSync(alone)).toEqual(['assent-verify.mjs']);
    const { code, err } = run();
    expect([code, err.split('\n')[0]]).toEqual([2, 'Usage: verify <folder | URL | proof file> [options]']);
  });

  it('knows the schema of every event, and remembers what it saw', () => {
    const sink = everyEvent();
    writeFiles(join(folder, 'log'), sink.files);
    const { code, out } = run(join(folder, 'log'), '--json', '--key', new TestKey(1).fingerprint);
    const result = JSON.parse(out) as VerifyResult;
    // The example of an attempt names facts of another log; decisions are not the point here.
    expect(result.faults.filter(({ code: fault }) => fault === 'event-invalid')).toEqual([]);
    expect(result.checked).toMatchObject({ unknownEvents: 0, events: exampleEvents.length - 2 });
    expect([code, result.remembered]).toEqual([result.ok ? 0 : 1, true]);
    expect(readdirSync(join(folder, '.local/state/assent-verify'))).toHaveLength(1);
  });

  it('finds events that break their schema, as the verifier in the repository does', async () => {
    const sink = new FilesInMemory();
    const log = new WrittenLog({ origin: 'log.example', sink, key: new TestKey(1) });
    for (const event of exampleEvents) {
      const record = recordOf(event);
      const value = Buffer.from(
        Buffer.from((record.value ?? []) as Uint8Array)
          .toString()
          .replace(/"(?=:)/, 'x"'),
      );
      log.append('consent.events/0', [{ ...record, value }]);
    }
    log.sign();
    writeFiles(join(folder, 'invalid'), sink.files);
    const { out } = run(join(folder, 'invalid'), '--json', '--no-state');
    const here = await new BrokenLog(sink.files).verify();
    expect((JSON.parse(out) as VerifyResult).faults).toEqual(here.faults);
    expect(here.faults.length).toBeGreaterThan(5);
  });
});
