import { key, origin } from '../sign-checkpoints/audit-process.fixture.ts';
import { HeadLog } from '../sign-checkpoints/head-log.ts';
import { BoundHeads, RESTATED_WITHIN } from './bound-heads.ts';
import { decodeHeadEntry, encodeHeadEntry } from './head-entry.ts';
import { LogFiles } from './log-files.ts';
import { MemoryLogStore } from './memory-log-store.fixture.ts';

const AT = '2026-11-24T10:00:00.000Z';
const headOf = (log: string, size: number) => ({
  origin: `${origin}/${log}`,
  size,
  root: Buffer.alloc(32, size % 251),
  extensions: [],
});

describe('the newest heads that are bound', () => {
  it('are found near the end, also of a log that has been idle for long', async () => {
    const store = new MemoryLogStore();
    const heads = await HeadLog.take(store, key, origin);
    heads.record([headOf('idle/0', 7)], AT);
    for (let size = 1; size <= 3 * RESTATED_WITHIN; size += 1) {
      heads.record([headOf('busy/0', size)], AT);
      if (size % 1_000 === 0) await heads.commit();
    }
    const signed = await heads.commit();
    const bound = new BoundHeads(new LogFiles(store, 'public/heads'));
    await bound.readUpTo(signed!.size);
    expect(bound.newest(`${origin}/idle/0`, signed!.size)?.head.size).toBe(7);
    expect(bound.newest(`${origin}/busy/0`, signed!.size)?.head.size).toBe(3 * RESTATED_WITHIN);
    expect(bound.newest(`${origin}/none/0`, signed!.size)).toBeUndefined();
  });

  it('are those of the size of the log of heads that is asked for', async () => {
    const store = new MemoryLogStore();
    const heads = await HeadLog.take(store, key, origin);
    const bound = new BoundHeads(new LogFiles(store, 'public/heads'));
    for (let size = 1; size <= 5; size += 1) {
      heads.record([headOf('busy/0', size * 10)], AT);
      await heads.commit();
      await bound.readUpTo(size);
    }
    const newest = (headsSize: number, size?: number) => bound.newest(`${origin}/busy/0`, headsSize, size);
    expect([newest(5)?.head.size, newest(3)?.head.size, newest(0)?.head.size]).toEqual([50, 30, undefined]);
    expect([newest(5, 20)?.index, newest(1, 20)?.index]).toEqual([1, undefined]);
  });

  it('say what is bound to a process that takes the log of heads over', async () => {
    const store = new MemoryLogStore();
    const first = await HeadLog.take(store, key, origin);
    first.record([{ ...headOf('pruned/0', 600), firstRetained: 256, partitions: 12 }], AT);
    await first.commit();
    const second = await HeadLog.take(store, key, origin);
    expect(second.bound(`${origin}/pruned/0`)).toMatchObject({ size: 600, firstRetained: 256, partitions: 12 });
    const [restated] = second.record([headOf('pruned/0', 600)], AT);
    expect(restated).toMatchObject({ size: 600, firstRetained: 256, partitions: 12 });
  });

  it('of entries without a line about what is retained, or about partitions, say that everything is, and no number', () => {
    const head = { ...headOf('old/0', 3), firstRetained: 0 };
    const old = Buffer.from(Buffer.from(encodeHeadEntry(head, AT)).toString().replace('first-retained 0\n', ''));
    expect(decodeHeadEntry(old)).toMatchObject({ size: 3, firstRetained: 0, partitions: undefined });
    expect(decodeHeadEntry(encodeHeadEntry({ ...head, partitions: 96 }, AT)).partitions).toBe(96);
    expect(decodeHeadEntry(encodeHeadEntry({ ...head, firstRetained: 512 }, AT)).firstRetained).toBe(512);
  });
});
