import { type TopicName, TOPICS } from '@assent/contracts';
import { bundlePath, decodeLeaf, TILE_WIDTH } from '@assent/merkle-log';
import { LogFiles, valuePath } from '../merkle-logs/log-files.ts';
import { keepsEntries, logName, logPrefix, originOf } from '../merkle-logs/log-layout.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import type { HeadLog, HeadToBind } from '../sign-checkpoints/head-log.ts';

const DAY_MS = 86_400_000;
/** Bundles of one log that go at a time: reading them is what it costs. The next look takes the next ones. */
const BUNDLES_AT_ONCE = 64;

/** For how many days entries of a topic are kept. */
export type EntryRetentionDays = Readonly<Partial<Record<TopicName, number>>>;

export interface EntryRetentionOptions {
  readonly store: LogStore;
  readonly origin: string;
  readonly days: EntryRetentionDays;
  readonly partitionCount: (topic: string) => number;
  readonly now: () => number;
}

/**
 * Lets the oldest entries of topics with limited life go, by policy: whole bundles, and the values only they name. First
 * the heads say from which leaf on entries are kept, signed and durable; then the files go. A crash between the two
 * leaves files that the next look removes.
 */
export class EntryRetention {
  private readonly logs: readonly { topic: TopicName; partition: number; keptMs: number }[];

  /** @throws Error for a topic that is kept for ever, or of which no entries are kept */
  constructor(private readonly options: EntryRetentionOptions) {
    this.logs = Object.entries(options.days).flatMap(([name, days]) => {
      const topic = name as TopicName;
      if (TOPICS[topic].keptForEver || !keepsEntries(topic)) {
        throw new Error(`the entries of ${topic} are not subject to a retention policy`);
      }
      return Array.from({ length: options.partitionCount(topic) }, (_, partition) => {
        return { topic, partition, keptMs: days * DAY_MS };
      });
    });
  }

  /** Heads that say more entries may be missing than is bound so far. */
  async due(heads: HeadLog): Promise<HeadToBind[]> {
    const due: HeadToBind[] = [];
    for (const log of this.logs) {
      const files = this.files(log);
      const head = await files.head();
      if (head === undefined || head.size === 0) continue;
      const bound = heads.bound(this.origin(log))?.firstRetained ?? 0;
      const firstRetained = await this.firstRetained(files, head.size, bound, log.keptMs);
      if (firstRetained > bound) due.push({ ...head, firstRetained });
    }
    return due;
  }

  /**
   * The broker's own time of the newest record bounds what counts as now: a clock that jumps ahead removes nothing that
   * a log without newer records would not lose anyway.
   */
  private async firstRetained(files: LogFiles, size: number, bound: number, keptMs: number): Promise<number> {
    const newest = decodeLeaf(await files.entry(size - 1, size)).timestampMs;
    const before = Math.min(this.options.now(), newest) - keptMs;
    let first = bound;
    for (let bundles = 0; bundles < BUNDLES_AT_ONCE && first + TILE_WIDTH <= size; bundles += 1) {
      const last = decodeLeaf(await files.entry(first + TILE_WIDTH - 1, size));
      if (last.timestampMs >= before) break;
      first += TILE_WIDTH;
    }
    return first;
  }

  /** Removes the files that the heads signed so far say may be missing. Answers how many bundles went. */
  async remove(heads: HeadLog): Promise<number> {
    let removed = 0;
    for (const log of this.logs) {
      const end = (heads.bound(this.origin(log))?.firstRetained ?? 0) / TILE_WIDTH;
      const files = this.files(log);
      let first = end;
      while (first > 0 && (await files.hasBundle(first - 1))) first -= 1;
      // From the oldest on, so that what a crash leaves is found from the newest backwards.
      for (let bundle = first; bundle < end; bundle += 1, removed += 1) await this.removeBundle(log, files, bundle);
    }
    return removed;
  }

  private async removeBundle(
    log: { topic: TopicName; partition: number },
    files: LogFiles,
    bundle: number,
  ): Promise<void> {
    const values = await valuesNamed(files, bundle);
    const size = (await files.head())?.size ?? 0;
    for (let later = bundle + 1; values.size > 0 && later * TILE_WIDTH < size; later += 1) {
      for (const value of await valuesNamed(files, later, size)) values.delete(value);
    }
    const paths = [...[...values].map((hash) => valuePath(Buffer.from(hash, 'hex'))), bundlePath(bundle, TILE_WIDTH)];
    await this.options.store.remove(paths.map((path) => `${logPrefix(log)}/${path}`));
  }

  private files(log: { topic: TopicName; partition: number }): LogFiles {
    return new LogFiles(this.options.store, logPrefix(log));
  }

  private origin(log: { topic: TopicName; partition: number }): string {
    return originOf(this.options.origin, logName(log));
  }
}

/** SHA-256, hex, of the values that a bundle's entries give by hash. */
async function valuesNamed(files: LogFiles, bundle: number, size = Infinity): Promise<Set<string>> {
  const named = new Set<string>();
  for (const entry of await files.bundle(bundle, Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH))) {
    const { value } = decodeLeaf(entry);
    if (value.form === 'by-hash') named.add(Buffer.from(value.sha256).toString('hex'));
  }
  return named;
}
