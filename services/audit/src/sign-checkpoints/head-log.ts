import { type Checkpoint, formatCheckpoint, leafHash } from '@assent/merkle-log';
import type { LogKey } from '../merkle-logs/log-key.ts';
import { HEADS_NAME, HEADS_PREFIX, originOf } from '../merkle-logs/log-layout.ts';
import { LogOwner } from '../merkle-logs/log-owner.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { LogWriter } from '../merkle-logs/log-writer.ts';

/**
 * The log of heads: a tlog whose entries are the heads of the other logs, each the text of that log's checkpoint with
 * one extension line, `at <instant>`. Its own signed checkpoint is the one head that binds all logs: it commits to every
 * head that was ever recorded, and the newest of each log is the state of all logs at that instant. One witness
 * signature and one consistency proof then cover everything.
 *
 * Only what a log's checkpoint file says already is recorded here, so nothing is bound before it is durable.
 */
export class HeadLog {
  readonly origin: string;
  private readonly bound = new Map<string, Checkpoint>();

  private constructor(
    origin: string,
    private readonly store: LogStore,
    private readonly owner: LogOwner,
    private readonly writer: LogWriter,
  ) {
    this.origin = origin;
  }

  /** Becomes the owner of the log of heads. Its first head after that restates every log it is told about. */
  static async take(store: LogStore, key: LogKey, baseOrigin: string): Promise<HeadLog> {
    const origin = originOf(baseOrigin, HEADS_NAME);
    const owner = await LogOwner.take(store, HEADS_NAME);
    const options = { store, key, origin, prefix: HEADS_PREFIX, keepsEntries: true, keepsOffsets: false };
    return new HeadLog(origin, store, owner, await LogWriter.open(options));
  }

  /** Records heads in memory and answers those it recorded: a log that has not grown since its last is left out. */
  record(heads: readonly Checkpoint[], at: string): Checkpoint[] {
    const recorded: Checkpoint[] = [];
    for (const head of heads) {
      if (head.size <= (this.bound.get(head.origin)?.size ?? -1)) continue;
      this.bound.set(head.origin, head);
      recorded.push(head);
      const entry = Buffer.from(formatCheckpoint({ ...head, extensions: [`at ${at}`] }), 'utf8');
      this.writer.add({ hash: leafHash(entry), entry });
    }
    return recorded;
  }

  /**
   * Makes the recorded heads durable and signs them; undefined when there are none.
   * @throws MerkleLogError `stale-owner` when another process took the log of heads
   */
  async commit(): Promise<{ size: number; note: string } | undefined> {
    const checkpoint = await this.writer.commit(() => this.owner.assertCurrent());
    if (checkpoint === undefined) return undefined;
    const note = await new LogFiles(this.store, HEADS_PREFIX).checkpoint();
    return { size: checkpoint.size, note: Buffer.from(note ?? []).toString('utf8') };
  }
}
