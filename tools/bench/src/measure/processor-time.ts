import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Figure } from '../bench.ts';

/**
 * Processor time that processes use while something runs, so that a figure which depends on how many cores they share
 * can be told from one that does not. Linux only; elsewhere it has no figures.
 */
export class ProcessorTime {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #ticksPerSecond = clockTicks();
  readonly #msEach = new Map<string, number[]>();

  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = pids;
  }

  /** Answers what `load` answers, and keeps what each of the named processes used for each sample of it. */
  async during<T extends { readonly latenciesMs: readonly number[] }>(
    names: readonly string[],
    load: () => Promise<T>,
  ): Promise<T> {
    const before = names.map((name) => this.#seconds(name));
    const outcome = await load();
    names.forEach((name, index) => {
      const used = (this.#seconds(name) - (before[index] ?? NaN)) * 1_000;
      if (!Number.isFinite(used)) return;
      const values = this.#msEach.get(name) ?? [];
      this.#msEach.set(name, [...values, used / outcome.latenciesMs.length]);
    });
    return outcome;
  }

  /** The first round warms up and is left out. `sample` is what one sample is, such as a POST. */
  figures(title: string, sample: string): Figure[] {
    return [...this.#msEach].map(([name, values]) => ({
      title: `processor time of ${name}, ${title}`,
      unit: `ms a ${sample}`,
      rounds: values.slice(1),
    }));
  }

  /** User and system time so far; NaN when it can't be had. Source: proc_pid_stat(5), fields 14 and 15. */
  #seconds(name: string): number {
    try {
      const stat = readFileSync(`/proc/${String(this.#pids[name])}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / this.#ticksPerSecond;
    } catch {
      return NaN;
    }
  }
}

function clockTicks(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  } catch {
    return NaN;
  }
}
