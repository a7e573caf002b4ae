export interface SoakArguments {
  /** Run k of a scenario uses `seed + k`. */
  readonly seed: number;
  /** Runs of each scenario; undefined: what each scenario says is enough for CI. */
  readonly runs: number | undefined;
  /** Names of the scenarios to run; empty: all of them. */
  readonly only: readonly string[];
  /** Where the JSON result goes. */
  readonly results: string;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function usage(names: readonly string[]): string {
  return `Usage: ./assent test --soak [--seed N] [--runs N] [--ci] [--only NAME[,NAME]] [--results FILE]
  --seed N      base of the seeds; run k of a scenario uses N + k (default: by the clock)
  --runs N      runs of each scenario (default ${RUNS})
  --ci          the few runs of each that CI makes
  --only NAME   one scenario, or several with commas: ${names.join(', ')}
  --results F   where the results go (default ${RESULTS})`;
}

const RUNS = 20;
const RUNS_MAX = 100_000;
const SEED_MAX = 0xffff_ffff;
const RESULTS = '.assent/soak/results.json';

/**
 * Pure.
 *
 * @param o `names`: of the scenarios that there are; `seed`: when none is given
 * @throws UsageError
 */
export function parseArguments(args: readonly string[], o: { names: readonly string[]; seed: number }): SoakArguments {
  let parsed: SoakArguments = { seed: o.seed, runs: RUNS, only: [], results: RESULTS };
  for (let index = 0; index < args.length; index += 1) {
    const name = args[index] ?? '';
    if (name === '--ci') {
      parsed = { ...parsed, runs: undefined };
      continue;
    }
    const value = args[(index += 1)];
    if (value === undefined) throw new UsageError(`${name} needs a value, or is not known.`);
    parsed = { ...parsed, ...option(name, value, o.names) };
  }
  return parsed;
}

function option(name: string, value: string, names: readonly string[]): Partial<SoakArguments> {
  switch (name) {
    case '--seed':
      return { seed: wholeNumber(name, value, SEED_MAX) };
    case '--runs':
      return { runs: wholeNumber(name, value, RUNS_MAX) };
    case '--results':
      return { results: value };
    case '--only': {
      const only = value.split(',');
      const unknown = only.filter((wanted) => !names.includes(wanted));
      if (unknown.length > 0) throw new UsageError(`No scenario is called ${unknown.join(', ')}.`);
      return { only };
    }
    default:
      throw new UsageError(`There is no option ${name}.`);
  }
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > max) throw new UsageError(`${name} needs a whole number.`);
  return value;
}
