import { ManualClock } from './manual-clock.ts';

describe('a manual clock', () => {
  it('stands still until time passes, on both clocks alike', () => {
    const clock = new ManualClock('2026-03-01T09:00:00.000Z');
    expect([clock.now(), clock.monotonicMs()]).toEqual([Date.UTC(2026, 2, 1, 9), 0]);
    clock.advance(1_500);
    expect([clock.now(), clock.monotonicMs()]).toEqual([Date.UTC(2026, 2, 1, 9, 0, 1, 500), 1_500]);
  });

  it('can be set back without the monotonic clock going back', () => {
    const clock = new ManualClock('2026-03-01T09:00:00.000Z');
    clock.advance(10);
    clock.jumpTo('2026-02-28T00:00:00.000Z');
    expect([clock.now(), clock.monotonicMs()]).toEqual([Date.UTC(2026, 1, 28), 10]);
    expect(() => {
      clock.advance(-1);
    }).toThrow(RangeError);
    expect(() => new ManualClock('noon')).toThrow(RangeError);
  });
});
