import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { REPOSITORY } from '@assent/cli';
import type { RunResult, StandaloneScenario } from './scenario.ts';

/** Runs with a seed that one run of the scenario makes: jest and a stack are started once for all of them. */
const KILL_RUNS = 10;
const FREEZE_EVERY = 11;
const TAMPER_SEEDS = 12;
const TAMPER_KINDS_AND_LOGS = 40;
/** Ten runs with four kills each take two minutes on a quiet machine. */
const TIMEOUT_MS = 1_200_000;
const SHOWN_CHARACTERS_MAX = 1_500;

interface JestResults {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Processes of the audit service alone, killed and frozen at moments near a signature; the verifier judges the folder. */
export const auditProcessKilled: StandaloneScenario = {
  name: 'audit-process-killed',
  invariants: ['I9'],
  platform: 'none',
  ciRuns: 0,
  run: ({ seed }) =>
    runSpec({
      file: 'services/audit/src/sign-checkpoints/killed-process.int.spec.ts',
      tier: 'int',
      environment: { AUDIT_KILL_SEED: String(seed * KILL_RUNS), AUDIT_KILL_RUNS: String(KILL_RUNS) },
      counts: { seededRuns: KILL_RUNS },
    }),
};

/** Frozen at a step of a round while another owner goes on; eleven seeds in a row take every step there is. */
export const auditOwnerFrozen: StandaloneScenario = {
  name: 'audit-owner-frozen',
  invariants: ['I9'],
  platform: 'none',
  ciRuns: 0,
  run: ({ seed }) =>
    runSpec({
      file: 'services/audit/src/sign-checkpoints/frozen-owner.spec.ts',
      tier: 'unit',
      environment: { AUDIT_FREEZE_FROM: String(seed % FREEZE_EVERY) },
      counts: {},
    }),
};

/** Exports of the log changed in every way there is; the verifier must name each. */
export const logTampered: StandaloneScenario = {
  name: 'log-tampered',
  invariants: ['I9'],
  platform: 'none',
  ciRuns: 0,
  run: ({ seed }) =>
    runSpec({
      file: 'tools/verifier/src/tamper/tamper.spec.ts',
      tier: 'unit',
      environment: { TAMPER_SEED: String(seed * TAMPER_SEEDS), TAMPER_SEEDS: String(TAMPER_SEEDS) },
      counts: { seededRuns: TAMPER_SEEDS * TAMPER_KINDS_AND_LOGS },
    }),
};

/**
 * A test of the repository with more seeds than it has in CI, by jest in a process of its own. A test that fails is a
 * violation; none at all, too.
 */
async function runSpec(o: {
  file: string;
  tier: 'unit' | 'int';
  environment: Readonly<Record<string, string>>;
  counts: Readonly<Record<string, number>>;
}): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'assent-soak-spec-'));
  const resultsFile = join(folder, 'results.json');
  try {
    const jest = [join('node_modules', 'jest', 'bin', 'jest.js'), o.file, '--selectProjects', o.tier];
    const child = spawn(
      process.execPath,
      ['--experimental-vm-modules', ...jest, '--runInBand', '--forceExit', '--json', `--outputFile=${resultsFile}`],
      {
        cwd: REPOSITORY,
        env: { ...process.env, ...o.environment },
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: TIMEOUT_MS,
      },
    );
    // Nothing is left behind when somebody interrupts: jest then ends what it started.
    const endToo = (): void => {
      child.kill();
    };
    process.once('exit', endToo);
    const errors = await text(child.stderr).finally(() => process.off('exit', endToo));
    const results = readResults(resultsFile);
    if (results === undefined) throw new Error(`${o.file} did not run: ${errors.slice(-SHOWN_CHARACTERS_MAX)}`);
    return judge(results, o);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readResults(file: string): JestResults | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JestResults;
  } catch {
    return undefined;
  }
}

function judge(
  { numPassedTests, testResults }: JestResults,
  { file, counts }: { file: string; counts: Readonly<Record<string, number>> },
): RunResult {
  const failed = testResults.flatMap(({ assertionResults, message }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => ({ invariant: 'I9', what: `${fullName}: ${message.slice(0, SHOWN_CHARACTERS_MAX)}` })),
  );
  const none = numPassedTests + failed.length === 0 ? [{ invariant: 'run', what: `no test of ${file} ran` }] : [];
  return { violations: [...failed, ...none], counts: { tests: numPassedTests, ...counts } };
}
