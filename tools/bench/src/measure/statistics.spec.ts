import { fittedExponent, median, percentile } from './statistics.ts';

describe('statistics of rounds', () => {
  it.each([
    [[3], 3],
    [[4, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('the median of %j is %d', (values, middle) => {
    expect(median(values)).toBe(middle);
  });

  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect([0, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 100, 198, 200]);
  });

  it.each([1, 2, 0.5])('finds the exponent %d of a power law', (exponent) => {
    const points = [10, 100, 5_000].map((x) => [x, 3 * x ** exponent] as const);
    expect(fittedExponent(points)).toBeCloseTo(exponent, 10);
  });
});
