import { openCheckpoint } from '@assent/merkle-log';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { key, NOW_MS, origin } from './audit-process.fixture.ts';
import { HeadLog, type HeadToBind } from './head-log.ts';

const AT = new Date(NOW_MS).toISOString();
const CHECKPOINT = 'public/heads/checkpoint';

function headOf(size: number): HeadToBind {
  return {
    origin: `${origin}/consent.events/0`,
    size,
    root: new Uint8Array(32).fill(size),
    extensions: [],
    partitions: 2,
  };
}

describe('a head whose witnesses answer late', () => {
  it('is not published over a later one of which only the answer was lost', async () => {
    const store = new MemoryLogStore();
    const heads = await HeadLog.take(store, key, origin);
    heads.record([headOf(1)], AT);
    const asked = await heads.commit();
    heads.record([headOf(2)], AT);
    store.after = (_, path) => {
      if (path === CHECKPOINT) throw new Error('503');
    };
    await expect(heads.commit()).rejects.toThrow('503');
    store.after = () => undefined;
    await heads.publishCosigned(asked!, [], true);
    const published = await store.read(CHECKPOINT);
    expect(openCheckpoint(published!, `${origin}/heads`, key.verifiers(`${origin}/heads`)).size).toBe(2);
  });
});
