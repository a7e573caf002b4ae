import { evolveConsent, initialConsentState, type ConsentState } from '@assent/consent-state';
import type { AnyEvent, Scope } from '@assent/contracts';
import type { Cause } from '../causes/cause.projection.ts';
import type { FoundRecipient } from '../recipient-lookup/recipient-lookup.ts';
import { decideCheck } from './check.decider.ts';

const aspects = { purposeId: 'news', category: 'marketing', senderId: '1' };

function consent(...facts: { type: string; data: object }[]): ConsentState {
  return facts.reduce<ConsentState>(
    (state, { type, data }, index) => evolveConsent(state, { id: String(index), type, data } as unknown as AnyEvent),
    initialConsentState,
  );
}

const withdrew = (effectiveAt: string, scope: Scope = { kind: 'all' }): { type: string; data: object } => ({
  type: 'consent.withdrawn.v1',
  data: { withdrawalId: `w-${effectiveAt}`, lane: 'person', scope, occurredAt: effectiveAt, effectiveAt },
});
const grantedAgain = (requestedAt: string): { type: string; data: object } => ({
  type: 'consent.granted.v1',
  data: {
    grantId: 'g',
    purposeIds: ['news'],
    basis: 'confirmed',
    requestedAt,
    grantedAt: requestedAt,
    noticeId: 'n',
    noticeVersion: 1,
  },
});

function found(state: ConsentState, causes: readonly Cause[] = []): FoundRecipient {
  return {
    subjects: [{ _id: 's', tenant: 'acme', consent: state, addressKeys: ['k'] }],
    causes: [
      {
        _id: 'k',
        tenant: 'acme',
        causes: Object.fromEntries(causes.map((cause) => [cause.causeId, cause])),
        liftedAhead: [],
      },
    ],
    addressKeys: ['k'],
  };
}

const manual: Cause = {
  causeId: 'c',
  kind: 'manual',
  scope: { kind: 'all' },
  reason: 'asked by phone',
  actor: 'a',
  since: '2026-11-01T00:00:00.000Z',
  position: 'suppression.events/1@2',
};

describe('a check of an address', () => {
  it('is clear when nothing forbids contact, and says that this is not consent', () => {
    const answer = decideCheck({ found: found(initialConsentState), aspects, doubts: [] });
    expect(answer).toMatchObject({ answer: 'clear', causes: [] });
    expect(answer.text).toContain('not yet consent');
  });

  it('blocks after a withdrawal, until a proven grant came later', () => {
    const withdrawal = withdrew('2026-11-20T00:00:00.000Z');
    expect(decideCheck({ found: found(consent(withdrawal)), aspects, doubts: [] }).answer).toBe('block');
    const back = consent(withdrawal, grantedAgain('2026-11-21T00:00:00.000Z'));
    expect(decideCheck({ found: found(back), aspects, doubts: [] }).answer).toBe('clear');
    const tie = consent(withdrawal, grantedAgain('2026-11-20T00:00:00.000Z'));
    expect(decideCheck({ found: found(tie), aspects, doubts: [] }).answer).toBe('block');
  });

  it('blocks when it is not said what for and anything is withdrawn', () => {
    const state = consent(withdrew('2026-11-20T00:00:00.000Z', { kind: 'purpose', id: 'other' }));
    expect(decideCheck({ found: found(state), aspects: {}, doubts: [] }).answer).toBe('block');
    expect(decideCheck({ found: found(state), aspects, doubts: [] }).answer).toBe('clear');
  });

  it('blocks on a live cause and not on a lifted one', () => {
    expect(decideCheck({ found: found(initialConsentState, [manual]), aspects, doubts: [] })).toMatchObject({
      answer: 'block',
      causes: [{ id: 'c', kind: 'manual' }],
    });
    const lifted = { ...manual, liftedAt: '2026-11-02T00:00:00.000Z' };
    expect(decideCheck({ found: found(initialConsentState, [lifted]), aspects, doubts: [] }).answer).toBe('clear');
  });

  it('holds in doubt, and blocks in spite of it', () => {
    const doubts = [{ code: 'read-model-behind' as const, text: '' }];
    expect(decideCheck({ found: found(initialConsentState), aspects, doubts }).answer).toBe('hold');
    expect(decideCheck({ found: found(initialConsentState, [manual]), aspects, doubts }).answer).toBe('block');
  });
});
