import { runSoak } from './run-soak.ts';
import { SCENARIOS } from './scenarios/all-scenarios.ts';
import { parseArguments, usage, UsageError } from './soak-arguments.ts';

/** Short enough to type. */
const SEEDS = 1_000_000;
const EXIT = { failed: 1, usage: 64 } as const;

const names = SCENARIOS.map(({ name }) => name);
try {
  const seed = Math.floor(Date.now() / 1_000) % SEEDS;
  process.exitCode = await runSoak(parseArguments(process.argv.slice(2), { names, seed }));
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${usage(names)}`);
  else console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
// A timer or a socket that a cut run left open must not keep the process.
process.exit();
