import type { LogStore } from './log-store.ts';
import { ownersPath } from './log-layout.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

const EPOCH_DIGITS = 12;

/**
 * Who may write a log. Each owner takes the next epoch by creating an object named after it, which succeeds once; an
 * owner with a lower epoch than the newest must stop.
 *
 * The check and the write that follows it are two steps, so a process frozen between them can still write after it lost
 * the log. For the log of a topic that is harmless: its tiles are a function of the topic, so what such a zombie writes
 * are the same bytes the new owner writes, and its checkpoint is an older one of the same tree, which the owner replaces
 * with its next. The log of heads is not such a function; its residual is a freeze, longer than the consumer group's
 * session timeout, in exactly that gap.
 */
export class LogOwner {
  private constructor(
    private readonly store: LogStore,
    private readonly path: string,
    readonly epoch: number,
  ) {}

  /**
   * Becomes the owner of the log. Durable when it resolves. Whoever else takes it meanwhile is the owner then; this one
   * learns so at its first commit.
   */
  static async take(store: LogStore, name: string): Promise<LogOwner> {
    const path = ownersPath(name);
    for (;;) {
      const older = await epochs(store, path);
      const epoch = (older.at(-1) ?? 0) + 1;
      // When the object is there already, somebody else has moved on: progress was made, so this ends.
      if (!(await store.create(`${path}/${nameOf(epoch)}`))) continue;
      await store.remove(older.slice(0, -1).map((old) => `${path}/${nameOf(old)}`));
      return new LogOwner(store, path, epoch);
    }
  }

  /** @throws MerkleLogError `stale-owner` when somebody took the log after this owner did */
  async assertCurrent(): Promise<void> {
    const newest = (await epochs(this.store, this.path)).at(-1);
    if (newest !== this.epoch) throw new MerkleLogError('stale-owner', `${this.path} has another owner`);
  }
}

function nameOf(epoch: number): string {
  return String(epoch).padStart(EPOCH_DIGITS, '0');
}

async function epochs(store: LogStore, path: string): Promise<number[]> {
  return (await store.list(path)).filter((name) => /^\d{12}$/.test(name)).map(Number);
}
