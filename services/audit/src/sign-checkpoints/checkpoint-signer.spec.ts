import { decodeBundle, openCheckpoint, parseCheckpoint } from '@assent/merkle-log';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { AuditProcess, key, origin } from './audit-process.fixture.ts';

type Process = AuditProcess<MemoryLogStore>;

function checkpointIn(store: MemoryLogStore, prefix: string, of: string) {
  const note = store.objects.get(`${prefix}/checkpoint`);
  return note && openCheckpoint(note, of, [key.verifier(of)]);
}

/** The heads that the log of heads binds, in order: log and size. */
function boundHeads(store: MemoryLogStore): [string, number][] {
  const size = checkpointIn(store, 'public/heads', `${origin}/heads`)?.size ?? 0;
  const bundle = store.objects.get(`public/heads/tile/entries/000.p/${String(size)}`);
  return decodeBundle(bundle ?? new Uint8Array()).map((entry) => {
    const head = parseCheckpoint(Buffer.from(entry).toString());
    return [head.origin.slice(origin.length + 1), head.size];
  });
}

describe('a round of signing', () => {
  it('signs the logs that grew, binds them in one head and announces it', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0, 3);
    await process.apply('dispatch.events', 1, 0, 2);
    expect(await process.size('consent.events/0')).toBe(0);
    await process.signer.tick();
    expect([await process.size('consent.events/0'), await process.size('dispatch.events/1')]).toEqual([3, 2]);
    expect(boundHeads(process.store).sort()).toEqual([
      ['consent.events/0', 3],
      ['dispatch.events/1', 2],
    ]);
    const [event] = process.announced;
    expect(Object.keys(event!.data.logs).sort()).toEqual(['consent.events/0', 'dispatch.events/1']);
    expect(event!.data.logs['consent.events/0']!.size).toBe(3);
    const of = `${origin}/heads`;
    expect(openCheckpoint(Buffer.from(event!.data.note), of, [key.verifier(of)]).size).toBe(2);
    expect(process.warnings).toEqual([]);
  });

  it('writes and announces nothing when nothing grew', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0);
    await process.signer.tick();
    const before = process.store.copy().objects;
    for (let round = 0; round < 45; round += 1) await process.signer.tick();
    expect(process.store.objects).toEqual(before);
    expect(process.announced).toHaveLength(1);
  });

  it('names in a head only the logs that grew since the last', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0);
    await process.apply('consent.events', 1, 0);
    await process.signer.tick();
    await process.apply('consent.events', 1, 1);
    await process.signer.tick();
    expect(process.announced.map(({ data }) => Object.keys(data.logs).sort())).toEqual([
      ['consent.events/0', 'consent.events/1'],
      ['consent.events/1'],
    ]);
  });

  it('announces after an outage of the broker what grew in it', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    await process.take();
    process.kafkaIsDown = true;
    await process.apply('consent.events', 0, 0);
    await process.signer.tick();
    await process.apply('consent.events', 1, 0);
    await process.signer.tick();
    expect(await process.size('consent.events/1')).toBe(1);
    process.kafkaIsDown = false;
    await process.signer.tick();
    expect(process.announced.map(({ data }) => Object.keys(data.logs).sort())).toEqual([
      ['consent.events/0', 'consent.events/1'],
    ]);
  });

  it('signs nothing that is not durable, says how long it waits, and catches up by itself', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0);
    process.store.failAfterObjects = 1;
    await process.signer.tick();
    expect(await process.size('consent.events/0')).toBe(0);
    expect(boundHeads(process.store)).toEqual([]);
    expect(process.warnings).not.toEqual([]);
    process.elapsedMs = 7_000;
    expect(process.logs.unsignedForMs).toBe(7_000);
    process.store.failAfterObjects = Infinity;
    await process.signer.tick();
    expect(await process.size('consent.events/0')).toBe(1);
    expect(process.logs.unsignedForMs).toBe(0);
    expect(boundHeads(process.store)).toEqual([['consent.events/0', 1]]);
  });
});

describe('a clock that jumps', () => {
  it.each([-400 * 86_400_000, 400 * 86_400_000])(
    'by %d ms changes no order, no age and nothing that is bound',
    async (jumpMs) => {
      const process = new AuditProcess(new MemoryLogStore());
      await process.take();
      await process.apply('consent.events', 0, 0);
      await process.signer.tick();
      process.nowMs += jumpMs;
      await process.apply('consent.events', 0, 1);
      expect(process.logs.unsignedForMs).toBe(0);
      await process.signer.tick();
      const again = new AuditProcess(process.store);
      await again.take();
      await again.apply('consent.events', 0, 2);
      await again.signer.tick();
      expect(boundHeads(process.store).map(([, size]) => size)).toEqual([1, 2, 3]);
      expect([...process.warnings, ...again.warnings]).toEqual([]);
    },
  );
});

describe('a process that starts again', () => {
  it('goes on after its last signed leaves and restates every log in its first head', async () => {
    const first = new AuditProcess(new MemoryLogStore());
    await first.take();
    await first.apply('consent.events', 0, 0, 5);
    await first.signer.tick();
    await first.apply('consent.events', 0, 5, 2);
    const second = new AuditProcess(first.store.copy());
    const taken = await second.take();
    expect(taken.get('consent.events/0')?.next).toBe(5);
    expect((await second.topics.next([{ topic: 'consent.events', partition: 0 }])).get('consent.events/0')).toBe(5);
    await second.signer.tick();
    await second.apply('consent.events', 0, 5, 2);
    await second.signer.tick();
    expect(boundHeads(second.store)).toEqual([
      ['consent.events/0', 5],
      ['consent.events/0', 5],
      ['consent.events/0', 7],
    ]);
  });

  it('makes the same tree of records it is given twice', async () => {
    const once = new AuditProcess(new MemoryLogStore());
    await once.take();
    await once.apply('consent.events', 0, 0, 5);
    await once.signer.tick();
    const twice = new AuditProcess(new MemoryLogStore());
    await twice.take();
    await twice.apply('consent.events', 0, 0, 3);
    await twice.apply('consent.events', 0, 1, 4);
    await twice.signer.tick();
    const rootOf = ({ store }: Process) =>
      checkpointIn(store, 'public/logs/consent.events/0', `${origin}/consent.events/0`);
    expect(rootOf(twice)).toEqual(rootOf(once));
  });
});

describe('two processes on one folder', () => {
  it('write each log in turn: who lost it stops, and is told to take it anew', async () => {
    const old = new AuditProcess(new MemoryLogStore());
    await old.take();
    await old.apply('consent.events', 0, 0, 3);
    await old.signer.tick();
    await old.apply('consent.events', 0, 3, 1);
    const owner = new AuditProcess(old.store);
    await owner.take();
    await owner.apply('consent.events', 0, 3, 4);
    await owner.signer.tick();
    await old.signer.tick();
    expect(await owner.size('consent.events/0')).toBe(7);
    await expect(old.apply('consent.events', 0, 4)).rejects.toMatchObject({ code: 'stale-owner' });
    expect(boundHeads(owner.store)).toEqual([
      ['consent.events/0', 3],
      ['consent.events/0', 7],
    ]);
    expect(old.announced).toHaveLength(1);
  });

  it('share the work: the one that keeps the log of heads binds the other’s logs too', async () => {
    const store = new MemoryLogStore();
    const [keeper, other] = [new AuditProcess(store), new AuditProcess(store)];
    await keeper.take([{ topic: 'consent.events', partition: 0 }]);
    await other.take([{ topic: 'consent.events', partition: 1 }]);
    await other.apply('consent.events', 1, 0, 2);
    await other.signer.tick();
    expect(other.announced).toEqual([]);
    for (let round = 0; round < 21; round += 1) await keeper.signer.tick();
    expect(boundHeads(store)).toEqual([['consent.events/1', 2]]);
    expect(keeper.announced).toHaveLength(1);
  });
});

describe('the age of the checkpoints', () => {
  it('grows while the disk does not answer, and while the heads cannot be signed, and is 0 again afterwards', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    await process.take();
    await process.signer.tick();
    let answer: () => void = () => undefined;
    process.store.before = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    await process.apply('consent.events', 0, 0);
    const hanging = process.signer.tick();
    process.elapsedMs += 5_000;
    expect(process.signer.unsignedForMs).toBe(5_000);
    process.store.before = (_, path) => {
      if (path.startsWith('public/heads/')) throw new Error('no space left on device');
    };
    answer();
    await hanging;
    process.elapsedMs += 2_000;
    expect([process.logs.unsignedForMs, process.signer.unsignedForMs]).toEqual([0, 2_000]);
    await process.signer.tick();
    process.elapsedMs += 1_000;
    expect(process.signer.unsignedForMs).toBe(3_000);
    process.store.before = () => undefined;
    await process.signer.tick();
    expect(process.signer.unsignedForMs).toBe(0);
    expect(boundHeads(process.store)).toEqual([['consent.events/0', 1]]);
  });
});

describe('a process whose log of heads was taken', () => {
  it('says so again and again, since whoever was told may have been busy', async () => {
    const old = new AuditProcess(new MemoryLogStore());
    const told: unknown[] = [];
    old.signer.onLost((followed) => told.push(followed));
    await old.take();
    await old.signer.tick();
    const owner = new AuditProcess(old.store);
    await owner.take();
    await owner.apply('dispatch.events', 1, 0);
    await owner.signer.tick();
    for (let round = 0; round < 60; round += 1) await old.signer.tick();
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(told[0]).toEqual({ topic: 'consent.events', partition: 0 });
  });

  it('does not count the age of what it could not bind when another process keeps the heads', async () => {
    const old = new AuditProcess(new MemoryLogStore());
    await old.take();
    old.store.before = (_, path) => {
      if (path.startsWith('public/heads/')) throw new Error('no space left on device');
    };
    await old.apply('consent.events', 0, 0);
    await old.signer.tick();
    old.store.before = (step, name) => {
      if (step === 'take' && name === 'heads') throw new Error('no space left on device');
    };
    await expect(old.take([{ topic: 'consent.events', partition: 0 }])).rejects.toThrow('no space left');
    old.store.before = () => undefined;
    const owner = new AuditProcess(old.store);
    await owner.take([{ topic: 'consent.events', partition: 0 }]);
    await owner.apply('consent.events', 0, 0);
    await owner.signer.tick();
    await old.take([{ topic: 'consent.events', partition: 1 }]);
    for (let round = 0; round < 2; round += 1) await old.signer.tick();
    old.elapsedMs += 3_600_000;
    expect(old.topics.unsignedForMs).toBe(0);
  });
});

describe('the age of the checkpoints of a process that cannot take its logs', () => {
  it('grows from the first try on until one succeeds', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    process.store.before = (step) => {
      if (step === 'take') throw new Error('no space left on device');
    };
    for (let tries = 0; tries < 3; tries += 1) {
      await expect(process.take()).rejects.toThrow('no space left');
      process.elapsedMs += 4_000;
    }
    expect(process.topics.unsignedForMs).toBe(12_000);
    process.store.before = () => undefined;
    await process.take();
    expect(process.topics.unsignedForMs).toBe(0);
  });

  it('grows while a try hangs, and no longer when nobody tries any more', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    let answer: (error: Error) => void = () => undefined;
    const hangs = new Promise<void>((resolve) => {
      process.store.before = () => {
        resolve();
        return new Promise((_, reject) => (answer = reject));
      };
    });
    const hanging = process.take();
    await hangs;
    process.elapsedMs += 60_000;
    expect(process.topics.unsignedForMs).toBe(60_000);
    answer(new Error('i/o error'));
    await expect(hanging).rejects.toThrow('i/o error');
    process.elapsedMs += 60_000;
    expect(process.topics.unsignedForMs).toBe(0);
  });
});

describe('the age of the checkpoints of a process whose logs were taken by another one', () => {
  async function takenOver(): Promise<{ old: Process; owner: Process }> {
    const old = new AuditProcess(new MemoryLogStore());
    await old.take();
    await old.apply('consent.events', 0, 0, 3);
    await old.apply('consent.events', 1, 0, 3);
    await old.signer.tick();
    await old.apply('consent.events', 0, 3);
    const owner = new AuditProcess(old.store.beside());
    await owner.take();
    old.elapsedMs += 2_000;
    await old.signer.tick();
    return { old, owner };
  }

  it('grows until the other one has signed what this one was given', async () => {
    const { old, owner } = await takenOver();
    old.elapsedMs += 3_000;
    await old.signer.tick();
    expect(old.topics.unsignedForMs).toBe(5_000);
    await owner.apply('consent.events', 0, 3);
    await owner.signer.tick();
    await old.signer.tick();
    expect(old.topics.unsignedForMs).toBe(0);
  });

  it('grows until there is a later head when the other one only took the log of heads', async () => {
    const { old, owner } = await takenOver();
    await owner.apply('consent.events', 0, 3);
    await owner.signer.tick();
    await old.take();
    await old.apply('consent.events', 1, 3);
    await owner.take([{ topic: 'consent.events', partition: 0 }]);
    await old.signer.tick();
    expect(await old.size('consent.events/1')).toBe(4);
    old.elapsedMs += 4_000;
    await old.signer.tick();
    expect(old.topics.unsignedForMs).toBe(4_000);
    await owner.signer.tick();
    await old.signer.tick();
    expect(old.topics.unsignedForMs).toBe(0);
  });

  it('is 0 again when this one takes them back', async () => {
    const { old } = await takenOver();
    await old.take();
    expect(old.topics.unsignedForMs).toBe(0);
    await old.apply('consent.events', 0, 3);
    await old.signer.tick();
    expect(boundHeads(old.store)).toContainEqual(['consent.events/0', 4]);
  });
});

describe('a process that finds its logs taken by another one', () => {
  it('tells whoever follows the topics, so that it takes again what is its own', async () => {
    const old = new AuditProcess(new MemoryLogStore());
    const lost: unknown[] = [];
    old.topics.onLost((partition) => lost.push(partition));
    await old.take();
    await old.apply('consent.events', 1, 0);
    await new AuditProcess(old.store.beside()).take();
    await old.signer.tick();
    expect(lost).toEqual([{ topic: 'consent.events', partition: 1 }]);
    await old.take([{ topic: 'consent.events', partition: 1 }]);
    await old.apply('consent.events', 1, 0);
    await old.signer.tick();
    await old.signer.tick();
    expect(lost).toEqual([
      { topic: 'consent.events', partition: 1 },
      { topic: 'consent.events', partition: 0 },
    ]);
    await old.take([{ topic: 'consent.events', partition: 0 }]);
    await old.signer.tick();
    expect(boundHeads(old.store)).toEqual([['consent.events/1', 1]]);
  });
});

describe('a batch of records', () => {
  const batch = { topic: 'consent.events', partition: 0, heartbeat: () => Promise.resolve() };
  const records = [{ ...batch, offset: 0, timestampMs: 0, key: null, headers: [], value: Buffer.from('a record') }];

  it('counts when another consumer’s epoch is ahead of the log’s, and not when its partition was lost', async () => {
    const process = new AuditProcess(new MemoryLogStore());
    const epoch = (await process.take()).get('consent.events/0')!.epoch;
    for (const late of [
      { ...batch, records, epoch: epoch + 5, isCurrent: () => false },
      { ...batch, records, epoch: epoch - 1, isCurrent: () => true },
    ])
      await expect(process.topics.apply(late)).rejects.toMatchObject({ code: 'stale-owner' });
    await process.topics.apply({ ...batch, records, epoch: epoch + 5, isCurrent: () => true });
    await process.signer.tick();
    expect(await process.size('consent.events/0')).toBe(1);
  });
});
