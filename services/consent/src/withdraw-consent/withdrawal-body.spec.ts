import { occurredAtOf } from '../consent-events/occurred-at.ts';
import { readWithdrawalBody } from './withdrawal-body.ts';

const recipient = { phone: '+12125550101' };

describe('the time of a withdrawal', () => {
  it.each(['7', '11/12/2026', '2026-11-24', '2026-11-24T10:00:00', 'yesterday', 1_764_000_000, null, {}])(
    'is not guessed from %j',
    (occurredAt) => {
      expect(readWithdrawalBody({ recipient, occurredAt }).occurredAt).toBeUndefined();
    },
  );

  it('is an instant with its offset', () => {
    const { occurredAt } = readWithdrawalBody({ recipient, occurredAt: '2026-11-24T10:00:00.5+01:00' });
    expect(occurredAt).toBe(Date.parse('2026-11-24T09:00:00.500Z'));
  });

  it('is now when its source can not be right, so that no grant outruns it', () => {
    const now = Date.parse('2026-11-24T10:00:00Z');
    for (const broken of [undefined, 0, -1, Number.NaN, Date.parse('1970-01-21'), now + 1, 1e15]) {
      expect(occurredAtOf(broken, now)).toBe(now);
    }
    expect(occurredAtOf(now - 1, now)).toBe(now - 1);
  });
});
