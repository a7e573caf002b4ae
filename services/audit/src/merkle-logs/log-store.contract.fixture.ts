import type { LogStore } from './log-store.ts';

/** A store with nothing in it, and how its next steps fail, are slow or freeze. */
export interface StoreUnderTest {
  readonly store: LogStore;
  /** The same objects, as another process sees them; its steps never fail. */
  readonly other: LogStore;
  /** Asked before each step of `store` until it is set anew. */
  setBeforeStep(before: () => Promise<void> | void): void;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** What every store of logs must hold. `make` is called for each test; `dispose` after it. */
export function describeLogStoreContract(make: () => Promise<StoreUnderTest>, dispose: () => Promise<void>): void {
  let on: StoreUnderTest;
  const text = async (path: string): Promise<string | undefined> => {
    const found = await on.other.read(path);
    return found && Buffer.from(found).toString();
  };

  beforeEach(async () => {
    on = await make();
  });
  afterEach(dispose);

  it('gives back what was written, the newest of each', async () => {
    await on.store.write([
      { path: 'a/b/c', bytes: bytes('1') },
      { path: 'a/d', bytes: bytes('2') },
    ]);
    await on.store.write([{ path: 'a/b/c', bytes: bytes('3') }]);
    expect([await text('a/b/c'), await text('a/d')]).toEqual(['3', '2']);
    expect(await on.store.list('a')).toEqual(['b', 'd']);
    expect(await on.store.modifiedAtMs('a/d')).toBeGreaterThanOrEqual(0);
  });

  it('has nothing where nothing was written', async () => {
    expect(await on.store.read('none')).toBeUndefined();
    expect(await on.store.list('none')).toEqual([]);
    expect(await on.store.modifiedAtMs('none')).toBeUndefined();
    await on.store.write([{ path: 'file', bytes: bytes('') }]);
    expect(await on.store.read('file/below')).toBeUndefined();
  });

  it('writes more objects than it writes at the same time', async () => {
    await on.store.write(
      Array.from({ length: 30 }, (_, i) => ({ path: `many/${String(i)}`, bytes: bytes(String(i)) })),
    );
    expect(await on.store.list('many')).toHaveLength(30);
  });

  it('removes what is there, and lets it be written again', async () => {
    await on.store.write([
      { path: 'tile/0/000.p/1', bytes: bytes('1') },
      { path: 'tile/0/000.p/2', bytes: bytes('2') },
    ]);
    await on.store.remove(['tile/0/000.p/1']);
    expect(await on.store.list('tile/0/000.p')).toEqual(['2']);
    await on.store.remove(['tile/0/000.p/2', 'tile/0/none']);
    expect(await on.store.list('tile/0/000.p')).toEqual([]);
    await on.store.write([{ path: 'tile/0/000.p/3', bytes: bytes('3') }]);
    expect(await on.store.list('tile/0/000.p')).toEqual(['3']);
  });

  it('shows an object whole or not at all, whatever step fails, and takes it when it is written again', async () => {
    const [old, renewed] = ['o'.repeat(1_000), 'n'.repeat(2_000)];
    await on.store.write([{ path: 'x/y', bytes: bytes(old) }]);
    for (let step = 0; ; step += 1) {
      let left = step;
      on.setBeforeStep(() => {
        left -= 1;
        if (left < 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      });
      const failed = await on.store.write([{ path: 'x/y', bytes: bytes(renewed) }]).catch((error: unknown) => error);
      on.setBeforeStep(() => undefined);
      if (failed === undefined) break;
      expect([old, renewed]).toContain(await text('x/y'));
    }
    expect(await text('x/y')).toBe(renewed);
  });

  it('lists more names than come in one page of an object store', async () => {
    const objects = Array.from({ length: 1_001 }, (_, i) => ({ path: `page/${String(i)}`, bytes: bytes('') }));
    await on.store.write(objects);
    expect(await on.other.list('page')).toHaveLength(1_001);
  }, 60_000);

  it('lets nothing of a write appear once it has failed', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let steps = 0;
    on.setBeforeStep(async () => {
      steps += 1;
      if (steps === 1) await held;
      if (steps > 1) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
    });
    const objects = ['a', 'b', 'c'].map((name) => ({ path: `late/${name}`, bytes: bytes('old') }));
    let hasFailed = false;
    const failing = on.store.write(objects).catch(() => (hasFailed = true));
    await on.other.write([{ path: 'elsewhere', bytes: bytes('') }]);
    expect(hasFailed).toBe(false);
    release();
    await failing;
    expect(hasFailed).toBe(true);
    const there = await on.other.list('late');
    await on.other.write(objects.map(({ path }) => ({ path, bytes: bytes('new') })));
    await new Promise(setImmediate);
    expect(there.length).toBeLessThan(3);
    expect([await text('late/a'), await text('late/b'), await text('late/c')]).toEqual(['new', 'new', 'new']);
  });

  it('answers nothing before a slow step is done', async () => {
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    on.setBeforeStep(() => slow);
    let done = false;
    const writing = on.store.write([{ path: 'slow', bytes: bytes('1') }]).then(() => (done = true));
    await on.other.write([{ path: 'quick', bytes: bytes('1') }]);
    expect([done, await text('slow')]).toEqual([false, undefined]);
    release();
    await writing;
    expect(await text('slow')).toBe('1');
  });

  describe('whose log was taken by another process', () => {
    it('lets the former owner write nothing more', async () => {
      const [first, beside] = [await on.store.take('heads'), await on.store.take('consent.events/1')];
      await first.write([{ path: 'heads/checkpoint', bytes: bytes('1') }]);
      const second = await on.other.take('heads');
      expect(second.epoch).toBeGreaterThan(first.epoch);
      await expect(first.write([{ path: 'heads/checkpoint', bytes: bytes('2') }])).rejects.toMatchObject({
        code: 'stale-owner',
      });
      await second.write([{ path: 'heads/tile', bytes: bytes('3') }]);
      await beside.write([{ path: 'other/checkpoint', bytes: bytes('4') }]);
      expect([await text('heads/checkpoint'), await text('heads/tile'), await text('other/checkpoint')]).toEqual([
        '1',
        '3',
        '4',
      ]);
    });

    it('lets nothing of a write appear that was frozen at any of its steps', async () => {
      for (let step = 0; ; step += 1) {
        const first = await on.store.take('heads');
        let left = step;
        let reached = (): void => undefined;
        let release = (): void => undefined;
        const frozen = new Promise<void>((resolve) => (reached = resolve));
        const thawed = new Promise<void>((resolve) => (release = resolve));
        on.setBeforeStep(() => {
          left -= 1;
          if (left !== -1) return undefined;
          reached();
          return thawed;
        });
        const objects = ['a', 'b'].map((name) => ({ path: `${String(step)}/${name}`, bytes: bytes('old') }));
        const writing = first.write(objects).then(
          () => 'written',
          (error: unknown) => (error as { code?: unknown }).code,
        );
        const ended = await Promise.race([writing, frozen.then(() => 'frozen')]);
        const second = await on.other.take('heads');
        const before = [await text(`${String(step)}/a`), await text(`${String(step)}/b`)];
        await second.write([{ path: `${String(step)}/a`, bytes: bytes('new') }]);
        release();
        const outcome = await writing;
        expect([await text(`${String(step)}/a`), await text(`${String(step)}/b`)]).toEqual(['new', before[1]]);
        if (ended === 'written') break;
        if (before.includes(undefined)) expect(outcome).toBe('stale-owner');
      }
    });

    it('has one owner when many take it at the same time', async () => {
      const owners = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 ? on.store : on.other).take('heads')),
      );
      const outcomes = await Promise.allSettled(
        owners.map((owner) => owner.write([{ path: 'heads/checkpoint', bytes: bytes(String(owner.epoch)) }])),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(new Set(owners.map(({ epoch }) => epoch)).size).toBe(8);
      expect(await text('heads/checkpoint')).toBe(String(Math.max(...owners.map(({ epoch }) => epoch))));
    });
  });
}
