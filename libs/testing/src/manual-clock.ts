import type { Clock } from '@assent/service-runtime';

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;

  /** @param start RFC 3339 */
  constructor(start: string) {
    this.#nowMs = Date.parse(start);
    if (Number.isNaN(this.#nowMs)) throw new RangeError('the clock starts at an RFC 3339 time');
  }

  now(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Time passes on both clocks. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError('time passes forwards; use jumpTo to set the wall clock');
    this.#nowMs += ms;
    this.#monotonicMs += ms;
  }

  /** The wall clock is set, to an RFC 3339 time before or after; the monotonic clock does not notice. */
  jumpTo(time: string): void {
    this.#nowMs = Date.parse(time);
  }
}
