import type { Violation } from './scenarios/scenario.ts';

export interface RunRecord {
  readonly scenario: string;
  readonly seed: number;
  readonly seconds: number;
  readonly held: boolean;
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Pure: the runs as a table in Markdown, a row for each scenario; counts are added up, names with `max` keep the highest. */
export function resultTable(records: readonly RunRecord[]): string {
  const rows = [...new Set(records.map(({ scenario }) => scenario))].map((scenario) => {
    const runs = records.filter((record) => record.scenario === scenario);
    const held = runs.filter((run) => run.held).length;
    const seconds = runs.map((run) => run.seconds);
    const seeds = runs.map(({ seed }) => seed);
    return [
      scenario,
      String(runs.length),
      String(held),
      `${Math.min(...seeds)}–${Math.max(...seeds)}`,
      `${median(seconds)} (${Math.max(...seconds)})`,
      counted(runs),
    ];
  });
  const head = ['scenario', 'runs', 'held', 'seeds', 'seconds: median (max)', 'what was done and seen'];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n');
}

function counted(runs: readonly RunRecord[]): string {
  const sums = new Map<string, number>();
  for (const { counts } of runs) {
    for (const [name, count] of Object.entries(counts)) {
      const before = sums.get(name) ?? 0;
      sums.set(name, name.includes('max') ? Math.max(before, count) : before + count);
    }
  }
  return [...sums].map(([name, count]) => `${name} ${Math.round(count)}`).join(', ');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
