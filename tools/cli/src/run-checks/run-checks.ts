import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type Check, CHECKS, SOAK_PROGRAM } from './checks.ts';

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

interface SoakResults {
  readonly runs: readonly { readonly held: boolean }[];
}

interface JestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}

/** How much of a failed step's output is shown; the whole of it stays in `.assent/test/`. */
const SHOWN_LINES_MAX = 120;
/** A step that prints nothing for this long says that it is still at work. */
const STILL_RUNNING_MS = 30_000;

/**
 * `./assent test --soak`: the soak harness alone, its output as it comes; see docs/reliability.md.
 *
 * @param args its own options
 * @returns its exit code
 */
export function runSoakOnly(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [SOAK_PROGRAM, ...args], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
}

/**
 * Runs every check, one after the other, each with a line of its own, and closes with `tests: N passed, N failed`.
 * A failed step does not stop the others. `only` names the steps to run.
 *
 * @returns the process exit code: 0 when nothing failed.
 */
export async function runChecks(only: readonly string[]): Promise<number> {
  const unknown = only.filter((name) => !CHECKS.some((check) => check.name === name));
  if (unknown.length > 0) {
    console.error(
      `assent test: no step is called ${unknown.join(', ')}; there are ${CHECKS.map((c) => c.name).join(', ')}`,
    );
    return 64;
  }
  mkdirSync('.assent/test', { recursive: true });
  let passed = 0;
  let failed = 0;
  for (const check of CHECKS.filter(({ name }) => only.length === 0 || only.includes(name))) {
    const outcome = await runCheck(check);
    passed += outcome.passed;
    failed += outcome.failed;
  }
  console.log(`tests: ${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function runCheck(check: Check): Promise<Outcome> {
  const log = `.assent/test/${check.name}.log`;
  const startedAt = performance.now();
  const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  console.log(`… ${check.name}: ${check.shows}`);
  for (const results of [check.jestResults, check.soakResults])
    if (results !== undefined) rmSync(results, { force: true });
  const ticker = setInterval(() => {
    console.log(`  ${check.name} still running, ${elapsed()}`);
  }, STILL_RUNNING_MS);
  const code = await run(check, log);
  clearInterval(ticker);
  const outcome = count(check, code);
  const mark = outcome.failed === 0 ? '✓' : '✗';
  console.log(`${mark} ${check.name}: ${outcome.passed} passed, ${outcome.failed} failed, ${elapsed()}`);
  if (outcome.failed > 0) showFailure(log);
  return outcome;
}

async function run(check: Check, log: string): Promise<number> {
  const output = createWriteStream(log);
  const [command, ...args] = check.command;
  const child = spawn(command, args, {
    env: { ...process.env, ...check.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const code = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      output.write(`${error.message}\n`);
      resolve(127);
    });
    child.on('close', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
  output.end();
  await finished(output);
  return code;
}

/** A soak step that wrote no results, or made no run, has failed whatever its exit code. */
function countSoak(file: string, code: number): Outcome {
  let results: SoakResults;
  try {
    results = JSON.parse(readFileSync(file, 'utf8')) as SoakResults;
  } catch {
    return { passed: 0, failed: 1 };
  }
  const passed = results.runs.filter(({ held }) => held).length;
  const failed = results.runs.length - passed;
  return { passed, failed: failed === 0 && (code !== 0 || passed === 0) ? 1 : failed };
}

/** A jest step that wrote no results, or found no test, has failed whatever its exit code. */
function count(check: Check, code: number): Outcome {
  if (check.soakResults !== undefined) return countSoak(check.soakResults, code);
  if (check.jestResults === undefined) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  let results: JestResults;
  try {
    results = JSON.parse(readFileSync(check.jestResults, 'utf8')) as JestResults;
  } catch {
    return { passed: 0, failed: 1 };
  }
  const failed = Math.max(results.numFailedTests, results.numFailedTestSuites);
  const nothingRan = results.numPassedTests + results.numFailedTests === 0;
  return { passed: results.numPassedTests, failed: failed === 0 && (code !== 0 || nothingRan) ? 1 : failed };
}

function showFailure(log: string): void {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n');
  const hidden = lines.length - SHOWN_LINES_MAX;
  if (hidden > 0) console.log(`    … ${hidden} lines before; all of them in ${log}`);
  for (const line of lines.slice(-SHOWN_LINES_MAX)) console.log(`    ${line}`);
}
