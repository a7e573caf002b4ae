import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { checkAuditTrees } from './checkers/audit-trees.ts';
import { EvidenceReader } from './checkers/evidence-reader.ts';
import { auditFolderOf, REPOSITORY } from '@assent/cli';
import { SoakPlatform, withDefaults } from './platform/soak-platform.ts';
import { SCENARIOS } from './scenarios/all-scenarios.ts';
import type { RunResult, Scenario, StandaloneScenario } from './scenarios/scenario.ts';
import type { SoakArguments } from './soak-arguments.ts';
import { resultTable, type RunRecord } from './result-table.ts';
import { SeededRandom } from './traffic/seeded-random.ts';
import { World } from './traffic/world.ts';

const TOPICS = [
  'consent.events',
  'consent.catalog',
  'whatsapp.inbound',
  'suppression.events',
  'dispatch.requests',
  'dispatch.events',
  'dispatch.policy',
  'audit.checkpoints',
] as const;
/** A run that hangs is a failed run. */
const RUN_TIMEOUT_MS = 300_000;

/** A platform with what every run needs of it. */
interface Stage {
  readonly platform: SoakPlatform;
  readonly evidence: EvidenceReader;
  readonly world: World;
}

/**
 * Runs the scenarios, one line for each run, and closes with a table. After each run the audit's trees are compared with
 * the records, too (I9). A failed run is printed with the command that repeats it; its platform is not used again, and
 * what it left is kept.
 *
 * @returns the process exit code: 0 when every run held
 */
export async function runSoak({ seed, runs, only, results }: SoakArguments): Promise<number> {
  const records: RunRecord[] = [];
  const folder = join(tmpdir(), `assent-soak-${process.pid}`);
  const stages = new Stages(folder);
  const endOnSignal = onSignal(() => stages.close());
  try {
    for (const scenario of SCENARIOS) {
      if (only.length > 0 && !only.includes(scenario.name)) continue;
      const count = runs ?? scenario.ciRuns ?? 1;
      for (let run = 0; run < count; run += 1) {
        const record = await runSeed(scenario, seed + run, stages);
        records.push(record);
        report(record, run + 1, count);
        if (!record.held || spoilsPlatform(scenario)) await stages.close();
        writeResults(results, seed, records);
      }
    }
  } finally {
    await stages.close();
    endOnSignal();
  }
  const failed = records.filter(({ held }) => !held);
  console.log(`\n${resultTable(records)}\n`);
  for (const { scenario, seed: failing } of failed) console.log(`repeat: ${repeatCommand(scenario, failing)}`);
  if (failed.length === 0) rmSync(folder, { recursive: true, force: true });
  else console.log(`logs and data of the failed runs: ${folder}`);
  console.log(`soak: ${records.length - failed.length} passed, ${failed.length} failed; results in ${results}`);
  return failed.length === 0 && records.length > 0 ? 0 : 1;
}

/** The platform of the last run, used again by the next one that needs the same. */
class Stages {
  readonly #folder: string;
  #opened = 0;
  #current: { readonly needs: string; readonly stage: Stage } | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(scenario: Scenario, seed: number): Promise<Stage> {
    const needs = JSON.stringify(withDefaults(scenario.platform ?? {}));
    if (this.#current?.needs === needs) return this.#current.stage;
    await this.close();
    this.#opened += 1;
    const stage = await openStage(scenario, join(this.#folder, `${this.#opened}-${scenario.name}`), seed);
    this.#current = { needs, stage };
    return stage;
  }

  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    await current.stage.evidence.close();
    await current.stage.platform.stop();
  }
}

/** Ends in order when somebody interrupts; a second signal ends at once. Answers how to take that back. */
function onSignal(close: () => Promise<void>): () => void {
  let interrupted = false;
  const end = (): void => {
    if (interrupted) process.exit(130);
    interrupted = true;
    console.log('interrupted; the platform is being stopped');
    void close().finally(() => process.exit(130));
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  return () => {
    process.off('SIGINT', end).off('SIGTERM', end);
  };
}

function spoilsPlatform(scenario: Scenario | StandaloneScenario): boolean {
  return scenario.platform !== 'none' && scenario.spoilsPlatform === true;
}

async function runSeed(scenario: Scenario | StandaloneScenario, seed: number, stages: Stages): Promise<RunRecord> {
  let began = performance.now();
  const outcome = await attempt(async () => {
    if (scenario.platform === 'none') return scenario.run({ seed, progress });
    const stage = await stages.open(scenario, seed);
    began = performance.now();
    const result = await runOnce(scenario, stage, seed);
    const trees = checkAuditTrees(auditFolderOf(stage.platform.folder), await stage.evidence.readToEnd());
    return { ...result, violations: [...result.violations, ...trees.violations] };
  });
  const seconds = Number(((performance.now() - began) / 1_000).toFixed(1));
  return { scenario: scenario.name, seed, seconds, ...outcome };
}

function writeResults(file: string, seed: number, records: readonly RunRecord[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...circumstances(seed), runs: records }, null, 2)}\n`);
}

function progress(line: string): void {
  console.log(`    ${line}`);
}

async function runOnce(scenario: Scenario, stage: Stage, seed: number): Promise<RunResult> {
  const late = timeout(RUN_TIMEOUT_MS);
  try {
    return await Promise.race([
      scenario.run({ seed, random: new SeededRandom(seed), progress, ...stage }),
      late.passed,
    ]);
  } finally {
    late.cancel();
  }
}

type Outcome = Omit<RunRecord, 'scenario' | 'seed' | 'seconds'>;

async function attempt(run: () => Promise<RunResult>): Promise<Outcome> {
  try {
    const { violations, counts } = await run();
    return { held: violations.length === 0, violations, counts };
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { held: false, violations: [{ invariant: 'run', what }], counts: {} };
  }
}

async function openStage(scenario: Scenario, folder: string, seed: number): Promise<Stage> {
  const random = new SeededRandom(seed ^ 0x5a5a);
  const platform = await SoakPlatform.start({ ...scenario.platform, folder, random: () => random.next() });
  try {
    const evidence = await EvidenceReader.open(platform.brokers.split(','), TOPICS, `soak-evidence-${process.pid}`);
    return { platform, evidence, world: await World.open(platform, evidence) };
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

function report(record: RunRecord, run: number, of: number): void {
  const { scenario, seed, seconds, held, violations, counts } = record;
  const said = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  console.log(`${held ? '✓' : '✗'} ${scenario} ${run}/${of} seed ${seed} ${seconds} s  ${said.join(', ')}`);
  for (const { invariant, what } of violations.slice(0, 10)) console.log(`    ${invariant}: ${what}`);
  if (violations.length > 10) console.log(`    … ${violations.length - 10} more`);
  if (!held) console.log(`    repeat: ${repeatCommand(scenario, seed)}`);
}

function repeatCommand(scenario: string, seed: number): string {
  return `./assent test --soak --only ${scenario} --seed ${seed} --runs 1`;
}

function circumstances(seed: number): object {
  return {
    at: new Date().toISOString(),
    seed,
    commit: commit(),
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
    loadAverage: loadavg()[0],
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: REPOSITORY,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

function timeout(ms: number): { passed: Promise<never>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the run did not end within ${ms / 1_000} s`));
    }, ms);
  });
  return {
    passed,
    cancel: () => {
      clearTimeout(timer);
    },
  };
}
