import { resultTable, type RunRecord } from './result-table.ts';

const run = (change: Partial<RunRecord>): RunRecord => ({
  scenario: 'crash',
  seed: 1,
  seconds: 10,
  held: true,
  violations: [],
  counts: {},
  ...change,
});

describe('the table of results', () => {
  it('has a row for each scenario: runs, how many held, seeds, time, counts added up and highest values', () => {
    const table = resultTable([
      run({ seed: 4, counts: { kills: 2, maxReadyMs: 900 } }),
      run({ seed: 5, seconds: 14, held: false, counts: { kills: 3, maxReadyMs: 400 } }),
      run({ scenario: 'clock', seed: 1 }),
    ]);
    expect(table.split('\n').slice(2)).toEqual([
      '| crash | 2 | 1 | 4–5 | 14 (14) | kills 5, maxReadyMs 900 |',
      '| clock | 1 | 1 | 1–1 | 10 (10) |  |',
    ]);
  });
});
