import { evolveConsent, initialConsentState, type ConsentState } from '@assent/consent-state';
import type { AnyEvent, Scope } from '@assent/contracts';
import { type Attempt, type CapRule, type ConsentLifeRule, DEFAULT_RULE_SET, DEMO_RULE_SET } from '@assent/send-rules';
import { decideGate, FORM_ASK_INTERVAL_MS, RECEIPT_VALID_MS } from './gate.decider.ts';
import type { DispatchWish, GateFacts, RecipientFacts } from './gate.facts.ts';
import { reasonsOf } from './send-question.ts';

const noonUtc = Date.parse('2026-11-24T12:00:00.000Z');
const subjectId = '11111111-1111-4111-8111-111111111111';
const causeId = '22222222-2222-4222-8222-222222222222';
const position = { topic: 'consent.events', partition: 3, offset: 7 };

function fact(type: AnyEvent['type'], data: object): AnyEvent & { position: typeof position } {
  return { id: `${type}-1`, type, tenant: 'acme', data, position } as unknown as AnyEvent & {
    position: typeof position;
  };
}

function consentGranted({
  at,
  purposeId = 'news',
  basis = 'confirmed',
}: {
  at: string;
  purposeId?: string;
  basis?: string;
}): AnyEvent {
  return fact('consent.granted.v1', {
    subjectId,
    grantId: causeId,
    purposeIds: [purposeId],
    basis,
    requestedAt: at,
    grantedAt: at,
    noticeId: 'news-notice',
    noticeVersion: 2,
    method: 'form',
  });
}

function withdrew({ at, scope = { kind: 'all' } }: { at: string; scope?: Scope }): AnyEvent {
  return fact('consent.withdrawn.v1', {
    subjectId,
    withdrawalId: causeId,
    scope,
    lane: 'person',
    method: 'keyword',
    occurredAt: at,
    effectiveAt: at,
    receiptDue: true,
  });
}

function consentOf(...facts: AnyEvent[]): ConsentState {
  return facts.reduce<ConsentState>((state, event) => evolveConsent(state, event), initialConsentState);
}

const granted = consentOf(consentGranted({ at: '2026-11-01T10:00:00.000Z' }));

function wish(change: Partial<DispatchWish> = {}): DispatchWish {
  return {
    dispatchId: '33333333-3333-4333-8333-333333333333',
    class: 'message',
    cause: { kind: 'request', id: causeId },
    purposeId: 'news',
    category: 'marketing',
    senderId: '100000000000001',
    template: { name: 'offer', language: 'en' },
    parameterCount: 1,
    schedule: { kind: 'now' },
    expiresAt: noonUtc + 86_400_000,
    ...change,
  };
}

function person(change: Partial<RecipientFacts> = {}): RecipientFacts {
  const evidence = { declaredZone: 'Europe/London', phone: '+447700900123' };
  return { subjectId, consent: granted, evidence, wishes: {}, attempts: [], causes: [], ...change };
}

const OFFER = { category: 'marketing', language: 'en', body: 'Tea for {{1}}', bodyParameters: 1 } as const;
const FRAME = {
  jurisdiction: '*',
  channel: 'whatsapp',
  status: 'active',
  sources: [{ kind: 'own', reference: 'the tenant' }],
  verifiedOn: '2026-11-01',
  confidence: 'high',
} as const;
const ACME = { held: false, displayName: 'Acme' };

function facts(change: Partial<GateFacts> = {}): GateFacts {
  return {
    at: noonUtc,
    wish: wish(),
    recipient: person(),
    sender: ACME,
    template: OFFER,
    purpose: { category: 'marketing' },
    ruleSet: DEMO_RULE_SET,
    holidays: [],
    blackouts: [],
    behind: [],
    parked: [],
    ...change,
  };
}

const codes = (given: GateFacts): string[] => decideGate(given).reasons.map(({ code }) => code);

describe('the gate, for a message', () => {
  it('allows what was agreed to, inside the hours', () => {
    expect(decideGate(facts()).verdict).toBe('allow');
  });

  it('refuses a person who never opted in', () => {
    const verdict = decideGate(facts({ recipient: person({ consent: initialConsentState }) }));
    expect(verdict.verdict).toBe('refuse');
    expect(verdict.reasons[0]?.code).toBe('no-consent');
  });

  it('refuses after a withdrawal and names its position', () => {
    const consent = consentOf(
      consentGranted({ at: '2026-11-01T10:00:00.000Z' }),
      withdrew({ at: '2026-11-20T10:00:00.000Z' }),
    );
    const verdict = decideGate(facts({ recipient: person({ consent }) }));
    expect(verdict).toMatchObject({ verdict: 'refuse', reasons: [{ code: 'withdrawn', ref: 'consent.events/3@7' }] });
  });

  it('lets a later proven grant count again, and never an import', () => {
    const withdrawal = withdrew({ at: '2026-11-20T10:00:00.000Z' });
    const proven = consentOf(withdrawal, consentGranted({ at: '2026-11-21T10:00:00.000Z' }));
    const imported = consentOf(withdrawal, consentGranted({ at: '2026-11-21T10:00:00.000Z', basis: 'imported' }));
    expect(decideGate(facts({ recipient: person({ consent: proven }) })).verdict).toBe('allow');
    expect(decideGate(facts({ recipient: person({ consent: imported }) })).verdict).toBe('refuse');
  });

  it.each<[string, Partial<GateFacts>, string]>([
    ['nobody is known', { recipient: undefined as unknown as RecipientFacts }, 'no-consent'],
    ['the sender is unknown', { sender: undefined as unknown as typeof ACME }, 'sender-unknown'],
    ['the template is unknown', { template: undefined as unknown as typeof OFFER }, 'template-unknown'],
    ['the template changed its category', { template: { ...OFFER, category: 'utility' } }, 'template-category-changed'],
    ['a parameter is missing', { template: { ...OFFER, bodyParameters: 2 } }, 'template-parameters'],
    ['the purpose is unknown', { purpose: undefined as unknown as { category: 'marketing' } }, 'purpose-unknown'],
    ['the template is more than the purpose', { purpose: { category: 'utility' } }, 'category-exceeds-purpose'],
    ['its time has passed', { at: noonUtc + 86_400_000 }, 'expired'],
  ])('refuses when %s', (_, change, code) => {
    const given = Object.fromEntries(
      Object.entries<unknown>({ ...facts(), ...change }).filter(([, value]) => value !== undefined),
    ) as unknown as GateFacts;
    expect(decideGate(given).verdict).toBe('refuse');
    expect(codes(given)).toContain(code);
  });

  it.each<[string, Partial<GateFacts>, string]>([
    ['a log is behind', { behind: ['consent.events/3'] }, 'read-model-behind'],
    ['a key of the person is parked', { parked: ['x'] }, 'recipient-parked'],
    ['a withdrawal for the sender is quarantined', { sender: { ...ACME, held: true } }, 'sender-held'],
    ['no zone is known', { recipient: person({ evidence: {} }) }, 'zone-unknown'],
  ])('holds when %s', (_, change, code) => {
    expect(decideGate(facts(change)).verdict).toBe('hold');
    expect(codes(facts(change))).toContain(code);
  });

  it('holds at night until the morning of the strictest zone', () => {
    const evidence = { phone: '+16235550100', bsuidCountry: 'US' };
    const verdict = decideGate(facts({ recipient: person({ evidence }) }));
    expect(verdict).toMatchObject({ verdict: 'hold', until: Date.parse('2026-11-24T15:00:00.000Z') });
  });

  it('refuses at once what expires before it would be allowed', () => {
    const recipient = person({ evidence: { declaredZone: 'America/New_York' } });
    expect(codes(facts({ recipient, wish: wish({ expiresAt: noonUtc + 60_000 }) }))).toContain(
      'expires-before-allowed',
    );
  });

  it('waits for the time that was asked for, wherever the person is by now', () => {
    const at = (schedule: DispatchWish['schedule'], declaredZone = 'Europe/London'): unknown => {
      const verdict = decideGate(
        facts({ wish: wish({ schedule }), recipient: person({ evidence: { declaredZone } }) }),
      );
      return [verdict.verdict, verdict.verdict === 'hold' && new Date(verdict.until ?? 0).toISOString()];
    };
    const later = '2026-11-24T12:30:00.000Z';
    expect(at({ kind: 'at', at: later })).toEqual(['hold', later]);
    expect(at({ kind: 'at', at: '2026-11-24T12:00:00.000Z' })).toEqual(['allow', false]);
    const local = { kind: 'local', date: '2026-11-24', time: '13:00' } as const;
    expect(at(local)).toEqual(['hold', '2026-11-24T13:00:00.000Z']);
    expect(at(local, 'Europe/Berlin')).toEqual(['allow', false]);
    const nowhere = facts({ wish: wish({ schedule: local }), recipient: person({ evidence: {} }) });
    expect([decideGate(nowhere).verdict, codes(nowhere)]).toEqual(['hold', ['zone-unknown']]);
  });

  it('holds under a cap until it frees, and gives back what provably did not arrive', () => {
    const cap: CapRule = { ...FRAME, id: 'one', kind: 'cap', attemptsMax: 1, windowHours: 24, per: ['purpose'] };
    const ruleSet = { ...DEMO_RULE_SET, rules: [...DEMO_RULE_SET.rules, cap] };
    const sent: Attempt = {
      attemptId: 'a',
      at: noonUtc - 23 * 3_600_000,
      class: 'message',
      category: 'marketing',
      purposeId: 'news',
      senderId: '100000000000001',
      outcome: 'sent',
    };
    const after = (attempt: Attempt): GateFacts => facts({ ruleSet, recipient: person({ attempts: [attempt] }) });
    expect(decideGate(after(sent))).toMatchObject({ verdict: 'hold', until: noonUtc + 3_600_000 });
    expect(codes(after(sent))[0]).toBe('cap-reached');
    expect(decideGate(after({ ...sent, outcome: 'abandoned' })).verdict).toBe('allow');
  });

  it('refuses on a consent that has lapsed', () => {
    const life: ConsentLifeRule = {
      ...FRAME,
      id: 'life',
      kind: 'consent-life',
      basis: 'express',
      countsFrom: 'last-use',
      monthsMax: 24,
    };
    const ruleSet = { ...DEMO_RULE_SET, rules: [...DEMO_RULE_SET.rules, life] };
    const consent = consentOf(consentGranted({ at: '2024-11-01T10:00:00.000Z' }));
    const since = (lastUsedAt?: string): GateFacts =>
      facts({ ruleSet, recipient: person({ consent, ...(lastUsedAt === undefined ? {} : { lastUsedAt }) }) });
    expect([decideGate(since()).verdict, codes(since())[0]]).toEqual(['refuse', 'consent-lapsed']);
    expect(decideGate(since('2025-03-01T10:00:00.000Z')).verdict).toBe('allow');
  });

  it('holds in a blackout until it is over; in one without an end until a person acts', () => {
    const blackout = { id: 'b', jurisdictions: ['GB'], from: noonUtc - 1, reason: 'Mourning' };
    const during = (until?: number): GateFacts =>
      facts({ blackouts: [{ ...blackout, ...(until === undefined ? {} : { until }) }] });
    expect(decideGate(during(noonUtc + 60_000))).toMatchObject({ verdict: 'hold', until: noonUtc + 60_000 });
    const open = decideGate(during());
    expect([open.verdict, 'until' in open, codes(during())[0]]).toEqual(['hold', false, 'blackout']);
    expect(decideGate(facts({ blackouts: [{ ...blackout, jurisdictions: ['FR'] }] })).verdict).toBe('allow');
  });

  it('records once what one rule says of several places, in the length that an event takes', () => {
    const said = { code: 'within-cap', text: 'x'.repeat(400), params: {}, ref: 'r@1#cap' };
    expect(reasonsOf([said, said, { ...said, ref: 'r@1#other' }])).toEqual([
      { code: 'within-cap', text: 'x'.repeat(300), ref: 'r@1#cap' },
      { code: 'within-cap', text: 'x'.repeat(300), ref: 'r@1#other' },
    ]);
    const many = Array.from({ length: 70 }, (_, index) => ({ ...said, ref: `r@1#${index}` }));
    expect(reasonsOf(many)).toHaveLength(64);
  });

  it('refuses a suppressed address, in its scope only', () => {
    const cause = { causeId, kind: 'manual' as const, since: 0, position };
    const all = person({ causes: [{ ...cause, scope: { kind: 'all' } }] });
    const other = person({ causes: [{ ...cause, scope: { kind: 'purpose', id: 'other' } }] });
    expect(codes(facts({ recipient: all }))).toContain('suppressed-manual');
    expect(decideGate(facts({ recipient: other })).verdict).toBe('allow');
  });
});

describe('the gate, for an opt-in question', () => {
  const request = {
    requestId: causeId,
    selfStarted: false,
    requestedAt: noonUtc - 1_000,
    expiresAt: noonUtc + 604_800_000,
  };
  const ask = (change: Partial<RecipientFacts> = {}, at = noonUtc): GateFacts =>
    facts({
      at,
      wish: wish({ class: 'opt-in-ask', category: 'utility', parameterCount: 0, expiresAt: at + 604_800_000 }),
      template: { ...OFFER, category: 'utility', bodyParameters: 0 },
      recipient: person({ consent: initialConsentState, request, ...change }),
    });
  const withdrawn = consentOf(withdrew({ at: '2026-11-20T10:00:00.000Z' }));

  it('asks somebody new who used a form', () => {
    expect(decideGate(ask()).verdict).toBe('allow');
  });

  it('asks nobody through a form who has withdrawn', () => {
    expect(codes(ask({ consent: withdrawn }))).toEqual(['withdrawn']);
  });

  it('asks again when the person wrote after the withdrawal, at any hour', () => {
    const night = Date.parse('2026-11-24T02:00:00.000Z');
    const own = { ...request, selfStarted: true, requestedAt: night - 1_000, expiresAt: night + 1_000_000 };
    expect(decideGate(ask({ consent: withdrawn, request: own }, night)).verdict).toBe('allow');
  });

  it('does not ask when the person withdrew after writing', () => {
    const own = { ...request, selfStarted: true, requestedAt: Date.parse('2026-11-19T10:00:00.000Z') };
    expect(codes(ask({ consent: withdrawn, request: own }))).toEqual(['withdrawn']);
  });

  it('asks one address only once in seven days over all forms', () => {
    expect(codes(ask({ lastFormAskAt: noonUtc - FORM_ASK_INTERVAL_MS + 1 }))).toEqual(['asked-recently']);
    expect(decideGate(ask({ lastFormAskAt: noonUtc - FORM_ASK_INTERVAL_MS })).verdict).toBe('allow');
  });

  it('is weighed by what it says when its template is marketing, as a message is', () => {
    const marketing = (body: string): GateFacts => {
      const asked = ask({ evidence: { declaredZone: 'Europe/London', declaredRegion: 'GB' } });
      return {
        ...asked,
        wish: { ...asked.wish, category: 'marketing' },
        template: { category: 'marketing', language: 'en', body, bodyParameters: 0 },
        sender: { held: false, displayName: 'Acme' },
        ruleSet: DEFAULT_RULE_SET,
      };
    };
    expect(decideGate(marketing('Acme: may we write?')).verdict).toBe('allow');
    expect(decideGate(marketing('May we write?')).verdict).toBe('refuse');
    expect(codes(marketing('May we write?'))).toContain('sender-not-named');
  });

  it('keeps the hours for a form', () => {
    const night = Date.parse('2026-11-24T02:00:00.000Z');
    const late = { ...request, requestedAt: night, expiresAt: night + 604_800_000 };
    expect(decideGate(ask({ request: late }, night)).verdict).toBe('hold');
  });
});

describe('the gate, for the receipt of a withdrawal', () => {
  const consent = consentOf(withdrew({ at: '2026-11-24T01:59:58.000Z' }));
  const night = Date.parse('2026-11-24T02:00:00.000Z');
  const receipt = (change: Partial<GateFacts> = {}): GateFacts =>
    facts({
      at: night,
      wish: wish({
        class: 'withdrawal-receipt',
        cause: { kind: 'withdrawal', id: causeId },
        category: 'utility',
        parameterCount: 0,
      }),
      template: { ...OFFER, category: 'utility', bodyParameters: 0 },
      recipient: person({ consent }),
      withdrawal: { withdrawalId: causeId, recordedAt: night - 1_000, position },
      ...change,
    });

  it('is sent although the person has withdrawn, at any hour', () => {
    expect(decideGate(receipt()).verdict).toBe('allow');
  });

  it('is not sent later than five minutes', () => {
    expect(codes(receipt({ at: night - 1_000 + RECEIPT_VALID_MS + 1 }))).toEqual(['receipt-too-late']);
  });

  it('is not sent for a withdrawal that is not on record', () => {
    const { withdrawal: _unknown, ...rest } = receipt();
    expect(codes(rest)).toEqual(['withdrawal-unknown']);
  });

  it('is not sent to a suppressed address', () => {
    const causes = [{ causeId, kind: 'manual' as const, scope: { kind: 'all' as const }, since: 0, position }];
    expect(codes(receipt({ recipient: person({ consent, causes }) }))).toEqual(['suppressed-manual']);
  });
});
