import type { RecordedEvent, Scope } from '@assent/contracts';
import { consentGranted, consentResumed, consentWithdrawn, contactFor, instant } from './consent-facts.fixture.ts';
import { evolveConsent, initialConsentState } from './consent.state.ts';
import { isGranted, type ConsentQuestion } from './is-granted.ts';
import { withdrawalEffectiveAt, WHATSAPP_TICK_MS } from './withdrawal-effective-at.ts';

const news = contactFor('news');

function answer(facts: readonly RecordedEvent[], question: ConsentQuestion = news) {
  return isGranted(facts.reduce(evolveConsent, initialConsentState), question);
}

describe('consent of a person nobody heard of', () => {
  it('was never granted', () => {
    expect(answer([])).toEqual({ granted: false, reason: 'never-granted' });
  });

  it('is not found under names that every object has', () => {
    expect(answer([], contactFor('constructor')).granted).toBe(false);
  });
});

describe('consent of a person who never withdrew', () => {
  it.each(['confirmed', 'stated', 'imported'] as const)('is granted by a %s grant', (basis) => {
    expect(answer([consentGranted({ at: 0, basis })])).toMatchObject({ granted: true, grant: { basis } });
  });

  it('names the proven grant before the others, with its notice version and position', () => {
    const facts = [
      consentGranted({ at: 3_000, basis: 'imported' }),
      consentGranted({ at: 2_000, basis: 'stated' }),
      consentGranted({
        at: 1_000,
        basis: 'confirmed',
        grantId: 'proven',
        requestId: 'request-1',
        placed: { offset: 41 },
      }),
    ];
    expect(answer(facts)).toEqual({
      granted: true,
      reason: 'granted',
      grant: {
        purposeId: 'news',
        basis: 'confirmed',
        grantId: 'proven',
        requestId: 'request-1',
        requestedAt: instant(1_000),
        grantedAt: instant(1_000),
        noticeId: 'news-notice',
        noticeVersion: 3,
        position: { topic: 'consent.events', partition: 0, offset: 41 },
      },
    });
  });

  it('is granted for the purposes of the grant only', () => {
    const facts = [consentGranted({ at: 0, purposeIds: ['news', 'offers'] })];
    expect(answer(facts, contactFor('offers')).granted).toBe(true);
    expect(answer(facts, contactFor('surveys'))).toEqual({ granted: false, reason: 'never-granted' });
  });
});

describe('consent of a person who withdrew', () => {
  it('is denied when the withdrawal is later, and names both', () => {
    const facts = [consentGranted({ at: 0, grantId: 'g' }), consentWithdrawn({ effectiveAt: 10, withdrawalId: 'w' })];
    expect(answer(facts)).toMatchObject({
      granted: false,
      reason: 'withdrawn',
      grant: { grantId: 'g' },
      withdrawal: { withdrawalId: 'w', position: { offset: 0 } },
    });
  });

  it('is denied without any grant, because of the withdrawal', () => {
    const result = answer([consentWithdrawn({ effectiveAt: 10 })]);
    expect(result.reason).toBe('withdrawn');
    expect(result.grant).toBeUndefined();
  });

  it('is granted again by a later proven grant, and names the withdrawal it came after', () => {
    const facts = [consentWithdrawn({ effectiveAt: 10, withdrawalId: 'w' }), consentGranted({ at: 11, grantId: 'g' })];
    expect(answer(facts)).toMatchObject({
      granted: true,
      reason: 'granted',
      grant: { grantId: 'g' },
      withdrawal: { withdrawalId: 'w' },
    });
  });

  it('stays denied on a tie', () => {
    expect(answer([consentGranted({ at: 10 }), consentWithdrawn({ effectiveAt: 10 })]).granted).toBe(false);
  });

  it('stays denied when both carry the same whole second, in either order, and within the skew allowance', () => {
    const stampedAt = instant(0);
    const effectiveAt = Date.parse(withdrawalEffectiveAt(stampedAt, WHATSAPP_TICK_MS)) - Date.parse(stampedAt);
    const stop = consentWithdrawn({ effectiveAt });
    expect(answer([consentGranted({ at: 0 }), stop]).granted).toBe(false);
    expect(answer([stop, consentGranted({ at: 999 })]).granted).toBe(false);
    expect(answer([stop, consentGranted({ at: 6_000 })]).granted).toBe(false);
    expect(answer([stop, consentGranted({ at: 6_001 })]).granted).toBe(true);
  });

  it.each(['stated', 'imported'] as const)('is not lifted by a later %s grant', (basis) => {
    const facts = [
      consentGranted({ at: 0 }),
      consentWithdrawn({ effectiveAt: 10 }),
      consentGranted({ at: 99_000, basis, grantId: 'late' }),
    ];
    expect(answer(facts)).toMatchObject({ granted: false, reason: 'withdrawn', grant: { grantId: 'late' } });
    expect(answer(facts.toReversed()).granted).toBe(false);
  });

  it('is not lifted by a confirmation of a request that is older than the withdrawal', () => {
    const facts = [consentWithdrawn({ effectiveAt: 10 }), consentGranted({ at: 9, grantedAt: 50_000 })];
    expect(answer(facts).granted).toBe(false);
  });

  it('is not undone again by a late duplicate of the old withdrawal once a newer proven grant exists', () => {
    const stop = consentWithdrawn({ effectiveAt: 10, placed: { offset: 3 } });
    const duplicate = { ...stop, position: { ...stop.position, offset: 90 }, recordedAt: instant(500_000) };
    const result = answer([stop, consentGranted({ at: 11 }), duplicate]);
    expect(result).toMatchObject({ granted: true, withdrawal: { position: { offset: 3 } } });
  });

  it('covers purposes that did not exist when everything was withdrawn', () => {
    const facts = [
      consentWithdrawn({ effectiveAt: 10 }),
      consentGranted({ at: 20, purposeIds: ['invented-later'], basis: 'imported' }),
    ];
    expect(answer(facts, contactFor('invented-later')).reason).toBe('withdrawn');
  });
});

describe('a withdrawal of a narrower scope', () => {
  const covering: [Scope, ConsentQuestion][] = [
    [{ kind: 'channel', id: 'whatsapp' }, news],
    [{ kind: 'category', id: 'marketing' }, news],
    [{ kind: 'purpose', id: 'news' }, news],
    [{ kind: 'sender', id: news.senderId }, news],
  ];
  it.each(covering)('denies what it covers: %j', (scope, question) => {
    expect(answer([consentGranted({ at: 0 }), consentWithdrawn({ effectiveAt: 10, scope })], question).granted).toBe(
      false,
    );
  });

  const elsewhere: [Scope, ConsentQuestion][] = [
    [{ kind: 'category', id: 'marketing' }, contactFor('news', 'utility')],
    [{ kind: 'purpose', id: 'offers' }, news],
    [{ kind: 'sender', id: '100000000000002' }, news],
  ];
  it.each(elsewhere)('leaves the rest alone: %j', (scope, question) => {
    const result = answer([consentGranted({ at: 0 }), consentWithdrawn({ effectiveAt: 10, scope })], question);
    expect(result).toMatchObject({ granted: true, grant: { grantId: 'grant-confirmed-0' } });
    expect(result.withdrawal).toBeUndefined();
  });

  it('does not hide an older one that covers more', () => {
    const facts = [
      consentWithdrawn({ effectiveAt: 30_000, scope: { kind: 'purpose', id: 'offers' } }),
      consentWithdrawn({ effectiveAt: 10_000 }),
      consentGranted({ at: 20_000, purposeIds: ['news', 'offers'] }),
    ];
    expect(answer(facts).granted).toBe(true);
    expect(answer(facts, contactFor('offers')).granted).toBe(false);
  });
});

describe('a withdrawal this version cannot read', () => {
  it.each([
    ['an unknown kind', { kind: 'brand', id: 'x' }],
    ['a known kind without an id', { kind: 'purpose' }],
    ['a known kind with an id of another type', { kind: 'purpose', id: 7 }],
    ['no object', 'STOP'],
    ['nothing', null],
    ['a kind that every object has', { kind: 'constructor', id: 'x' }],
  ])('covers everything: %s', (_name, scope) => {
    const stop = consentWithdrawn({ effectiveAt: 10, scope: scope as unknown as Scope });
    expect(answer([consentGranted({ at: 0 }), stop]).granted).toBe(false);
  });

  it('never ends when its time is unreadable', () => {
    const stop = consentWithdrawn({ effectiveAt: 10 });
    const unreadable = { ...stop, data: { ...stop.data, effectiveAt: 'whenever' } } as RecordedEvent;
    expect(answer([unreadable, consentGranted({ at: 99_000 })]).granted).toBe(false);
  });

  it('is not overtaken by a grant whose time is unreadable', () => {
    const grant = consentGranted({ at: 99_000 });
    const unreadable = { ...grant, data: { ...grant.data, requestedAt: 'whenever' } } as RecordedEvent;
    expect(answer([consentWithdrawn({ effectiveAt: 10 }), unreadable]).granted).toBe(false);
  });
});

describe('a stop that the platform reported', () => {
  const scope: Scope = { kind: 'category', id: 'marketing' };
  const senderId = news.senderId;
  const stop = consentWithdrawn({ effectiveAt: 10, scope, senderId, lane: 'platform', withdrawalId: 'w' });
  const resume = consentResumed({ at: 11, scope, senderId, placed: { offset: 8 } });

  it('denies until the platform resumes', () => {
    expect(answer([consentGranted({ at: 0 }), stop])).toMatchObject({
      reason: 'withdrawn',
      withdrawal: { lane: 'platform' },
    });
    expect(answer([consentGranted({ at: 0 }), stop, resume])).toMatchObject({
      granted: true,
      resumption: { eventId: 'resumption-11', position: { offset: 8 } },
    });
  });

  it('counts as never said once resumed, so that a stated grant suffices again', () => {
    expect(answer([consentGranted({ at: 0, basis: 'stated' }), resume, stop]).granted).toBe(true);
  });

  it('holds on a tie with the resumption', () => {
    expect(answer([consentGranted({ at: 0 }), stop, consentResumed({ at: 10, scope, senderId })]).granted).toBe(false);
  });

  it('holds when the resumption is older', () => {
    expect(answer([consentGranted({ at: 0 }), stop, consentResumed({ at: 9, scope, senderId })]).granted).toBe(false);
  });

  it('is not ended by a resumption of another scope or of another business number', () => {
    const otherScope = consentResumed({ at: 99, senderId, scope: { kind: 'all' } });
    const otherSender = consentResumed({ at: 99, scope, senderId: '100000000000002' });
    expect(answer([consentGranted({ at: 0 }), stop, otherScope, otherSender]).granted).toBe(false);
  });

  it('of one business number does not make a resumed stop of another one count again', () => {
    const otherStop = consentWithdrawn({ effectiveAt: 5, scope, senderId: '100000000000002', lane: 'platform' });
    const otherResume = consentResumed({ at: 6, scope, senderId: '100000000000002' });
    expect(answer([consentGranted({ at: 0 }), otherStop, otherResume]).granted).toBe(true);
    expect(answer([consentGranted({ at: 0 }), otherStop, otherResume, stop]).granted).toBe(false);
  });

  it('leaves what the person said to us in force when it is resumed', () => {
    const said = consentWithdrawn({ effectiveAt: 5, scope, withdrawalId: 'said' });
    expect(answer([consentGranted({ at: 0 }), said, stop, resume])).toMatchObject({
      granted: false,
      withdrawal: { withdrawalId: 'said', lane: 'person' },
    });
    const withoutSender = [
      consentWithdrawn({ effectiveAt: 7, scope, lane: 'platform' }),
      consentResumed({ at: 8, scope }),
    ];
    expect(answer([consentGranted({ at: 0 }), said, ...withoutSender]).granted).toBe(false);
  });
});
