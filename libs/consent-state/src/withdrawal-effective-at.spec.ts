import fc from 'fast-check';
import {
  InvalidInstantError,
  MILLISECOND_TICK_MS,
  withdrawalEffectiveAt,
  WHATSAPP_TICK_MS,
} from './withdrawal-effective-at.ts';

describe('the effective instant of a withdrawal', () => {
  it('is the end of the second plus 5 s for a stamp of whole seconds', () => {
    expect(withdrawalEffectiveAt('2026-11-21T12:00:00Z', WHATSAPP_TICK_MS)).toBe('2026-11-21T12:00:06.000Z');
  });

  it('is the end of the tick that a finer stamp lies in', () => {
    expect(withdrawalEffectiveAt('2026-11-21T12:00:00.250Z', WHATSAPP_TICK_MS)).toBe('2026-11-21T12:00:06.000Z');
    expect(withdrawalEffectiveAt('2026-11-21T12:00:00.250Z', MILLISECOND_TICK_MS)).toBe('2026-11-21T12:00:05.251Z');
  });

  it('is later than every instant of the tick by the allowance', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (date) => {
        const effectiveMs = Date.parse(withdrawalEffectiveAt(date.toISOString(), WHATSAPP_TICK_MS));
        expect(effectiveMs - date.getTime()).toBeGreaterThan(5_000);
        expect(effectiveMs - date.getTime()).toBeLessThanOrEqual(6_000);
      }),
    );
  });

  it.each([
    ['a time it cannot read', 'noon', WHATSAPP_TICK_MS],
    ['no tick', '2026-11-21T12:00:00Z', 0],
    ['half a tick', '2026-11-21T12:00:00Z', 0.5],
  ])('is refused for %s', (_name, occurredAt, tickMs) => {
    expect(() => withdrawalEffectiveAt(occurredAt, tickMs)).toThrow(InvalidInstantError);
  });
});
