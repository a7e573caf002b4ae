import { consentGranted, consentWithdrawn, contactFor, instant } from './consent-facts.fixture.ts';
import { isGranted } from './is-granted.ts';
import { stateAsOf } from './state-as-of.ts';
import { InvalidInstantError } from './withdrawal-effective-at.ts';

describe('the state as of an instant', () => {
  const facts = [
    consentGranted({ at: 0, placed: { recordedAtMs: 100 } }),
    consentWithdrawn({ effectiveAt: 50, placed: { recordedAtMs: 200 } }),
  ];
  const grantedAsOf = (atMs: number) => isGranted(stateAsOf(facts, instant(atMs)), contactFor('news')).granted;

  it('holds what was recorded by then, not what had happened by then', () => {
    expect(grantedAsOf(99)).toBe(false);
    expect(grantedAsOf(100)).toBe(true);
    expect(grantedAsOf(199)).toBe(true);
    expect(grantedAsOf(200)).toBe(false);
  });

  it('compares instants, not texts', () => {
    const inBerlin = new Date(Date.parse(instant(100)) + 3_600_000).toISOString().replace('Z', '+01:00');
    expect(isGranted(stateAsOf(facts, inBerlin), contactFor('news')).granted).toBe(true);
  });

  it('refuses an instant it cannot read', () => {
    expect(() => stateAsOf(facts, 'yesterday')).toThrow(InvalidInstantError);
  });
});
