import { type Checkpoint, openCheckpoint, sameHash } from '@assent/merkle-log';
import { decodeHeadEntry } from '../merkle-logs/head-entry.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import type { LogReader } from '../merkle-logs/log-store.ts';
import { type AuditProcess, key, origin } from './audit-process.fixture.ts';

/** Signed heads that somebody could see: in the store, and in what was announced. */
export class SeenHeads {
  private readonly notes = new Map<string, Set<string>>();
  private readonly sizes = new Map<string, number>();
  private readonly events: AuditProcess['announced'] = [];

  /** @param logs names of the topics' logs to look at; the log of heads is one more */
  constructor(private readonly logs: readonly string[]) {}

  /** Looks at every checkpoint in the store; none may be smaller than one that was there before, and all have tiles. */
  async look(store: LogReader): Promise<void> {
    for (const log of ['heads', ...this.logs]) {
      const files = filesOf(store, log);
      const note = await files.checkpoint();
      if (note === undefined) continue;
      const { size, root } = this.add(log, Buffer.from(note).toString('utf8'));
      expect(sameHash(await files.tree(size).root(), root)).toBe(true);
    }
  }

  announced(events: AuditProcess['announced']): void {
    this.events.push(...events);
    for (const { data } of events) this.notes.set('heads', (this.notes.get('heads') ?? new Set()).add(data.note));
  }

  /** Every note that was ever seen is of the tree that is there at the end, and every event says what its head binds. */
  async verify(store: LogReader): Promise<void> {
    for (const [log, notes] of this.notes) {
      const files = filesOf(store, log);
      const size = (await files.head())?.size ?? 0;
      const tree = files.tree(size);
      for (const note of notes) {
        const seen = opened(log, note);
        expect(seen.size).toBeLessThanOrEqual(size);
        expect(sameHash(await tree.root(seen.size), seen.root)).toBe(true);
      }
    }
    for (const { data } of this.events) {
      const bound = await boundIn(store, opened('heads', data.note).size);
      for (const [log, { size, root }] of Object.entries(data.logs)) {
        expect(bound).toContain(`${origin}/${log} ${String(size)} ${root}`);
      }
    }
  }

  private add(log: string, note: string): Checkpoint {
    const head = opened(log, note);
    expect({ log, size: head.size }).toEqual({ log, size: Math.max(head.size, this.sizes.get(log) ?? 0) });
    this.sizes.set(log, head.size);
    this.notes.set(log, (this.notes.get(log) ?? new Set()).add(note));
    return head;
  }
}

/** The heads among the first `size` entries of the log of heads, fewer than a bundle. */
async function boundIn(store: LogReader, size: number): Promise<string[]> {
  const entries = await filesOf(store, 'heads').bundle(0, size);
  return entries.map((entry) => {
    const head = decodeHeadEntry(entry);
    return `${head.origin} ${String(head.size)} ${Buffer.from(head.root).toString('base64')}`;
  });
}

function filesOf(store: LogReader, log: string): LogFiles {
  return new LogFiles(store, log === 'heads' ? 'public/heads' : `public/logs/${log}`);
}

function opened(log: string, note: string): Checkpoint {
  const of = `${origin}/${log}`;
  return openCheckpoint(Buffer.from(note), of, key.verifiers(of));
}
