import { ClockCheck } from './clock-check.ts';

/** A process whose clock is off by `offMs`, and a store that keeps the true time and takes `answerMs` to tell it. */
function processWith({ offMs = 0, answerMs = 0 }) {
  const time = { trueMs: 1_700_000_000_000, offMs, monotonicMs: 50 };
  let asked = 0;
  const pass = (ms: number): void => {
    time.trueMs += ms;
    time.monotonicMs += ms;
  };
  const check = new ClockCheck({
    clock: { now: () => time.trueMs + time.offMs, monotonicMs: () => time.monotonicMs },
    witness: () => {
      asked += 1;
      const told = time.trueMs;
      pass(answerMs);
      return Promise.resolve(told);
    },
  });
  return { check, time, pass, asked: () => asked };
}

describe('a process whose clock', () => {
  it.each([0, 4_999, -4_999])('differs by %i ms is right', async (offMs) => {
    expect(await processWith({ offMs }).check.offByMs()).toBe(0);
  });

  it.each([3_600_000, -3_600_000, 5_001, -5_001])('differs by %i ms is off by that', async (offMs) => {
    expect(await processWith({ offMs }).check.offByMs()).toBe(offMs);
  });

  it('is right is not blamed for a store that answers late', async () => {
    expect(await processWith({ answerMs: 60_000 }).check.offByMs()).toBe(0);
  });

  it('was right and jumps is off at once', async () => {
    const { check, time, asked } = processWith({});
    expect(await check.offByMs()).toBe(0);
    expect(await check.offByMs()).toBe(0);
    expect(asked()).toBe(1);
    time.offMs = 3_600_000;
    expect(await check.offByMs()).toBe(3_600_000);
  });

  it('was off is right again once it is set', async () => {
    const { check, time } = processWith({ offMs: -3_600_000 });
    await check.offByMs();
    time.offMs = 0;
    expect(await check.offByMs()).toBe(0);
  });

  it('drifts slowly is compared again after a while', async () => {
    const { check, time, pass } = processWith({});
    await check.offByMs();
    pass(5_000);
    // The monotonic clock drifted along, as after a pause of the whole machine.
    time.trueMs += 3_600_000;
    time.offMs -= 3_600_000;
    expect(await check.offByMs()).toBe(-3_600_000);
  });

  it('is not known without an answer of the store', async () => {
    const check = new ClockCheck({
      clock: { now: () => 0, monotonicMs: () => 0 },
      witness: () => Promise.reject(new Error('down')),
    });
    await expect(check.offByMs()).rejects.toThrow('down');
  });
});
