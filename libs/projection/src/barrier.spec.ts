import type { TopicPartition } from '@assent/event-log';

import { Barrier } from './barrier.ts';
import type { BarrierOptions } from './barrier.ts';

const [zero, one] = [
  { topic: 'consent.events', partition: 0 },
  { topic: 'consent.events', partition: 1 },
];
const clock = { monotonicMs: () => performance.now() };

/** A log and read models whose ends and checkpoints the test moves. */
function moving(ends: Record<string, number>, next: Record<string, number>) {
  const asked: { ends: number; next: string[][] } = { ends: 0, next: [] };
  const listeners: ((partition: string, next: number) => void)[] = [];
  const options: BarrierOptions = {
    log: {
      endOffsets: () => {
        asked.ends += 1;
        return Promise.resolve(new Map(Object.entries(ends)));
      },
    },
    next: (partitions: readonly TopicPartition[]) => {
      asked.next.push(partitions.map(({ topic, partition }) => `${topic}/${String(partition)}`));
      return Promise.resolve(new Map(Object.entries(next)));
    },
    signals: [{ onAdvanced: (listener) => listeners.push(listener) }],
    clock,
  };
  const advance = (partition: string, to: number) => {
    next[partition] = to;
    listeners.forEach((listener) => {
      listener(partition, to);
    });
  };
  return { options, asked, advance };
}

describe('a barrier whose read models are at the ends', () => {
  it('names the ends it asked for and asks each side once, the store once more about partitions it never saw', async () => {
    const { options, asked } = moving(
      { 'consent.events/0': 7, 'consent.events/1': 0 },
      { 'consent.events/0': 7, 'consent.events/1': 0 },
    );
    const barrier = new Barrier(options);
    const answer = {
      reached: { 'consent.events/0': 7, 'consent.events/1': 0 },
      behind: [],
      waitedMs: expect.any(Number) as number,
    };
    const both = ['consent.events/0', 'consent.events/1'];
    expect(await barrier.reach([zero, one], { timeoutMs: 1_000 })).toEqual(answer);
    expect(asked).toEqual({ ends: 1, next: [both, both] });
    expect(await barrier.reach([zero, one], { timeoutMs: 1_000 })).toEqual(answer);
    expect(asked).toEqual({ ends: 2, next: [both, both, both] });
  });

  it('names the end it was told when more was applied since', async () => {
    const { options, advance } = moving({ 'consent.events/0': 7 }, { 'consent.events/0': 7 });
    const log = {
      endOffsets: async (partitions: readonly TopicPartition[]) => {
        const ends = await options.log.endOffsets(partitions);
        advance('consent.events/0', 9);
        return ends;
      },
    };
    expect(await new Barrier({ ...options, log }).reach([zero], { timeoutMs: 1_000 })).toMatchObject({
      reached: { 'consent.events/0': 7 },
      behind: [],
    });
  });

  it('has nothing to wait for when no partition is named', async () => {
    const { options, asked } = moving({}, {});
    expect(await new Barrier(options).reach([], { timeoutMs: 1_000 })).toMatchObject({ reached: {}, behind: [] });
    expect(await new Barrier(options).waitFor([], { timeoutMs: 1_000 })).toBe(true);
    expect(asked).toEqual({ ends: 0, next: [] });
  });
});

describe('a barrier whose read models lag', () => {
  it('waits for the ends of the call, not for later ones', async () => {
    const ends = { 'consent.events/0': 7 };
    const { options, advance } = moving(ends, { 'consent.events/0': 6 });
    const reached = new Barrier(options).reach([zero], { timeoutMs: 5_000 });
    setTimeout(() => {
      ends['consent.events/0'] = 100;
      advance('consent.events/0', 7);
    }, 5);
    expect(await reached).toMatchObject({ reached: { 'consent.events/0': 7 }, behind: [] });
  });

  it('sees progress of other processes without a signal', async () => {
    const next = { 'consent.events/0': 0 };
    const { options } = moving({ 'consent.events/0': 1 }, next);
    const reached = new Barrier(options).reach([zero], { timeoutMs: 5_000 });
    setTimeout(() => {
      next['consent.events/0'] = 1;
    }, 30);
    expect(await reached).toMatchObject({ behind: [] });
  });

  it('believes what its reader tells, without another look', async () => {
    const { options } = moving({ 'consent.events/0': 7, 'consent.events/1': 3 }, { 'consent.events/1': 3 });
    let tell!: (partition: string, next: number) => void;
    const reader = {
      onAdvanced: (listener: typeof tell) => {
        tell = listener;
      },
    };
    const barrier = new Barrier({ ...options, signals: [], reader });
    let over = false;
    const reached = barrier.reach([zero, one], { timeoutMs: 5_000 }).then((result) => {
      over = true;
      return result;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    tell('consent.events/0', 6);
    tell('consent.events/1', 9);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(over).toBe(false);
    tell('consent.events/0', 7);
    // The store never tells more than it did.
    expect(await reached).toMatchObject({ reached: { 'consent.events/0': 7, 'consent.events/1': 3 }, behind: [] });
  });

  it('seldom asks for what its reader has moved before', async () => {
    const { options, asked } = moving({ 'consent.events/0': 7 }, {});
    const reader = {
      onAdvanced: (listener: (partition: string, next: number) => void) => {
        listener('consent.events/0', 6);
      },
    };
    await new Barrier({ ...options, signals: [], reader }).reach([zero], { timeoutMs: 30 });
    // At once and after 20 ms; with growing pauses it would be after 1, 3, 7 and 15 ms, too.
    expect(asked.next.length).toBeLessThan(4);
  });

  it.each([
    ['while it pauses', (signal: () => void) => setImmediate(signal)],
    [
      'while the store answers',
      (signal: () => void) => {
        signal();
      },
    ],
  ])('looks again at once when a signal comes %s', async (_, soon) => {
    const { options, asked, advance } = moving({ 'consent.events/0': 40 }, {});
    const barrier = new Barrier({
      ...options,
      next: async (partitions) => {
        const next = await options.next(partitions);
        soon(() => {
          advance('consent.events/0', asked.next.length);
        });
        return next;
      },
    });
    // Forty looks with pauses would take 700 ms.
    expect(await barrier.reach([zero], { timeoutMs: 500 })).toMatchObject({ behind: [] });
  });

  it('reports the partitions that do not catch up in time, and only them', async () => {
    const { options } = moving(
      { 'consent.events/0': 7, 'consent.events/1': 4 },
      { 'consent.events/0': 7, 'consent.events/1': 3 },
    );
    expect(await new Barrier(options).reach([zero, one], { timeoutMs: 40 })).toMatchObject({
      reached: { 'consent.events/0': 7 },
      behind: ['consent.events/1'],
    });
  });

  it('asks less and less often', async () => {
    const { options, asked } = moving({ 'consent.events/0': 1 }, {});
    await new Barrier(options).reach([zero], { timeoutMs: 200 });
    // 1 + 2 + 4 + 8 + 16 ms, then every 20 ms; without the growing pauses it would be a hundred or more.
    expect(asked.next.length).toBeLessThan(25);
    expect(asked.next.length).toBeGreaterThan(3);
  });

  it('serves all waiters with one query at a time, and stops asking when nobody waits', async () => {
    const { options, asked, advance } = moving(
      { 'consent.events/0': 1, 'consent.events/1': 1 },
      { 'consent.events/0': 0, 'consent.events/1': 0 },
    );
    let [atATime, most] = [0, 0];
    const barrier = new Barrier({
      ...options,
      next: async (partitions) => {
        atATime += 1;
        most = Math.max(most, atATime);
        await new Promise((resolve) => setTimeout(resolve, 2));
        atATime -= 1;
        return options.next(partitions);
      },
    });
    const waits = Array.from({ length: 50 }, (_, index) =>
      barrier.reach([index % 2 === 0 ? zero : one], { timeoutMs: 5_000 }),
    );
    setTimeout(() => {
      advance('consent.events/0', 1);
      advance('consent.events/1', 1);
    }, 20);
    expect((await Promise.all(waits)).flatMap(({ behind }) => behind)).toEqual([]);
    expect(most).toBe(1);
    expect(asked.next).toContainEqual(['consent.events/0', 'consent.events/1']);
    const before = asked.next.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked.next.length).toBe(before);
  });
});

describe('a barrier whose log answers an end below what it held before', () => {
  const watched = (options: BarrierOptions) => {
    const told = { stale: 0, warned: [] as unknown[] };
    const logger = { warn: (facts: object) => told.warned.push(facts) };
    const onStaleEnd = (): void => {
      told.stale += 1;
    };
    return { told, barrier: new Barrier({ ...options, logger, onStaleEnd }) };
  };
  const heldAtZero = { reached: { 'consent.events/1': 4 }, behind: ['consent.events/0'] };

  it('holds what depends on that partition, at once and only that, however often it is asked, and says so once', async () => {
    const { options } = moving(
      { 'consent.events/0': 7, 'consent.events/1': 4 },
      { 'consent.events/0': 9, 'consent.events/1': 4 },
    );
    const { told, barrier } = watched(options);
    for (const stale of [1, 2, 3]) {
      expect(await barrier.reach([zero, one], { timeoutMs: 60_000 })).toMatchObject(heldAtZero);
      expect(told.stale).toBe(stale);
    }
    expect(told.warned).toEqual([{ partition: 'consent.events/0', end: 7, known: 9 }]);
  });

  it.each<[string, (at: { ends: Record<string, number>; advance: (partition: string, to: number) => void }) => void]>([
    [
      'an end that was answered before',
      ({ ends }) => {
        ends['consent.events/0'] = 6;
      },
    ],
    [
      'a checkpoint that has moved',
      ({ advance }) => {
        advance('consent.events/0', 8);
      },
    ],
  ])('holds it for %s, too, and goes on when the log knows it again', async (_, becomeStale) => {
    const ends = { 'consent.events/0': 7, 'consent.events/1': 4 };
    const { options, advance } = moving(ends, { 'consent.events/0': 7, 'consent.events/1': 4 });
    const { told, barrier } = watched(options);
    expect(await barrier.reach([zero, one], { timeoutMs: 1_000 })).toMatchObject({ behind: [] });
    becomeStale({ ends, advance });
    expect(await barrier.reach([zero, one], { timeoutMs: 60_000 })).toMatchObject(heldAtZero);
    ends['consent.events/0'] = 8;
    advance('consent.events/0', 8);
    expect(await barrier.reach([zero, one], { timeoutMs: 1_000 })).toMatchObject({
      reached: { 'consent.events/0': 8 },
      behind: [],
    });
    expect(told.stale).toBe(1);
  });
});

describe('a barrier at ends that were asked for before', () => {
  it('waits for those, whatever the log has taken since', async () => {
    const ends = { 'consent.events/0': 7, 'consent.events/1': 4 };
    const { options, asked } = moving(ends, { 'consent.events/0': 7, 'consent.events/1': 3 });
    const barrier = new Barrier(options);
    const known = await barrier.ends([zero, one], { timeoutMs: 1_000 });
    ends['consent.events/0'] = 100;
    expect(await barrier.reach([zero], { timeoutMs: 1_000, ends: known })).toMatchObject({
      reached: { 'consent.events/0': 7 },
      behind: [],
    });
    expect(await barrier.reach([one], { timeoutMs: 30, ends: known })).toMatchObject({ behind: ['consent.events/1'] });
    expect(asked.ends).toBe(1);
  });

  it('is behind where no end was told', async () => {
    const { options } = moving({}, { 'consent.events/0': 99, 'consent.events/1': 99 });
    const known = new Map([['consent.events/1', 4]]);
    expect(await new Barrier(options).reach([zero, one], { timeoutMs: 1_000, ends: known })).toMatchObject({
      reached: { 'consent.events/1': 4 },
      behind: ['consent.events/0'],
    });
  });

  it.each([
    ['fails', () => Promise.reject(new Error('broker gone'))],
    ['does not answer in time', () => new Promise<never>(() => undefined)],
  ])('has none when the log %s', async (_, endOffsets) => {
    const { options } = moving({}, {});
    expect(await new Barrier({ ...options, log: { endOffsets } }).ends([zero], { timeoutMs: 20 })).toEqual(new Map());
  });
});

describe('a barrier without answers', () => {
  it('reports a partition that did not answer as behind and waits for the others', async () => {
    const { options } = moving({ 'consent.events/0': 1 }, { 'consent.events/0': 1, 'consent.events/1': 99 });
    expect(await new Barrier(options).reach([zero, one], { timeoutMs: 1_000 })).toMatchObject({
      reached: { 'consent.events/0': 1 },
      behind: ['consent.events/1'],
    });
  });

  it('reports everything as behind when the log fails, or does not answer in time', async () => {
    const { options } = moving({}, { 'consent.events/0': 99 });
    for (const endOffsets of [
      () => Promise.reject(new Error('broker gone')),
      () => new Promise<never>(() => undefined),
    ]) {
      const warned: string[] = [];
      const logger = { warn: (_: object, message: string) => warned.push(message) };
      const barrier = new Barrier({ ...options, log: { endOffsets }, logger });
      expect(await barrier.reach([zero], { timeoutMs: 20 })).toMatchObject({
        reached: {},
        behind: ['consent.events/0'],
      });
    }
  });

  it('goes on asking while the store fails, says so once, and is behind when the time is over', async () => {
    const { options } = moving({ 'consent.events/0': 1 }, {});
    const warned: unknown[] = [];
    const logger = { warn: (facts: object, message: string) => warned.push([facts, message]) };
    let fails = true;
    const next = () =>
      fails ? Promise.reject(new Error('store gone')) : Promise.resolve(new Map([['consent.events/0', 1]]));
    const barrier = new Barrier({ ...options, next, logger });
    expect(await barrier.reach([zero], { timeoutMs: 60 })).toMatchObject({ behind: ['consent.events/0'] });
    expect(warned).toEqual([[{ error: 'Error' }, 'the checkpoints cannot be read']]);
    const recovering = barrier.reach([zero], { timeoutMs: 5_000 });
    setTimeout(() => {
      fails = false;
    }, 20);
    expect(await recovering).toMatchObject({ behind: [] });
  });

  it('refuses the ten-thousand-and-first waiter rather than grow', async () => {
    const { options } = moving({ 'consent.events/0': 1 }, {});
    const barrier = new Barrier(options);
    const waits = Array.from({ length: 10_000 }, () => barrier.waitFor([{ ...zero, offset: 0 }], { timeoutMs: 300 }));
    const began = performance.now();
    expect(await barrier.waitFor([{ ...zero, offset: 0 }], { timeoutMs: 60_000 })).toBe(false);
    expect(performance.now() - began).toBeLessThan(10_000);
    await Promise.all(waits);
  });
});

describe('waiting for positions', () => {
  it('is over when each of them is applied, the last one of a partition counting', async () => {
    const { options, advance } = moving({}, { 'consent.events/0': 3, 'consent.events/1': 8 });
    const barrier = new Barrier(options);
    let over = false;
    const waiting = barrier
      .waitFor(
        [
          { ...zero, offset: 5 },
          { ...zero, offset: 2 },
          { ...one, offset: 7 },
        ],
        { timeoutMs: 5_000 },
      )
      .then((answer) => {
        over = true;
        return answer;
      });
    advance('consent.events/0', 5);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(over).toBe(false);
    advance('consent.events/0', 6);
    expect(await waiting).toBe(true);
  });

  it('is false when one of them is not applied in time', async () => {
    const { options } = moving({}, { 'consent.events/0': 5 });
    expect(await new Barrier(options).waitFor([{ ...zero, offset: 5 }], { timeoutMs: 30 })).toBe(false);
  });
});
