import { RateLimits } from './rate-limits.ts';

const codeAfter = (limits: RateLimits, person: string, nowMs: number): number | undefined => {
  try {
    limits.take('100', person, nowMs);
    return undefined;
  } catch (error) {
    return (error as { code: number }).code;
  }
};

describe('the rate limits', () => {
  it('let one business number send so many messages a second to all its people', () => {
    const limits = new RateLimits(3);
    expect([1, 2, 3, 4].map((person) => codeAfter(limits, `p${person}`, 0))).toEqual([
      undefined,
      undefined,
      undefined,
      130429,
    ]);
    expect(codeAfter(limits, 'p5', 334)).toBeUndefined();
    expect(codeAfter(limits, 'p6', 334)).toBe(130429);
  });

  it('let 45 messages in a row go to one person, then one every six seconds', () => {
    const limits = new RateLimits(1_000);
    for (let count = 0; count < 45; count += 1) expect(codeAfter(limits, 'ada', 0)).toBeUndefined();
    expect(codeAfter(limits, 'ada', 0)).toBe(131056);
    expect(codeAfter(limits, 'bob', 0)).toBeUndefined();
    expect(codeAfter(limits, 'ada', 5_999)).toBe(131056);
    expect(codeAfter(limits, 'ada', 6_000)).toBeUndefined();
    expect(codeAfter(limits, 'ada', 6_000)).toBe(131056);
  });
});
