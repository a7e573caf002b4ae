import { SeededRandom } from './seeded-random.ts';

const drawn = (seed: number): number[] => {
  const random = new SeededRandom(seed);
  return Array.from({ length: 1_000 }, () => random.integer(1, 6));
};

describe('a seeded generator', () => {
  it('gives equal sequences for equal seeds, and others for others', () => {
    expect(drawn(7)).toEqual(drawn(7));
    expect(drawn(7)).not.toEqual(drawn(8));
  });

  it('gives every whole number of a range, and nothing outside it', () => {
    expect([...new Set(drawn(1))].sort()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('shuffles without losing or doubling anything', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = new SeededRandom(3).shuffled(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });

  it('picks nothing from nothing', () => {
    expect(() => new SeededRandom(1).pick([])).toThrow(RangeError);
  });
});
