import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderLogStore } from '../merkle-logs/folder-log-store.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { AuditProcess, NOW_MS } from './audit-process.fixture.ts';
import { SeenHeads } from './seen-heads.fixture.ts';

/** Each step in a folder costs a dozen syncs: one in so many. Eleven runs of the soak `audit-owner-frozen` take each. */
const FOLDER_STEPS_EVERY = 11;
const FOLDER_STEPS_FROM = Number(process.env['AUDIT_FREEZE_FROM'] ?? 0) % FOLDER_STEPS_EVERY;
const PARTITIONS = [
  { topic: 'consent.events', partition: 0 },
  { topic: 'dispatch.events', partition: 1 },
];
interface Stores {
  readonly frozen: LogStore;
  readonly live: LogStore;
  beforeStep(before: () => Promise<void> | void): void;
}

/** Two processes; the first is frozen at one step of a round of signing, and goes on when the second has moved on. */
async function freezeAt(step: number, { frozen, live, beforeStep }: Stores): Promise<'froze' | 'ended'> {
  const seen = new SeenHeads(['consent.events/0', 'dispatch.events/1']);
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
  for (const { announced } of [old, owner]) seen.announced(announced);
  await seen.verify(live);
  return outcome;
}

/** Freezes at every step there is, or at one in so many from one on; answers how far it came. */
async function freezeAtEach(make: () => Promise<Stores>, every = 1, from = 0): Promise<number> {
  for (let step = from; ; step += every) {
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
    const steps = await freezeAtEach(
      async () => {
        const root = await mkdtemp(join(tmpdir(), 'assent-frozen-'));
        roots.push(root);
        let before: () => Promise<void> | void = () => undefined;
        return {
          frozen: await FolderLogStore.open(root, NOW_MS, () => before()),
          live: await FolderLogStore.open(root, NOW_MS),
          beforeStep: (next) => (before = next),
        };
      },
      FOLDER_STEPS_EVERY,
      FOLDER_STEPS_FROM,
    );
    for (const root of roots) await rm(root, { recursive: true, force: true });
    expect(steps).toBeGreaterThan(30);
  }, 120_000);
});
