import { jest } from '@jest/globals';
import { Health } from './health.ts';

function healthAt(start: number): { health: Health; pass: (ms: number) => void } {
  let nowMs = start;
  return { health: new Health({ now: () => nowMs, monotonicMs: () => nowMs }), pass: (ms) => (nowMs += ms) };
}

describe('the health of a service', () => {
  it('is ok when every check is, and names the reason of each that is not', async () => {
    const { health, pass } = healthAt(0);
    const state: { reason?: string } = {};
    health.addCheck('kafka', () => Promise.resolve(undefined));
    health.addCheck('mongodb', () => Promise.resolve(state.reason));
    expect(await health.ready()).toEqual({ status: 'ok', checks: { kafka: { ok: true }, mongodb: { ok: true } } });
    state.reason = 'not connected';
    pass(1_000);
    expect(await health.ready()).toEqual({
      status: 'not-ok',
      checks: { kafka: { ok: true }, mongodb: { ok: false, reason: 'not connected' } },
    });
  });

  it('takes a check that fails for a reason, without the text of its error', async () => {
    const { health } = healthAt(0);
    health.addCheck('x', () => Promise.reject(new TypeError('at +15550100123')));
    expect(await health.ready()).toEqual({
      status: 'not-ok',
      checks: { x: { ok: false, reason: 'failed (TypeError)' } },
    });
  });

  it('does not wait for a check that never answers', async () => {
    jest.useFakeTimers();
    try {
      const { health } = healthAt(0);
      health.addCheck('x', () => new Promise(() => undefined));
      const report = health.ready();
      await jest.advanceTimersByTimeAsync(1_000);
      expect((await report).checks['x']).toEqual({ ok: false, reason: 'no answer within 1000 ms' });
    } finally {
      jest.useRealTimers();
    }
  });

  it('asks its checks once for many probes at about the same time', async () => {
    const { health, pass } = healthAt(0);
    let asked = 0;
    health.addCheck('x', () => {
      asked += 1;
      return Promise.resolve(undefined);
    });
    await Promise.all([health.ready(), health.ready()]);
    pass(500);
    await health.ready();
    expect(asked).toBe(1);
    pass(1);
    await health.ready();
    expect(asked).toBe(2);
  });

  it('is started once it has been ready, for good', async () => {
    const { health, pass } = healthAt(0);
    let reason: string | undefined = 'behind';
    health.addCheck('x', () => Promise.resolve(reason));
    expect((await health.started()).status).toBe('not-ok');
    reason = undefined;
    pass(1_000);
    expect((await health.started()).status).toBe('ok');
    reason = 'behind again';
    pass(1_000);
    expect((await health.started()).status).toBe('ok');
    expect((await health.ready()).status).toBe('not-ok');
  });

  it('is not ready from the first word of a shutdown on', async () => {
    const { health } = healthAt(0);
    health.addCheck('x', () => Promise.resolve(undefined));
    await health.ready();
    health.stop();
    expect(await health.ready()).toEqual({
      status: 'not-ok',
      checks: { shutdown: { ok: false, reason: 'the service is stopping' } },
    });
  });
});
