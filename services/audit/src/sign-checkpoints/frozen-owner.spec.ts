import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, sameHash } from '@assent/merkle-log';
import { FolderLogStore } from '../merkle-logs/folder-log-store.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import type { LogReader, LogStore } from '../merkle-logs/log-store.ts';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { AuditProcess, key, NOW_MS, origin } from './audit-process.fixture.ts';

/** Each step in a folder costs a dozen syncs; every one of them is for the long runs (`AUDIT_FREEZE_EVERY=1`). */
const FOLDER_STEPS_EVERY = Number(process.env['AUDIT_FREEZE_EVERY'] ?? 11);
const LOGS = ['heads', 'logs/consent.events/0', 'logs/dispatch.events/1'];
const PARTITIONS = [
  { topic: 'consent.events', partition: 0 },
  { topic: 'dispatch.events', partition: 1 },
];
const originOf = (log: string): string => `${origin}/${log.replace('logs/', '')}`;

/** Signed notes that somebody could see, by log. */
class Seen {
  private readonly notes = new Map<string, Set<string>>();
  private readonly sizes = new Map<string, number>();

  /** Looks at every checkpoint in the store; none may be smaller than one that was there before. */
  async look(store: LogReader): Promise<void> {
    for (const log of LOGS) {
      const note = await store.read(`public/${log}/checkpoint`);
      if (note !== undefined) this.add(log, Buffer.from(note).toString('utf8'));
    }
  }

  private add(log: string, note: string): void {
    const { size } = this.open(log, note);
    expect({ log, size }).toEqual({ log, size: Math.max(size, this.sizes.get(log) ?? 0) });
    this.sizes.set(log, size);
    this.notes.set(log, (this.notes.get(log) ?? new Set()).add(note));
  }

  announced(note: string): void {
    this.notes.set('heads', (this.notes.get('heads') ?? new Set()).add(note));
  }

  private open(log: string, note: string) {
    return openCheckpoint(Buffer.from(note), originOf(log), key.verifiers(originOf(log)));
  }

  /** Every note that was ever seen is of the tree that is there at the end: no fork. */
  async verify(store: LogReader): Promise<void> {
    for (const [log, notes] of this.notes) {
      const files = new LogFiles(store, `public/${log}`);
      const size = (await files.head())?.size ?? 0;
      const tree = files.tree(size);
      for (const note of notes) {
        const seen = this.open(log, note);
        expect(seen.size).toBeLessThanOrEqual(size);
        expect(sameHash(await tree.root(seen.size), seen.root)).toBe(true);
      }
    }
  }
}

interface Stores {
  readonly frozen: LogStore;
  readonly live: LogStore;
  beforeStep(before: () => Promise<void> | void): void;
}

/** Two processes; the first is frozen at one step of a round of signing, and goes on when the second has moved on. */
async function freezeAt(step: number, { frozen, live, beforeStep }: Stores): Promise<'froze' | 'ended'> {
  const seen = new Seen();
  const [old, owner] = [new AuditProcess(frozen), new AuditProcess(live)];
  await old.take(PARTITIONS);
  await old.apply('consent.events', 0, 0, 250);
  await old.apply('dispatch.events', 1, 0, 3);
  await old.signer.tick();
  await old.apply('consent.events', 0, 250, 30);
  await old.apply('dispatch.events', 1, 3, 1);
  await seen.look(live);
  let left = step;
  let thaw = (): void => undefined;
  let froze = (): void => undefined;
  const thawed = new Promise<void>((resolve) => (thaw = resolve));
  const isFrozen = new Promise<'froze'>((resolve) => {
    froze = () => {
      resolve('froze');
    };
  });
  beforeStep(() => {
    left -= 1;
    if (left > -1) return undefined;
    froze();
    return thawed;
  });
  const round = old.signer.tick().then(() => 'ended' as const);
  const outcome = await Promise.race([isFrozen, round]);
  await seen.look(live);
  const taken = await owner.take(PARTITIONS);
  for (const [name, upTo] of [
    ['consent.events/0', 300],
    ['dispatch.events/1', 5],
  ] as const) {
    const next = taken.get(name)!.next;
    const [topic, partition] = name.split('/');
    await owner.apply(topic!, Number(partition), next, upTo - next);
  }
  await owner.signer.tick();
  await seen.look(live);
  beforeStep(() => undefined);
  thaw();
  await round;
  await seen.look(live);
  await owner.apply('dispatch.events', 1, 5, 1);
  await owner.signer.tick();
  await old.signer.tick();
  await seen.look(live);
  expect([await owner.size('consent.events/0'), await owner.size('dispatch.events/1')]).toEqual([300, 6]);
  for (const { announced } of [old, owner]) for (const { data } of announced) seen.announced(data.note);
  await seen.verify(live);
  return outcome;
}

/** Freezes at every step there is, or at one in so many; answers how far it came. */
async function freezeAtEach(make: () => Promise<Stores>, every = 1): Promise<number> {
  for (let step = 0; ; step += every) {
    if ((await freezeAt(step, await make())) === 'ended') return step;
  }
}

describe('a process frozen at any step of a round, whose logs another one took', () => {
  it('forks nothing and takes nothing back, in an object store', async () => {
    const steps = await freezeAtEach(() => {
      const store = new MemoryLogStore();
      const beforeStep: Stores['beforeStep'] = (before) => {
        store.before = before;
      };
      return Promise.resolve({ frozen: store, live: store.beside(), beforeStep });
    });
    expect(steps).toBeGreaterThan(10);
  }, 30_000);

  it('forks nothing and takes nothing back, in a folder', async () => {
    const roots: string[] = [];
    const steps = await freezeAtEach(async () => {
      const root = await mkdtemp(join(tmpdir(), 'assent-frozen-'));
      roots.push(root);
      let before: () => Promise<void> | void = () => undefined;
      return {
        frozen: await FolderLogStore.open(root, NOW_MS, () => before()),
        live: await FolderLogStore.open(root, NOW_MS),
        beforeStep: (next) => (before = next),
      };
    }, FOLDER_STEPS_EVERY);
    for (const root of roots) await rm(root, { recursive: true, force: true });
    expect(steps).toBeGreaterThan(30);
  }, 120_000);
});
