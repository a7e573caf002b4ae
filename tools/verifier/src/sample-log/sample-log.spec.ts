import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS, UNCHECKED } from '../findings/findings.ts';
import { runVerify } from '../run/run-verify.ts';
import { readFiles } from '../written-by-service/read-files.fixture.ts';
import { writeFiles } from '../written-log/write-files.fixture.ts';
import { sampleFiles } from './sample-log.fixture.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const SAMPLE = 'examples/sample-audit-log';
const KEY = 'fe812c12f3ab4ce6ac5db69ac352f906cb1b11ef43fb33e252ef7ff552263889';

/** Runs the command in the repository's folder, as the page says. */
async function run(...argv: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const io = {
    stdout: (text: string) => {
      out += text;
    },
    stderr: (text: string) => {
      out += text;
    },
    isTty: false,
    monotonicMs: () => 0,
    now: () => new Date('2026-11-25T08:00:00.000Z'),
    stateFolder: undefined,
    token: undefined,
    signal: undefined,
  };
  const inRoot = argv.map((word) => (word.startsWith(SAMPLE) ? join(ROOT, word) : word));
  const code = await runVerify(inRoot, io);
  return { code, out: out.replaceAll(`${ROOT}/`, '').replace(/ in \d+\.\d\d s$/m, ' in 0.01 s') };
}

describe('the sample log of docs/auditor.md', () => {
  it('is the one that its fixture writes (WRITE_SAMPLE=1 writes it anew)', () => {
    const made = sampleFiles();
    if (process.env['WRITE_SAMPLE'] === '1') writeFiles(join(ROOT, SAMPLE), made);
    const committed = new Map([...readFiles(join(ROOT, SAMPLE))].filter(([path]) => path !== 'README.md'));
    expect([...committed.keys()].sort()).toEqual([...made.keys()].sort());
    for (const [path, bytes] of made) expect([path, Buffer.compare(committed.get(path)!, bytes)]).toEqual([path, 0]);
  });

  const page = readFileSync(join(ROOT, 'docs/auditor.md'), 'utf8');
  /** Every `$ ./assent verify …` in the page, and what it says the answer is. */
  const walks = [...page.matchAll(/^\$ \.\/assent verify (.*)\n((?:.*\n)*?)(?=```)/gm)].map(
    ([, words = '', answer = '']) => [words, answer] as const,
  );

  it('is walked through: a clean log, and one with planted violations', () => {
    expect(walks.map(([words]) => words)).toEqual([
      `${SAMPLE}/clean --key ${KEY}`,
      `${SAMPLE}/tampered --key ${KEY}`,
      `${SAMPLE}/tampered --key ${KEY} --seen ${SAMPLE}/kept-head`,
      expect.stringContaining(`${SAMPLE}/kept-head --key audit.example.com/heads+`),
    ]);
  });

  it('explains every code', () => {
    for (const code of Object.keys({ ...FAULTS, ...UNCHECKED })) expect(page).toContain(`| \`${code}\` `);
  });

  it.each(walks)('answers as the page says: %s', async (words, answer) => {
    const { code, out } = await run(...words.split(' '));
    expect(out).toBe(answer);
    expect(code).toBe(answer.includes('OK:') ? 0 : 1);
  });

  it('has every violation that was planted, each named', async () => {
    const { out } = await run(`${SAMPLE}/tampered`, '--key', KEY, '--seen', `${SAMPLE}/kept-head`);
    for (const planted of [
      'attempt-after-withdrawal  dispatch.events/0 index 7, offset 7',
      'attempt-without-acceptance  dispatch.events/0 index 9, offset 9',
      'record-misplaced  consent.events/1 index 0, offset 0',
      'offset-gap  consent.events/0 index 4, offset 5',
      'entry-changed  consent.events/0 index 3, offset 3, tile/entries/000.p/5',
      'stray-file  consent.events/0, tile/0/000.p/5.old',
      'history-differs  heads, size 4',
    ])
      expect(out).toContain(`fail ${planted}\n`);
  });
});
