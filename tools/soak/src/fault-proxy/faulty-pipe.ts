import type { Socket } from 'node:net';
import type { DirectionFaults } from './proxy-faults.ts';

/** What one direction of one connection holds back at most; beyond it the source is not read, so TCP holds the rest. */
export const HELD_BYTES_MAX = 1024 * 1024;
/** With a bandwidth, a chunk is cut so that about this many leave a second. */
const SLICES_PER_SECOND = 50;
/** Between the last byte and the reset: a reset in the same packet as data reads like an orderly end. */
const RESET_AFTER_MS = 10;

interface Held {
  readonly bytes: Buffer;
  readonly leavesAtMs: number;
}

/**
 * Carries bytes from one socket to the other as the faults of its direction say at that moment. Keeps their order. When
 * the source ends, the sink is ended behind the last byte.
 */
export class FaultyPipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #faults: () => DirectionFaults;
  readonly #random: () => number;
  readonly #reset: () => void;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #carriedBytes = 0;
  /** How much had been carried when the present limit was set. */
  #countedFrom: { readonly limit: object; readonly bytes: number } | undefined;
  #freeAtMs = 0;
  #ended = false;
  #blocked = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param reset what resets the whole connection */
  constructor(o: {
    source: Socket;
    sink: Socket;
    faults: () => DirectionFaults;
    random: () => number;
    reset: () => void;
  }) {
    this.#source = o.source;
    this.#sink = o.sink;
    this.#faults = o.faults;
    this.#random = o.random;
    this.#reset = o.reset;
    o.source.on('data', (bytes: Buffer) => {
      this.#hold(bytes);
    });
    o.source.on('end', () => {
      this.#ended = true;
      this.flow();
    });
    o.sink.on('drain', () => {
      this.#blocked = false;
      this.flow();
    });
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Forwards what may leave now. Called again whenever the faults change. */
  flow(): void {
    clearTimeout(this.#timer);
    const faults = this.#faults();
    while (!this.#blocked && !faults.stalled) {
      const [next] = this.#held;
      if (next === undefined) break;
      const waitMs = Math.max(next.leavesAtMs, this.#freeAtMs) - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.flow();
        }, waitMs);
        break;
      }
      if (this.#isOverLimit(faults)) {
        this.#timer = setTimeout(this.#reset, RESET_AFTER_MS);
        return;
      }
      this.#forward(next, faults);
    }
    if (this.#heldBytes < HELD_BYTES_MAX) this.#source.resume();
    if (this.#ended && this.#held.length === 0 && !faults.stalled) this.#sink.end();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
    this.#heldBytes = 0;
  }

  #hold(bytes: Buffer): void {
    const { delayMs, jitterMs } = this.#faults();
    // Never before an earlier chunk, or jitter would reorder a byte stream.
    const earliest = this.#held.at(-1)?.leavesAtMs ?? 0;
    const leavesAtMs = Math.max(earliest, performance.now() + delayMs + this.#random() * jitterMs);
    this.#held.push({ bytes, leavesAtMs });
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= HELD_BYTES_MAX) this.#source.pause();
    this.flow();
  }

  #isOverLimit({ resetAfter }: DirectionFaults): boolean {
    return resetAfter !== undefined && this.#carriedSince(resetAfter) >= resetAfter.bytes;
  }

  #carriedSince(limit: object): number {
    if (this.#countedFrom?.limit !== limit) this.#countedFrom = { limit, bytes: this.#carriedBytes };
    return this.#carriedBytes - this.#countedFrom.bytes;
  }

  #forward(next: Held, { resetAfter, bytesPerSecond }: DirectionFaults): void {
    const untilReset = resetAfter === undefined ? Infinity : resetAfter.bytes - this.#carriedSince(resetAfter);
    const slice = bytesPerSecond === undefined ? Infinity : Math.max(1, Math.floor(bytesPerSecond / SLICES_PER_SECOND));
    const bytes = next.bytes.subarray(0, Math.min(next.bytes.length, untilReset, slice));
    const rest = next.bytes.subarray(bytes.length);
    if (rest.length === 0) this.#held.shift();
    else this.#held[0] = { bytes: rest, leavesAtMs: next.leavesAtMs };
    this.#heldBytes -= bytes.length;
    this.#carriedBytes += bytes.length;
    if (bytesPerSecond !== undefined) this.#freeAtMs = performance.now() + (bytes.length / bytesPerSecond) * 1_000;
    this.#blocked = !this.#sink.write(bytes);
  }
}
