import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchResult } from '../bench.ts';
import { type KeptResult, plotFile, report } from './markdown.ts';
import { plot } from './plot.ts';

/** The same from src/ and from dist/. */
const DOCS = fileURLToPath(new URL('../../../../docs/', import.meta.url));
const RESULTS = join(DOCS, 'benchmarks');

/** Writes a result and its plots to docs/benchmarks, over the one before. */
export function keepResult(
  { name, measures }: Bench,
  ran: { readonly rounds: number; readonly machine: string; readonly result: BenchResult },
): void {
  mkdirSync(RESULTS, { recursive: true });
  const kept: KeptResult = { name, measures, ranOn: new Date().toISOString().slice(0, 10), ...ran };
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(kept, undefined, 2)}\n`);
  ran.result.curves.forEach((curve, index) => {
    writeFileSync(join(RESULTS, plotFile(name, index)), plot(curve));
  });
}

/** Writes docs/benchmarks.md from the kept results; those that never ran are left out. */
export function writeReport(names: readonly string[]): void {
  const files = names.map((name) => join(RESULTS, `${name}.json`)).filter((file) => existsSync(file));
  const kept = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as KeptResult);
  writeFileSync(join(DOCS, 'benchmarks.md'), report(kept));
}
