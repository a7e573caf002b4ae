import { parseArguments, UsageError } from './soak-arguments.ts';

const there = { names: ['no-send-after-stop', 'barrier-off-is-seen'], seed: 42 };

describe('the options of a soak', () => {
  it('name seed, runs, scenarios and where the results go', () => {
    const args = [
      '--seed',
      '7',
      '--runs',
      '3',
      '--only',
      'no-send-after-stop,barrier-off-is-seen',
      '--results',
      'r.json',
    ];
    expect(parseArguments(args, there)).toEqual({
      seed: 7,
      runs: 3,
      only: ['no-send-after-stop', 'barrier-off-is-seen'],
      results: 'r.json',
    });
  });

  it('leave the number of runs to the scenarios in CI', () => {
    expect(parseArguments(['--ci'], there)).toMatchObject({ seed: 42, runs: undefined, only: [] });
  });

  it.each([['--seed'], ['--seed', 'x'], ['--seed', '-1'], ['--runs', '1.5'], ['--only', 'nothing'], ['--fast', '1']])(
    'are refused when they are %s %s',
    (...args) => {
      expect(() => parseArguments(args, there)).toThrow(UsageError);
    },
  );
});
