import type { BenchResult } from '../bench.ts';
import { report } from './markdown.ts';
import { plot } from './plot.ts';

const kept = (result: Partial<BenchResult>): Parameters<typeof report>[0] => [
  {
    name: 'fold-events',
    measures: 'Ours against bare.',
    ranOn: '2026-11-24',
    machine: 'a machine',
    rounds: 3,
    result: { comparisons: [], figures: [], curves: [], notes: [], ...result },
  },
];

describe('the report of benchmarks', () => {
  const comparison = {
    title: 'events',
    unit: '1/s',
    bare: { label: 'loop', rounds: [100, 200, 400] },
    ours: { label: 'projector', rounds: [60, 120, 160] },
  };

  it('takes the ratio round by round, not of the medians', () => {
    expect(report(kept({ comparisons: [comparison] }))).toContain('| 0.6 (0.4 to 0.6) |');
  });

  it.each([
    [{ atLeast: 0.5 }, '≥ 0.5 met'],
    [{ atLeast: 0.7 }, '≥ 0.7 **missed**'],
    [{ atMost: 0.5 }, '≤ 0.5 **missed**'],
  ])('says whether the goal %j is met', (goal, says) => {
    expect(report(kept({ comparisons: [{ ...comparison, goal }] }))).toContain(says);
  });

  const curve = {
    title: 'growth',
    x: 'events',
    y: 'seconds',
    series: [
      {
        label: 'ours <fold>',
        points: [
          [1e4, 1],
          [1e6, 100],
        ] as const,
      },
    ],
  };

  it('names the fitted exponent of a curve', () => {
    expect(report(kept({ curves: [curve] }))).toContain('exponent 1.00');
  });

  it('plots a curve with its ends on the axes and its label escaped', () => {
    const svg = plot(curve);
    expect(svg).toContain('<polyline points="80.0,310.0 620.0,40.0"');
    expect(svg).toContain('ours &lt;fold&gt;');
  });
});
