import type { RecordedEvent, Scope } from '@assent/contracts';
import fc from 'fast-check';
import { consentGranted, consentResumed, consentWithdrawn, contactFor } from './consent-facts.fixture.ts';
import { evolveConsent, initialConsentState, type ConsentState } from './consent.state.ts';
import { isGranted, type ConsentQuestion } from './is-granted.ts';

/** Small domains on purpose: ties, repeats and shared registers have to be common. */
const atMs = fc.integer({ min: 0, max: 12 }).map((tick) => tick * 500);
const purposeId = fc.constantFrom('news', 'offers', 'constructor');
const senderId = fc.constantFrom('100000000000001', '100000000000002');
const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant({ kind: 'all' as const }),
  fc.constant({ kind: 'channel' as const, id: 'whatsapp' as const }),
  fc.constantFrom('marketing' as const, 'utility' as const).map((id) => ({ kind: 'category' as const, id })),
  purposeId.map((id) => ({ kind: 'purpose' as const, id })),
  senderId.map((id) => ({ kind: 'sender' as const, id })),
  fc.constant({ kind: 'brand', id: 'a-later-version' } as unknown as Scope),
);
/** Some stops and resumptions name the business number, some do not. */
const toSender = fc.oneof(
  senderId.map((id) => ({ senderId: id })),
  fc.constant({}),
);
const placed = fc.record({ offset: fc.integer({ min: 0, max: 30 }) });

const granted = fc
  .record({
    at: atMs,
    grantedAt: atMs,
    basis: fc.constantFrom('confirmed' as const, 'stated' as const, 'imported' as const),
    purposeIds: fc.uniqueArray(purposeId, { minLength: 1 }),
    grantId: fc.constantFrom('grant-a', 'grant-b'),
    placed,
  })
  .map(consentGranted);
const withdrawn = fc
  .record({
    effectiveAt: atMs,
    scope,
    lane: fc.constantFrom('person' as const, 'platform' as const),
    toSender,
    withdrawalId: fc.constantFrom('withdrawal-a', 'withdrawal-b'),
    placed,
  })
  .map(({ toSender: to, ...rest }) => consentWithdrawn({ ...rest, ...to }));
const resumed = fc
  .record({ at: atMs, scope, toSender, placed })
  .map(({ toSender: to, ...rest }) => consentResumed({ ...rest, ...to }));
const facts = fc.array(fc.oneof(granted, withdrawn, resumed), { maxLength: 14 });
const question: fc.Arbitrary<ConsentQuestion> = fc
  .tuple(purposeId, fc.constantFrom('marketing', 'utility'), senderId)
  .map(([purpose, category, sender]) => contactFor(purpose, category, sender));

function fold(list: readonly RecordedEvent[], from: ConsentState = initialConsentState): ConsentState {
  return list.reduce(evolveConsent, from);
}

/** Equal states are equal byte for byte. */
function json(state: ConsentState): string {
  return JSON.stringify(state);
}

/** The rule in the words of the design, over the whole set of facts and without registers. */
function grantedByDefinition(list: readonly RecordedEvent[], q: ConsentQuestion): boolean {
  const grants = list
    .filter((f) => f.type === 'consent.granted.v1')
    .filter((f) => f.data.purposeIds.includes(q.purposeId));
  const resumptions = list.filter((f) => f.type === 'consent.resumed.v1');
  const covering = list
    .filter((f) => f.type === 'consent.withdrawn.v1')
    .filter(({ data }) => coversByDefinition(data.scope, q))
    .filter(
      ({ data }) =>
        data.lane === 'person' ||
        !resumptions.some(
          (r) =>
            r.data.senderId === data.senderId &&
            JSON.stringify(r.data.scope) === JSON.stringify(data.scope) &&
            r.data.occurredAt > data.effectiveAt,
        ),
    );
  if (covering.length === 0) return grants.length > 0;
  return grants.some(
    ({ data }) =>
      data.basis === 'confirmed' && covering.every((withdrawal) => data.requestedAt > withdrawal.data.effectiveAt),
  );
}

/** Everything here happens on the one channel there is. */
function coversByDefinition(s: Scope, q: ConsentQuestion): boolean {
  if (s.kind === 'category') return s.id === q.category;
  if (s.kind === 'purpose') return s.id === q.purposeId;
  if (s.kind === 'sender') return s.id === q.senderId;
  return true;
}

describe('the consent fold over any facts', () => {
  it('does not depend on their order', () => {
    const shuffled = facts.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(json(fold(other))).toBe(json(fold(list)));
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on how often each is seen', () => {
    const repeated = facts.chain((list) => fc.tuple(fc.constant(list), fc.subarray(list)));
    fc.assert(
      fc.property(repeated, ([list, again]) => {
        expect(json(fold([...list, ...again]))).toBe(json(fold(list)));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the smallest position of a fact that was appended twice, whichever copy comes first', () => {
    const copies = facts.chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.array(fc.integer({ min: 31, max: 60 }), { minLength: list.length, maxLength: list.length }),
      ),
    );
    fc.assert(
      fc.property(copies, ([list, offsets]) => {
        const later = list.map((fact, i) => ({ ...fact, position: { ...fact.position, offset: offsets[i] ?? 0 } }));
        expect(json(fold([...later, ...list]))).toBe(json(fold(list)));
        expect(json(fold([...list, ...later]))).toBe(json(fold(list)));
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on where the list is cut, with the state stored as JSON at each cut', () => {
    fc.assert(
      fc.property(facts, fc.nat(14), fc.nat(14), (list, a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const stored = (state: ConsentState): ConsentState => JSON.parse(JSON.stringify(state)) as ConsentState;
        const inParts = fold(
          list.slice(second),
          stored(fold(list.slice(first, second), stored(fold(list.slice(0, first))))),
        );
        expect(json(inParts)).toBe(json(fold(list)));
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on whether a grant of several purposes is one fact or several', () => {
    fc.assert(
      fc.property(facts, (list) => {
        const split = list.flatMap((fact): RecordedEvent[] =>
          fact.type === 'consent.granted.v1'
            ? fact.data.purposeIds.map((purpose) => ({ ...fact, data: { ...fact.data, purposeIds: [purpose] } }))
            : [fact],
        );
        expect(json(fold(split))).toBe(json(fold(list)));
      }),
    );
  });

  it('answers what the definition over the whole set answers', () => {
    fc.assert(
      fc.property(facts, question, (list, q) => {
        expect(isGranted(fold(list), q).granted).toBe(grantedByDefinition(list, q));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is denied after one more covering withdrawal that is not earlier, whatever else happened', () => {
    fc.assert(
      fc.property(facts, question, scope, (list, q, last) => {
        fc.pre(coversByDefinition(last, q));
        const stop = consentWithdrawn({ effectiveAt: 6_000, scope: last, withdrawalId: 'withdrawal-z' });
        expect(isGranted(fold([...list, stop]), q)).toMatchObject({ granted: false, reason: 'withdrawn' });
        expect(isGranted(fold([stop, ...list]), q)).toMatchObject({ granted: false, reason: 'withdrawn' });
      }),
      { numRuns: 300 },
    );
  });

  it('never turns to granted by a stated or imported grant once a withdrawal covers', () => {
    fc.assert(
      fc.property(facts, question, granted, (list, q, more) => {
        fc.pre(more.type === 'consent.granted.v1' && more.data.basis !== 'confirmed');
        const before = isGranted(fold(list), q);
        fc.pre(before.reason === 'withdrawn');
        expect(isGranted(fold([...list, more]), q).granted).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a fact that changes nothing', () => {
  it('leaves the very same state, so that a projection can tell', () => {
    const state = fold([consentGranted({ at: 0 }), consentWithdrawn({ effectiveAt: 9 }), consentResumed({ at: 9 })]);
    expect(evolveConsent(state, consentGranted({ at: 0 }))).toBe(state);
    expect(evolveConsent(state, consentWithdrawn({ effectiveAt: 9 }))).toBe(state);
    expect(evolveConsent(state, consentResumed({ at: 9 }))).toBe(state);
  });

  it('is an event of another kind', () => {
    const other = { ...consentGranted({ at: 0 }), type: 'preferences.changed.v1', data: { subjectId: 'subject-1' } };
    expect(evolveConsent(initialConsentState, other as RecordedEvent)).toBe(initialConsentState);
  });

  it('is a grant of a basis that this version does not know', () => {
    const fact = consentGranted({ at: 0, basis: 'presumed' as 'stated' });
    expect(evolveConsent(initialConsentState, fact)).toBe(initialConsentState);
  });

  it('is a resumption of another lane than the platform’s', () => {
    const resumption = consentResumed({ at: 9_000 });
    const ofPerson = { ...resumption, data: { ...resumption.data, lane: 'person' } } as unknown as RecordedEvent;
    expect(evolveConsent(initialConsentState, ofPerson)).toBe(initialConsentState);
  });
});

describe('a register of a fact that is not in the log yet', () => {
  it('takes the position of the copy that is', () => {
    const { position: _none, ...unplaced } = consentGranted({ at: 0 });
    const inLog = consentGranted({ at: 0, placed: { offset: 7 } });
    const state = evolveConsent(evolveConsent(initialConsentState, unplaced), inLog);
    expect(state.grants[0]?.position?.offset).toBe(7);
    expect(evolveConsent(evolveConsent(initialConsentState, inLog), unplaced)).toEqual(state);
  });
});
