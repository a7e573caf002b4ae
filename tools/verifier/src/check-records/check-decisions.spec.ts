import type { AssentEvent, EventType, Scope } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { Findings } from '../findings/findings.ts';
import type { LoggedEvent } from '../records/event.ts';
import { DecisionChecks } from './check-decisions.ts';

const T0 = Date.parse('2026-11-24T09:00:00.000Z');
const at = (minute: number): string => new Date(T0 + minute * 60_000).toISOString();
const { subjectId, dispatchId, purposeId, senderId } = exampleEvent('dispatch.accepted.v1').data;
const CONSENT = 'consent.events/3';

/** A fact of the person's, at an offset of the consent log. */
function fact<T extends EventType>(type: T, offset: number, data: Partial<AssentEvent<T>['data']>): LoggedEvent {
  const example = exampleEvent(type);
  return {
    ...example,
    data: { ...example.data, subjectId, ...data },
    log: CONSENT,
    offset,
  };
}

const grant = (offset: number, minute: number, data: object = {}): LoggedEvent =>
  fact('consent.granted.v1', offset, {
    basis: 'confirmed',
    purposeIds: [purposeId!],
    requestedAt: at(minute),
    ...data,
  });

const withdrawal = (offset: number, minute: number, scope: Scope = { kind: 'all' }, data: object = {}): LoggedEvent =>
  fact('consent.withdrawn.v1', offset, { scope, lane: 'person', effectiveAt: at(minute), ...data });

const accepted = (data: object = {}): LoggedEvent =>
  fact('dispatch.accepted.v1', 0, { class: 'message', category: 'marketing', ...data } as never);

const attempt = (positions: Record<string, number>, data: object = {}, gate: object = {}): LoggedEvent => {
  const example = exampleEvent('dispatch.attempt-intended.v1').data;
  return fact('dispatch.attempt-intended.v1', 1, {
    dispatchId,
    class: 'message',
    senderId,
    gate: { ...example.gate, verdict: 'allow', positions, ...gate },
    ...data,
  } as never);
};

/** The faults that these events, in this order, show. */
function faultsIn(...events: readonly LoggedEvent[]): string[] {
  const findings = new Findings();
  const checks = new DecisionChecks(findings);
  for (const event of events) checks.event(event, { log: 'somewhere' });
  return findings.faults.map(({ code }) => code);
}

describe('an attempt', () => {
  it('stands when its dispatch was accepted before and nobody withdrew', () => {
    expect(faultsIn(grant(0, 0), accepted(), attempt({ [CONSENT]: 1 }))).toEqual([]);
  });

  it('is a fault without the acceptance of its dispatch, or with one that comes later', () => {
    expect(faultsIn(attempt({}))).toEqual(['attempt-without-acceptance']);
    expect(faultsIn(attempt({}), accepted())).toEqual(['attempt-without-acceptance']);
    expect(faultsIn(accepted({ dispatchId: '00000000-0000-4000-8000-000000000001' }), attempt({}))).toEqual([
      'attempt-without-acceptance',
    ]);
  });

  it('is a fault when the acceptance is another tenant’s', () => {
    expect(faultsIn({ ...accepted(), tenant: 'other' }, attempt({}))).toEqual(['attempt-without-acceptance']);
  });

  it('is a fault when it passes for another class, or is for another person', () => {
    expect(faultsIn(accepted(), attempt({}, { class: 'withdrawal-receipt' }))).toEqual([
      'attempt-differs-from-acceptance',
    ]);
    expect(faultsIn(accepted(), attempt({}, { subjectId: '00000000-0000-4000-8000-000000000002' }))).toEqual([
      'attempt-differs-from-acceptance',
    ]);
  });

  it.each(['hold', 'refuse'])('is a fault when the gate said %s', (verdict) => {
    expect(faultsIn(accepted(), attempt({}, {}, { verdict }))).toEqual(['attempt-not-allowed']);
  });

  it('has one intent: the same event again is the same fact, another one is a fault', () => {
    const [first, other] = [attempt({}), { ...attempt({}), id: 'another' }];
    expect(faultsIn(accepted(), first, first)).toEqual([]);
    expect(faultsIn(accepted(), first, other)).toEqual(['attempt-intended-twice']);
  });

  it.each(['dispatch.attempt-sent.v1', 'dispatch.attempt-failed.v1', 'dispatch.attempt-unknown.v1'] as const)(
    'has its intent before its outcome %s',
    (type) => {
      const { attemptId } = exampleEvent('dispatch.attempt-intended.v1').data;
      const outcome = fact(type, 2, { dispatchId, attemptId });
      expect(faultsIn(accepted(), attempt({}), outcome)).toEqual([]);
      expect(faultsIn(accepted(), outcome, attempt({}))).toEqual(['outcome-without-attempt']);
    },
  );

  it('is a fault when its vector leaves out a log with facts of the person', () => {
    expect(faultsIn(grant(0, 0), accepted(), attempt({ 'consent.events/4': 9 }))).toEqual(['gate-vector-incomplete']);
  });
});

describe('an attempt of a message to a person who withdrew', () => {
  const seenAll = { [CONSENT]: 99 };

  it('is a fault when the gate had seen the withdrawal', () => {
    expect(faultsIn(grant(0, 0), withdrawal(1, 5), accepted(), attempt({ [CONSENT]: 2 }))).toEqual([
      'attempt-after-withdrawal',
    ]);
  });

  it('stands when the gate had not seen it yet', () => {
    expect(faultsIn(grant(0, 0), withdrawal(1, 5), accepted(), attempt({ [CONSENT]: 1 }))).toEqual([]);
  });

  it('stands when a proven grant was requested later and had been seen', () => {
    expect(faultsIn(withdrawal(0, 5), grant(1, 6), accepted(), attempt(seenAll))).toEqual([]);
    expect(faultsIn(withdrawal(0, 5), grant(1, 6), accepted(), attempt({ [CONSENT]: 1 }))).toEqual([
      'attempt-after-withdrawal',
    ]);
  });

  it.each<[string, LoggedEvent]>([
    ['was requested at the same instant', grant(1, 5)],
    ['was requested before, though given after', grant(1, 4)],
    ['is for another purpose', grant(1, 6, { purposeIds: ['other'] })],
    ['was only stated', grant(1, 6, { basis: 'stated' })],
    ['was imported', grant(1, 6, { basis: 'imported' })],
  ])('is a fault when the later grant %s', (_, later) => {
    expect(faultsIn(withdrawal(0, 5), later, accepted(), attempt(seenAll))).toEqual(['attempt-after-withdrawal']);
  });

  it.each<[Scope, boolean]>([
    [{ kind: 'all' }, true],
    [{ kind: 'channel', id: 'whatsapp' }, true],
    [{ kind: 'category', id: 'marketing' }, true],
    [{ kind: 'category', id: 'utility' }, false],
    [{ kind: 'purpose', id: purposeId! }, true],
    [{ kind: 'purpose', id: 'other' }, false],
    [{ kind: 'sender', id: senderId }, true],
    [{ kind: 'sender', id: '999' }, false],
    [{ kind: 'invented' } as unknown as Scope, true],
  ])('of scope %j: a fault is %s', (scope, isFault) => {
    const found = faultsIn(grant(0, 0), withdrawal(1, 5, scope), accepted(), attempt(seenAll));
    expect(found).toEqual(isFault ? ['attempt-after-withdrawal'] : []);
  });

  it('stands when the platform took back its own stop, not when it took back the person’s', () => {
    const scope: Scope = { kind: 'category', id: 'marketing' };
    const resumed = (minute: number, data: object = {}): LoggedEvent =>
      fact('consent.resumed.v1', 2, { lane: 'platform', scope, senderId, occurredAt: at(minute), ...data });
    const stop = withdrawal(1, 5, scope, { lane: 'platform', senderId });
    expect(faultsIn(grant(0, 0), stop, resumed(6), accepted(), attempt(seenAll))).toEqual([]);
    expect(faultsIn(grant(0, 0), stop, resumed(5), accepted(), attempt(seenAll))).toEqual(['attempt-after-withdrawal']);
    expect(faultsIn(grant(0, 0), stop, resumed(6, { senderId: '1' }), accepted(), attempt(seenAll))).toEqual([
      'attempt-after-withdrawal',
    ]);
    expect(faultsIn(grant(0, 0), stop, resumed(6), accepted(), attempt({ [CONSENT]: 2 }))).toEqual([
      'attempt-after-withdrawal',
    ]);
    const own = withdrawal(1, 5, scope, { senderId });
    expect(faultsIn(grant(0, 0), own, resumed(6), accepted(), attempt(seenAll))).toEqual(['attempt-after-withdrawal']);
  });

  it('is not asked of a receipt or of an opt-in question', () => {
    for (const kind of ['withdrawal-receipt', 'opt-in-ask']) {
      expect(faultsIn(withdrawal(0, 5), accepted({ class: kind }), attempt(seenAll, { class: kind }))).toEqual([]);
    }
  });

  it('is a fault when the acceptance says message and the attempt says receipt', () => {
    expect(faultsIn(withdrawal(0, 5), accepted(), attempt(seenAll, { class: 'withdrawal-receipt' }))).toEqual([
      'attempt-differs-from-acceptance',
      'attempt-after-withdrawal',
    ]);
  });

  it('is no fault when it was another controller they withdrew from', () => {
    expect(faultsIn({ ...withdrawal(0, 5), tenant: 'other' }, accepted(), attempt(seenAll))).toEqual([]);
  });
});
