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
  /** Readers of this process; each move of theirs ends a pause early. Partitions applied elsewhere are polled. */
  readonly signals?: readonly { onAdvanced(listener: (partition: string, next: number) => void): unknown }[];
  /**
   * The reader of this process whose checkpoints `next` answers, when they are those of one alone. It tells a move when
   * that is durable, so what it tells is believed without another look.
   */
  readonly reader?: { readonly onAdvanced: (listener: (partition: string, next: number) => void) => unknown };
  /** Milliseconds of a clock that never goes back. */
  readonly clock: { monotonicMs(): number };
  /**
   * Told once when the store stops answering or the end of a partition becomes stale, and each time the log does not
   * answer.
   */
  readonly logger?: { warn(facts: object, message: string): void };
  /** Told of each end offset that lies below what the log is known to hold; what depends on it is held. */
  readonly onStaleEnd?: () => void;
}

/** Next offset per `topic/partition`, as one call of `Barrier.ends` found them. */
export type LogEnds = ReadonlyMap<string, number>;

export interface BarrierResult {
  /** Per `topic/partition` the end offset that was waited for; the read models hold everything below it. */
  readonly reached: Readonly<Record<string, number>>;
  /** `topic/partition` of those that did not answer or did not catch up in time. What depends on them is held. */
  readonly behind: readonly string[];
  readonly waitedMs: number;
}

interface Target {
  readonly partition: TopicPartition;
  readonly next: number;
}

interface Waiter {
  /** What is still waited for. */
  readonly missing: Map<string, Target>;
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
  readonly #onStaleEnd: () => void;
  /** Per `topic/partition` the highest end or checkpoint seen: the log held every record below it. */
  readonly #known = new Map<string, number>();
  /** Partitions whose last end was stale. */
  readonly #stale = new Set<string>();
  readonly #waiters = new Set<Waiter>();
  #polling = false;
  #pauseMs = PAUSE_MIN_MS;
  #failing = false;
  #signals = 0;
  /** Partitions that the reader has moved: it will tell the next move, too, unless another process took them. */
  readonly #told = new Set<string>();
  #endPause: () => void = () => undefined;

  /** Subscribes to the signals for as long as they live. */
  constructor({ log, next, signals = [], reader, clock, logger, onStaleEnd = () => undefined }: BarrierOptions) {
    this.#log = log;
    this.#next = next;
    this.#clock = clock;
    this.#logger = logger;
    this.#onStaleEnd = onStaleEnd;
    signals.forEach((signal) => {
      signal.onAdvanced((partition, moved) => {
        this.#know(partition, moved);
        this.#signal();
      });
    });
    reader?.onAdvanced((partition, moved) => {
      this.#know(partition, moved);
      this.#told.add(partition);
      this.#settle(this.#waiters, new Map([[partition, moved]]));
    });
  }

  /**
   * Asks for the end offsets now, for several `reach` that are to be about this instant. Those that are not answered
   * within `timeoutMs` are missing, and so will be behind. So is an end that lies below an end or a checkpoint that was
   * seen before: a deposed leader that does not know it answered, or the log has lost records, and either way what was
   * acknowledged may be missing. Does not reject.
   */
  async ends(partitions: readonly TopicPartition[], { timeoutMs }: { timeoutMs: number }): Promise<LogEnds> {
    const deadline = new Deadline(timeoutMs);
    const ends = await this.#credibleEnds(partitions, deadline);
    deadline.cancel();
    return ends;
  }

  /**
   * Asks for the end offsets now, once, as `ends` does, and waits until the checkpoints cover them: every record acknowledged before
   * the call is applied in the partitions `reached`; with `ends` asked for before, every record acknowledged before they
   * were. Takes at most `timeoutMs`, give or take a timer. Does not reject.
   */
  async reach(
    partitions: readonly TopicPartition[],
    { timeoutMs, ends: known }: { timeoutMs: number; ends?: LogEnds },
  ): Promise<BarrierResult> {
    const beganMs = this.#clock.monotonicMs();
    const deadline = new Deadline(timeoutMs);
    const ends = known ?? (await this.#credibleEnds(partitions, deadline));
    const targets = partitions.flatMap((partition) => {
      const next = ends.get(partitionName(partition));
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

  /** The ends that can be believed. Each is held against what was known before it was asked for. */
  async #credibleEnds(partitions: readonly TopicPartition[], deadline: Deadline): Promise<LogEnds> {
    const unseen = partitions.filter((partition) => !this.#known.has(partitionName(partition)));
    const checkpoints = unseen.map((partition) => ({ partition, next: 0 }));
    await this.#wait(checkpoints, deadline);
    const names = partitions.map(partitionName);
    const known = names.map((name) => this.#known.get(name));
    const ends = await Promise.race([this.#ends(partitions), deadline.passed]);
    return new Map(
      names.flatMap((name, index) => {
        const [end, least] = [ends?.get(name), known[index]];
        if (end === undefined || least === undefined || !this.#isCredible(name, end, least)) return [];
        return [[name, end] as const];
      }),
    );
  }

  #isCredible(partition: string, end: number, known: number): boolean {
    if (end >= known) {
      this.#know(partition, end);
      this.#stale.delete(partition);
      return true;
    }
    this.#onStaleEnd();
    if (!this.#stale.has(partition))
      this.#logger?.warn({ partition, end, known }, 'an end offset lies below what the log is known to hold');
    this.#stale.add(partition);
    return false;
  }

  #know(partition: string, next: number): void {
    this.#known.set(partition, Math.max(next, this.#known.get(partition) ?? 0));
  }

  async #ends(partitions: readonly TopicPartition[]): Promise<LogEnds | undefined> {
    try {
      return partitions.length === 0 ? new Map() : await this.#log.endOffsets(partitions);
    } catch (error) {
      this.#warn('the log did not answer its end offsets', error);
      return undefined;
    }
  }

  /** Answers what was not reached when the deadline passed. */
  async #wait(targets: readonly Target[], deadline: Deadline): Promise<ReadonlyMap<string, unknown>> {
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
    for (const name of wanted.keys()) this.#know(name, next.get(name) ?? 0);
    this.#settle(waiters, next);
  }

  /** Ends the waits that these checkpoints end. */
  #settle(waiters: Iterable<Waiter>, next: ReadonlyMap<string, number>): void {
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
      const timer = setTimeout(resolve, this.#willBeTold() ? PAUSE_MAX_MS : this.#pauseMs);
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

  #willBeTold(): boolean {
    return [...this.#waiters].every(({ missing }) => [...missing.keys()].every((name) => this.#told.has(name)));
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
