import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Bench, BenchContext, BenchResult } from '../bench.ts';

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));
const LOADER = join(REPOSITORY, 'libs/testing/src/run-from-source.mjs');
const WRITER = join(REPOSITORY, 'tools/bench/src/verify-audit-log/write-log.fixture.ts');
const VERIFIER = join(REPOSITORY, 'tools/verifier/dist/assent-verify.mjs');
const SIZES = [10_000, 100_000, 1_000_000, 10_000_000] as const;
const MEMORY_POLL_MS = 20;

const run = promisify(execFile);

export const verifyAuditLog: Bench = {
  name: 'verify-audit-log',
  measures:
    'The self-contained verifier on audit folders of growing size, every check on: time and peak resident memory of its process.',
  run: measure,
};

async function measure({ folder, isTrial, progress }: BenchContext): Promise<BenchResult> {
  const seconds: [number, number][] = [];
  const megabytes: [number, number][] = [];
  for (const wanted of isTrial ? [1_000, 4_000] : SIZES) {
    const log = join(folder, `log-${wanted}`);
    progress(`writing a log of ${wanted} leaves`);
    const from = ['--conditions=@assent/source', '--import', LOADER, WRITER, log, String(wanted)];
    const leaves = Number((await run(process.execPath, from)).stdout);
    progress(`verifying ${leaves} leaves`);
    const cost = await verify(log);
    seconds.push([leaves, cost.seconds]);
    megabytes.push([leaves, cost.peakMb]);
    await rm(log, { recursive: true });
  }
  return {
    comparisons: [],
    figures: [],
    curves: [
      { title: 'Time to verify', x: 'leaves', y: 'seconds', series: [{ label: 'verifier', points: seconds }] },
      { title: 'Peak memory', x: 'leaves', y: 'MB resident', series: [{ label: 'verifier', points: megabytes }] },
    ],
    notes: [
      'One run per size. Every person has a grant, a decision, an attempt and its outcome: four valid events of realistic length, 1.4 KB a leaf in files, in 12 partitions each of two topics; a head of every log that grew each 4,000 leaves.',
      'The folder was just written, so what fits is read from the page cache. What is sorted on disk goes to the folder for temporary files.',
    ],
  };
}

async function verify(log: string): Promise<{ seconds: number; peakMb: number }> {
  const beganAt = performance.now();
  const child = spawn(process.execPath, [VERIFIER, log, '--no-state'], { stdio: 'ignore' });
  let peakMb = 0;
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, peakOf(child.pid ?? 0));
  }, MEMORY_POLL_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  if (code !== 0) throw new Error(`the verifier found faults in a clean log (exit code ${String(code)})`);
  return { seconds: (performance.now() - beganAt) / 1_000, peakMb };
}

/** Highest resident set so far; Linux only. 0 when the process is gone. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
