import { TILE_WIDTH } from '@assent/merkle-log';
import { type BoundHead, decodeHeadEntry } from './head-entry.ts';
import type { LogFiles } from './log-files.ts';

/** Entries after which the newest head of every log is stated again, so that nobody has to look further back. */
export const RESTATED_WITHIN = 4_096;
/** Entries from the end among which every log has its newest head: those, and one for each log of a large installation. */
const LOOKED_AT = 2 * RESTATED_WITHIN;
/** Heads remembered of one log: for proofs at a size that was the newest a little while ago. */
const REMEMBERED_MAX = 64;

/** An entry of the log of heads, where it is. */
export interface PlacedHead {
  /** Its number in the log of heads. */
  readonly index: number;
  readonly entry: Uint8Array;
  readonly head: BoundHead;
}

/** The newest heads that the log of heads binds, read from it and remembered: an answer reads what is new only. */
export class BoundHeads {
  private readonly byOrigin = new Map<string, PlacedHead[]>();
  private readTo = 0;
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly heads: LogFiles) {}

  /** Reads on to this size of the log of heads. Rejects with what the store does, and goes on from there next time. */
  async readUpTo(size: number): Promise<void> {
    const reading = this.reading.catch(() => undefined).then(() => this.readNow(size));
    this.reading = reading;
    return reading;
  }

  /** The newest head of a log among the first `headsSize` entries; of that size of the log, if one is asked for. */
  newest(origin: string, headsSize: number, size?: number): PlacedHead | undefined {
    return this.byOrigin
      .get(origin)
      ?.findLast(({ index, head }) => index < headsSize && (size === undefined || head.size === size));
  }

  private async readNow(size: number): Promise<void> {
    this.readTo = Math.max(this.readTo, size - LOOKED_AT);
    while (this.readTo < size) {
      const bundle = Math.floor(this.readTo / TILE_WIDTH);
      const end = Math.min(size, (bundle + 1) * TILE_WIDTH);
      const entries = await this.heads.bundle(bundle, end - bundle * TILE_WIDTH);
      for (let index = this.readTo; index < end; index += 1) {
        const entry = entries[index - bundle * TILE_WIDTH];
        if (entry !== undefined) this.remember({ index, entry, head: decodeHeadEntry(entry) });
      }
      this.readTo = end;
    }
  }

  private remember(placed: PlacedHead): void {
    const known = this.byOrigin.get(placed.head.origin) ?? [];
    this.byOrigin.set(placed.head.origin, [...known.slice(1 - REMEMBERED_MAX), placed]);
  }
}
