import type { AcknowledgedWrite } from './evidence.ts';
import { staleEnds } from './stale-ends.ts';

const written = (position: string, acknowledgedAtMonotonicMs: number): AcknowledgedWrite => ({
  kind: 'dispatch',
  ids: { position },
  begunAtMs: 0,
  begunAtMonotonicMs: 0,
  acknowledgedAtMs: 0,
  acknowledgedAtMonotonicMs,
});
const told = (askedAtMs: number, end: number) => ({ askedAtMs, ends: new Map([['dispatch.events/3', end]]) });
const writes = [written('dispatch.events/3@6, dispatch.events/3@7', 1_000)];

describe('the ends that brokers tell', () => {
  it('are stale when they miss a write that was acknowledged before they were asked for', () => {
    expect(staleEnds([told(1_200, 7), told(1_300, 8)], writes)).toEqual({ answers: 1, missedForMaxMs: 200 });
  });

  it('may miss a write that was acknowledged later', () => {
    expect(staleEnds([told(900, 6)], writes)).toEqual({ answers: 0, missedForMaxMs: 0 });
  });

  it('are not stale when a log is left out: whoever waits for it is held', () => {
    expect(staleEnds([{ askedAtMs: 2_000, ends: new Map() }], writes).answers).toBe(0);
  });
});
