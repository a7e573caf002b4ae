/** One step of `./assent test`: a command whose exit code decides, and how to count what it checked. */
export interface Check {
  readonly name: string;
  /** What it shows, for people. */
  readonly shows: string;
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** jest steps write their results as JSON; other steps count as one check each. */
  readonly jestResults?: string;
  /** The soak step writes its runs as JSON; each counts as a test. */
  readonly soakResults?: string;
}

/** Where `./assent test --soak` and the soak step are: the built harness. */
export const SOAK_PROGRAM = 'tools/soak/dist/main.js';
const SOAK_RESULTS = '.assent/test/soak.json';
/** One seed for CI, so that it says the same of the same code; other seeds are for `--soak`. */
const SOAK_SEED = '516064';

/** `--experimental-vm-modules`: jest runs Nest 12, which is ESM only. The other flag hides the notice about that. */
const JEST_ENVIRONMENT = { NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' };

function jest(tier: 'unit' | 'int' | 'e2e', shows: string, ...options: string[]): Check {
  const jestResults = `.assent/test/${tier}.json`;
  return {
    name: tier,
    shows,
    command: [
      process.execPath,
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      tier,
      '--json',
      `--outputFile=${jestResults}`,
      ...options,
    ],
    environment: JEST_ENVIRONMENT,
    jestResults,
  };
}

function bin(name: string, ...options: string[]): readonly [string, ...string[]] {
  return [`node_modules/.bin/${name}`, ...options];
}

/** In the order of their price: the cheapest way to be wrong comes first. */
export const CHECKS: readonly Check[] = [
  { name: 'format', shows: 'every file is formatted', command: ['npm', 'run', '--silent', 'format:check'] },
  {
    name: 'generated',
    shows: 'types, tables and documents match the schemas, data and rules they are made from',
    command: ['npm', 'run', '--silent', 'generate:check', '-w', '@assent/contracts', '-w', '@assent/send-rules'],
  },
  { name: 'types', shows: 'the whole repository type-checks', command: bin('tsc', '-p', 'tsconfig.json') },
  { name: 'lint', shows: 'lint rules hold', command: ['npm', 'run', '--silent', 'lint'] },
  {
    name: 'boundaries',
    shows: 'who imports whom; every rule can fail',
    command: [process.execPath, 'tools/boundaries/check-boundaries.mjs'],
  },
  { name: 'unused', shows: 'no file, export or dependency is unused', command: bin('knip', '--no-progress') },
  jest('unit', 'pure rules'),
  {
    name: 'mutations',
    shows: 'a test notices every changed figure of a send rule',
    command: ['npm', 'run', '--silent', 'mutate', '-w', '@assent/send-rules'],
  },
  jest('int', 'services and adapters on the real local stack', '--runInBand', '--forceExit'),
  jest('e2e', 'stories across services', '--runInBand', '--forceExit'),
  {
    name: 'soak',
    shows: 'a few seeded runs under crashes, pauses and lag',
    command: [process.execPath, SOAK_PROGRAM, '--ci', '--seed', SOAK_SEED, '--results', SOAK_RESULTS],
    soakResults: SOAK_RESULTS,
  },
];
