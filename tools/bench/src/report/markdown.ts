import type { BenchResult, Comparison, Curve, Figure } from '../bench.ts';
import { fittedExponent, median } from '../measure/statistics.ts';
import { roundFigure } from './round-figure.ts';

/** A kept result, as it lies in docs/benchmarks/<name>.json. */
export interface KeptResult {
  readonly name: string;
  readonly measures: string;
  readonly ranOn: string;
  readonly machine: string;
  readonly rounds: number;
  readonly result: BenchResult;
}

/** docs/benchmarks.md: all kept results, in the order given. */
export function report(kept: readonly KeptResult[]): string {
  return [
    '# Benchmarks',
    '',
    'Made by `./assent bench`; each section by `./assent bench <name>`, which runs it again and rewrites this page. Only ratios are results: ours and a bare baseline in alternating rounds of one run on one machine, after a round of each to warm up. Absolute figures are context and say more about the machine than about Assent. Cells are `median (lowest to highest round)`. Losses stand here like gains. No test asserts a time.',
    '',
    ...kept.flatMap(section),
  ].join('\n');
}

function section({ name, measures, ranOn, machine, rounds, result }: KeptResult): string[] {
  return [
    `## ${name}`,
    '',
    measures,
    '',
    `${ranOn}, ${rounds} rounds, ${machine}.`,
    '',
    ...comparisons(result.comparisons),
    ...figures(result.figures),
    ...result.curves.flatMap((curve, index) => curveLines(name, curve, index)),
    ...result.notes.flatMap((note) => [`- ${note}`]),
    ...(result.notes.length === 0 ? [] : ['']),
  ];
}

function comparisons(all: readonly Comparison[]): string[] {
  if (all.length === 0) return [];
  const rows = all.map((comparison) => {
    const { title, unit, bare, ours } = comparison;
    const sides = [bare, ours].map((side) => `${side.label}: ${spread(side.rounds)}`);
    return `| ${title} (${unit}) | ${sides.join(' | ')} | ${spread(ratios(comparison))} | ${goalText(comparison)} |`;
  });
  return ['| what | bare | ours | ours / bare | goal |', '| --- | --- | --- | --- | --- |', ...rows, ''];
}

function figures(all: readonly Figure[]): string[] {
  if (all.length === 0) return [];
  const rows = all.map(({ title, unit, rounds }) => `| ${title} | ${spread(rounds)} ${unit} |`);
  return ['| context | |', '| --- | --- |', ...rows, ''];
}

function curveLines(name: string, curve: Curve, index: number): string[] {
  const exponents = curve.series.map(({ label, points }) => {
    const values = points.map(([x, y]) => `${roundFigure(x)}: ${roundFigure(y)}`);
    return `${label}: exponent ${fittedExponent(points).toFixed(2)} (${values.join(', ')})`;
  });
  const title = `${curve.title}, ${curve.y} over ${curve.x}`;
  return [`![${title}](benchmarks/${plotFile(name, index)})`, '', `${title}. ${exponents.join('; ')}.`, ''];
}

/** File of a bench's plot in docs/benchmarks/. */
export function plotFile(name: string, index: number): string {
  return `${name}-${index + 1}.svg`;
}

/** Ours / bare of each round. */
export function ratios({ bare, ours }: Comparison): number[] {
  return ours.rounds.map((value, round) => value / (bare.rounds[round] ?? NaN));
}

function goalText(comparison: Comparison): string {
  const { goal } = comparison;
  if (goal === undefined) return '';
  const ratio = median(ratios(comparison));
  const isMet = 'atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost;
  return `${'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`} ${isMet ? 'met' : '**missed**'}`;
}

function spread(values: readonly number[]): string {
  if (values.length === 1) return roundFigure(median(values));
  return `${roundFigure(median(values))} (${roundFigure(Math.min(...values))} to ${roundFigure(Math.max(...values))})`;
}
