import type { Position } from '@assent/contracts';
import type { EventLog, TopicPartition } from '@assent/event-log';

import { partitionName } from './projection-store.ts';

/**
 * First pause between two looks at the checkpoints after somebody began to wait: a consumer on the same host needs 3
 * to 8 ms for a record.
 */
const PAUSE_MIN_MS = 1;

/** Longest pause: bounds what a waiter costs the store while a partition lags. */
const PAUSE_MAX_MS = 20;

/**
 * Waiters at a time; more means that something is stuck, and one more would only grow memory. They are told `behind`.
 */
const WAITERS_MAX = 10_000;

export interface BarrierOptions {
  readonly log: Pick<EventLog, 'endOffsets'>;
  /**
   * Checkpoints per `topic/partition`, read from the primary: `Projector.next`, or the lowest of several projectors.
   */
  readonly next: (partitions: readonly TopicPartition[]) => Promise<ReadonlyMap<string, number>>;
  /** Projectors of this process; each move of theirs ends a pause early. Partitions applied elsewhere are polled. */
  readonly signals?: readonly { onAdvanced(listener: () => void): unknown }[];
  /** Milliseconds of a clock that never goes back. */
  readonly clock: { monotonicMs(): number };
  /** Told once when the store stops answering, and each time the log does not answer. */
  readonly logger?: { warn(facts: object, message: string): void };
}

export interface BarrierResult {
  /** Per `topic/partition` the end offset that was waited for; the read models hold everything below it. */
  readonly reached: Readonly<Record<string, number>>;
  /** `topic/partition` of those that did not answer or did not catch up in time. What depends on them is held. */
  readonly behind: readonly string[];
  readonly waitedMs: number;
}

interface Waiter {
  /** What is still waited for. */
  readonly missing: Map<string, { readonly partition: TopicPartition; readonly next: number }>;
  readonly done: () => void;
}

/**
 * Waits until the own read models have applied the log up to a point (design.md, I2). Never answers on a guess: no
 * answer, no store, no time left are all `behind`. One query at a time serves all waiters.
 */
export class Barrier {
  readonly #log: BarrierOptions['log'];
  readonly #next: BarrierOptions['next'];
  readonly #clock: BarrierOptions['clock'];
  readonly #logger: BarrierOptions['logger'];
  readonly #waiters = new Set<Waiter>();
  #polling = false;
  #pauseMs = PAUSE_MIN_MS;
  #failing = false;
  #signals = 0;
  #endPause: () => void = () => undefined;

  /** Subscribes to the signals for as long as they live. */
  constructor({ log, next, signals = [], clock, logger }: BarrierOptions) {
    this.#log = log;
    this.#next = next;
    this.#clock = clock;
    this.#logger = logger;
    signals.forEach((signal) => {
      signal.onAdvanced(() => {
        this.#signal();
      });
    });
  }

  /**
   * Asks for the end offsets now, once, and waits until the checkpoints cover them: every record acknowledged before
   * the call is applied in the partitions `reached`. Takes at most `timeoutMs`, give or take a timer. Does not reject.
   */
  async reach(partitions: readonly TopicPartition[], { timeoutMs }: { timeoutMs: number }): Promise<BarrierResult> {
    const beganMs = this.#clock.monotonicMs();
    const deadline = new Deadline(timeoutMs);
    const ends = await Promise.race([this.#ends(partitions), deadline.passed]);
    const targets = partitions.flatMap((partition) => {
      const next = ends?.get(partitionName(partition));
      return next === undefined ? [] : [{ partition, next }];
    });
    const missing = await this.#wait(targets, deadline);
    deadline.cancel();
    const reached = targets.filter(({ partition }) => !missing.has(partitionName(partition)));
    const reachedEnds = Object.fromEntries(reached.map(({ partition, next }) => [partitionName(partition), next]));
    return {
      reached: reachedEnds,
      behind: partitions.map(partitionName).filter((name) => !Object.hasOwn(reachedEnds, name)),
      waitedMs: this.#clock.monotonicMs() - beganMs,
    };
  }

  /** Waits until the events at these positions are applied; false when `timeoutMs` passed first. Does not reject. */
  async waitFor(positions: readonly Position[], { timeoutMs }: { timeoutMs: number }): Promise<boolean> {
    const deadline = new Deadline(timeoutMs);
    const targets = positions.map((position) => ({ partition: position, next: position.offset + 1 }));
    const missing = await this.#wait(targets, deadline);
    deadline.cancel();
    return missing.size === 0;
  }

  async #ends(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number> | undefined> {
    try {
      return partitions.length === 0 ? new Map() : await this.#log.endOffsets(partitions);
    } catch (error) {
      this.#warn('the log did not answer its end offsets', error);
      return undefined;
    }
  }

  /** Answers what was not reached when the deadline passed. */
  async #wait(
    targets: readonly { readonly partition: TopicPartition; readonly next: number }[],
    deadline: Deadline,
  ): Promise<ReadonlyMap<string, unknown>> {
    const missing: Waiter['missing'] = new Map();
    for (const { partition, next } of targets) {
      const name = partitionName(partition);
      missing.set(name, { partition, next: Math.max(next, missing.get(name)?.next ?? 0) });
    }
    if (missing.size === 0 || this.#waiters.size >= WAITERS_MAX) {
      return missing;
    }
    await new Promise<void>((done) => {
      const waiter = { missing, done };
      this.#waiters.add(waiter);
      void deadline.passed.then(() => {
        this.#waiters.delete(waiter);
        done();
      });
      this.#pauseMs = PAUSE_MIN_MS;
      this.#signal();
      if (!this.#polling) {
        void this.#poll();
      }
    });
    return missing;
  }

  /** Runs as long as somebody waits. */
  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#waiters.size > 0) {
      const signals = this.#signals;
      await this.#look();
      if (this.#waiters.size > 0) {
        await this.#pause(signals);
      }
    }
    this.#polling = false;
  }

  /** One query for all that is waited for. While the store does not answer nothing is reached. */
  async #look(): Promise<void> {
    const waiters = [...this.#waiters];
    const wanted = new Map(
      waiters.flatMap(({ missing }) => [...missing]).map(([name, { partition }]) => [name, partition]),
    );
    let next: ReadonlyMap<string, number>;
    try {
      next = await this.#next([...wanted.values()]);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) {
        this.#warn('the checkpoints cannot be read', error);
      }
      this.#failing = true;
      return;
    }
    for (const waiter of waiters) {
      for (const [name, target] of waiter.missing) {
        if ((next.get(name) ?? 0) >= target.next) {
          waiter.missing.delete(name);
        }
      }
      if (waiter.missing.size === 0) {
        this.#waiters.delete(waiter);
        waiter.done();
      }
    }
  }

  /** Ends early at a signal, at once if there was one since the last look began, when there were `signals` of them. */
  #pause(signals: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MAX_MS);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#signals !== signals) {
        this.#endPause();
      }
    });
  }

  #signal(): void {
    this.#signals += 1;
    this.#endPause();
  }

  #warn(message: string, error: unknown): void {
    this.#logger?.warn({ error: error instanceof Error ? error.name : typeof error }, message);
  }
}

/** A promise of the end of a span of time. */
class Deadline {
  readonly passed: Promise<undefined>;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.passed = new Promise((resolve) => {
      this.#timer = setTimeout(() => {
        resolve(undefined);
      }, timeoutMs);
    });
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
