import type { Clock } from './clock.ts';

/**
 * How far this process's clock may be from the store's, ms: the allowance for skew that withdrawals are given too
 * (libs/consent-state). Machines that keep time differ by far less.
 */
export const CLOCK_OFF_MAX_MS = 5_000;

/** How long an answer of the store counts, monotonic ms. A jump of the own clock is noticed at once, not after this. */
const WITNESS_KEPT_MS = 5_000;

/** Longest wait for the store's answer, ms: who asks has a request or a send in hand. */
const WITNESS_TIMEOUT_MS = 1_000;

class ClockUnknownError extends Error {
  override readonly name = 'ClockUnknownError';
  readonly code = 'clock-unknown';
}

/** What this process compares its clock with. */
export type ClockWitness = () => Promise<number>;

interface Reading {
  /** The witness's time, epoch ms; it was read at most `spreadMs` before `atMs`. */
  readonly witnessMs: number;
  readonly spreadMs: number;
  /** Monotonic ms. */
  readonly atMs: number;
}

/**
 * Whether this process's wall clock agrees with the store's. When they differ nobody here can tell which is wrong, so
 * what depends on the time of day is held (I3): a clock that is fast would send before the time, refuse as expired what
 * is not, and stamp a withdrawal so late that it beats a later grant; one that is slow would stamp it too early to win.
 */
export class ClockCheck {
  readonly #clock: Clock;
  readonly #witness: ClockWitness;
  readonly #logger: { warn(facts: object, message: string): void } | undefined;
  #reading: Promise<Reading> | undefined;
  #last: Reading | undefined;
  #wasOff = false;

  /** @param witness the time of somebody else, epoch ms, read once it is asked */
  constructor(o: { clock: Clock; witness: ClockWitness; logger?: { warn(facts: object, message: string): void } }) {
    this.#clock = o.clock;
    this.#witness = o.witness;
    this.#logger = o.logger;
  }

  /**
   * Milliseconds by which this process's clock is ahead of (positive) or behind the store's, 0 while they agree within
   * {@link CLOCK_OFF_MAX_MS}. Asks the store when its last answer is old or does not fit the clock.
   *
   * @throws the store's error, ClockUnknownError when it does not answer in time
   */
  async offByMs(): Promise<number> {
    const known = this.#last;
    const fresh = known !== undefined && this.#clock.monotonicMs() - known.atMs < WITNESS_KEPT_MS;
    if (fresh && this.#differenceFrom(known) === 0) return 0;
    const offByMs = this.#differenceFrom(await this.#read());
    if (offByMs !== 0 && !this.#wasOff) this.#logger?.warn({ offByMs }, 'the clock is off; what needs the time waits');
    this.#wasOff = offByMs !== 0;
    return offByMs;
  }

  #differenceFrom({ witnessMs, spreadMs, atMs }: Reading): number {
    const latest = witnessMs + (this.#clock.monotonicMs() - atMs);
    const ahead = this.#clock.now() - latest;
    // The witness was read some time before its answer came, so the true time lies up to that much later.
    if (ahead > CLOCK_OFF_MAX_MS + spreadMs) return Math.round(ahead - spreadMs);
    return ahead < -CLOCK_OFF_MAX_MS ? Math.round(ahead) : 0;
  }

  /** One question at a time serves all who ask. */
  #read(): Promise<Reading> {
    this.#reading ??= this.#ask().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #ask(): Promise<Reading> {
    const askedMs = this.#clock.monotonicMs();
    const witnessMs = await inTime(this.#witness());
    const atMs = this.#clock.monotonicMs();
    this.#last = { witnessMs, spreadMs: atMs - askedMs, atMs };
    return this.#last;
  }
}

async function inTime(answer: Promise<number>): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ClockUnknownError('the store did not tell its time'));
    }, WITNESS_TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
