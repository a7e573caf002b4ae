import { tmpdir } from 'node:os';
import fc from 'fast-check';
import type { AssentEvent, EventType, Scope } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { Findings } from '../findings/findings.ts';
import type { LoggedEvent } from '../records/event.ts';
import { DecisionChecks } from './check-decisions.ts';
import type { DecisionFact } from './decision-facts.ts';

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

/** What these events show, in this order. */
async function findingsOf(events: Iterable<LoggedEvent>): Promise<Findings> {
  const findings = new Findings();
  const checks = new DecisionChecks(findings, tmpdir());
  checks.begin(3);
  let index = 0;
  for (const event of events) {
    checks.event(event, { log: 'somewhere', index });
    index += 1;
  }
  await checks.finish(() => Promise.resolve());
  return findings;
}

/** The faults of these events, in this order. */
async function faultsIn(...events: readonly LoggedEvent[]): Promise<string[]> {
  return (await findingsOf(events)).faults.map(({ code }) => code);
}

describe('an attempt', () => {
  it('stands when its dispatch was accepted before and nobody withdrew', async () => {
    expect(await faultsIn(grant(0, 0), accepted(), attempt({ [CONSENT]: 1 }))).toEqual([]);
  });

  it('is a fault without the acceptance of its dispatch, or with one that comes later', async () => {
    expect(await faultsIn(attempt({}))).toEqual(['attempt-without-acceptance']);
    expect(await faultsIn(attempt({}), accepted())).toEqual(['attempt-without-acceptance']);
    expect(await faultsIn(accepted({ dispatchId: '00000000-0000-4000-8000-000000000001' }), attempt({}))).toEqual([
      'attempt-without-acceptance',
    ]);
  });

  it('is a fault when the acceptance is another tenant’s', async () => {
    expect(await faultsIn({ ...accepted(), tenant: 'other' }, attempt({}))).toEqual(['attempt-without-acceptance']);
  });

  it('is a fault when it passes for another class, or is for another person', async () => {
    expect(await faultsIn(accepted(), attempt({}, { class: 'withdrawal-receipt' }))).toEqual([
      'attempt-differs-from-acceptance',
    ]);
    expect(await faultsIn(accepted(), attempt({}, { subjectId: '00000000-0000-4000-8000-000000000002' }))).toEqual([
      'attempt-differs-from-acceptance',
    ]);
  });

  it.each(['hold', 'refuse'])('is a fault when the gate said %s', async (verdict) => {
    expect(await faultsIn(accepted(), attempt({}, {}, { verdict }))).toEqual(['attempt-not-allowed']);
  });

  it('has one intent: the same event again is the same fact, another one is a fault', async () => {
    const [first, other] = [attempt({}), { ...attempt({}), id: 'another' }];
    expect(await faultsIn(accepted(), first, first)).toEqual([]);
    expect(await faultsIn(accepted(), first, other)).toEqual(['attempt-intended-twice']);
  });

  it.each(['dispatch.attempt-sent.v1', 'dispatch.attempt-failed.v1', 'dispatch.attempt-unknown.v1'] as const)(
    'has its intent before its outcome %s',
    async (type) => {
      const { attemptId } = exampleEvent('dispatch.attempt-intended.v1').data;
      const outcome = fact(type, 2, { dispatchId, attemptId });
      expect(await faultsIn(accepted(), attempt({}), outcome)).toEqual([]);
      expect(await faultsIn(accepted(), outcome, attempt({}))).toEqual(['outcome-without-attempt']);
    },
  );

  it('is a fault when its vector leaves out a log with facts of the person', async () => {
    expect(await faultsIn(grant(0, 0), accepted(), attempt({ 'consent.events/4': 9 }))).toEqual([
      'gate-vector-incomplete',
    ]);
  });
});

describe('an attempt of a message to a person who withdrew', () => {
  const seenAll = { [CONSENT]: 99 };

  it('is a fault when the gate had seen the withdrawal', async () => {
    expect(await faultsIn(grant(0, 0), withdrawal(1, 5), accepted(), attempt({ [CONSENT]: 2 }))).toEqual([
      'attempt-after-withdrawal',
    ]);
  });

  it('stands when the gate had not seen it yet', async () => {
    expect(await faultsIn(grant(0, 0), withdrawal(1, 5), accepted(), attempt({ [CONSENT]: 1 }))).toEqual([]);
  });

  it('stands when a proven grant was requested later and had been seen', async () => {
    expect(await faultsIn(withdrawal(0, 5), grant(1, 6), accepted(), attempt(seenAll))).toEqual([]);
    expect(await faultsIn(withdrawal(0, 5), grant(1, 6), accepted(), attempt({ [CONSENT]: 1 }))).toEqual([
      'attempt-after-withdrawal',
    ]);
  });

  it.each<[string, LoggedEvent]>([
    ['was requested at the same instant', grant(1, 5)],
    ['was requested before, though given after', grant(1, 4)],
    ['is for another purpose', grant(1, 6, { purposeIds: ['other'] })],
    ['was only stated', grant(1, 6, { basis: 'stated' })],
    ['was imported', grant(1, 6, { basis: 'imported' })],
  ])('is a fault when the later grant %s', async (_, later) => {
    expect(await faultsIn(withdrawal(0, 5), later, accepted(), attempt(seenAll))).toEqual(['attempt-after-withdrawal']);
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
  ])('of scope %j: a fault is %s', async (scope, isFault) => {
    const found = await faultsIn(grant(0, 0), withdrawal(1, 5, scope), accepted(), attempt(seenAll));
    expect(found).toEqual(isFault ? ['attempt-after-withdrawal'] : []);
  });

  it('stands when the platform took back its own stop, not when it took back the person’s', async () => {
    const scope: Scope = { kind: 'category', id: 'marketing' };
    const resumed = (minute: number, data: object = {}): LoggedEvent =>
      fact('consent.resumed.v1', 2, { lane: 'platform', scope, senderId, occurredAt: at(minute), ...data });
    const stop = withdrawal(1, 5, scope, { lane: 'platform', senderId });
    expect(await faultsIn(grant(0, 0), stop, resumed(6), accepted(), attempt(seenAll))).toEqual([]);
    expect(await faultsIn(grant(0, 0), stop, resumed(5), accepted(), attempt(seenAll))).toEqual([
      'attempt-after-withdrawal',
    ]);
    expect(await faultsIn(grant(0, 0), stop, resumed(6, { senderId: '1' }), accepted(), attempt(seenAll))).toEqual([
      'attempt-after-withdrawal',
    ]);
    expect(await faultsIn(grant(0, 0), stop, resumed(6), accepted(), attempt({ [CONSENT]: 2 }))).toEqual([
      'attempt-after-withdrawal',
    ]);
    const own = withdrawal(1, 5, scope, { senderId });
    expect(await faultsIn(grant(0, 0), own, resumed(6), accepted(), attempt(seenAll))).toEqual([
      'attempt-after-withdrawal',
    ]);
  });

  it('is not asked of a receipt or of an opt-in question', async () => {
    for (const kind of ['withdrawal-receipt', 'opt-in-ask']) {
      expect(await faultsIn(withdrawal(0, 5), accepted({ class: kind }), attempt(seenAll, { class: kind }))).toEqual(
        [],
      );
    }
  });

  it('is a fault when the acceptance says message and the attempt says receipt', async () => {
    expect(await faultsIn(withdrawal(0, 5), accepted(), attempt(seenAll, { class: 'withdrawal-receipt' }))).toEqual([
      'attempt-differs-from-acceptance',
      'attempt-after-withdrawal',
    ]);
  });

  it('is no fault when it was another controller they withdrew from', async () => {
    expect(await faultsIn({ ...withdrawal(0, 5), tenant: 'other' }, accepted(), attempt(seenAll))).toEqual([]);
  });
});

describe('the facts of many people', () => {
  const purposes = [purposeId!, 'other'];
  const scopes: Scope[] = [{ kind: 'all' }, { kind: 'category', id: 'marketing' }, { kind: 'purpose', id: purposeId! }];
  const minute = fc.integer({ min: 0, max: 6 });
  const id = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`;
  const who = fc.integer({ min: 1, max: 2 });
  const consentFact = fc.record({
    kind: fc.constantFrom('grant', 'stop', 'platform-stop', 'resumed'),
    who,
    minute,
    scope: fc.constantFrom(...scopes),
    purpose: fc.constantFrom(...purposes),
  });
  const dispatchFact = fc.record({
    kind: fc.constantFrom('accepted', 'attempt', 'outcome'),
    who,
    dispatch: fc.integer({ min: 1, max: 3 }),
    attemptId: fc.integer({ min: 1, max: 3 }),
    seen: fc.option(fc.integer({ min: 0, max: 12 })),
    event: fc.integer({ min: 1, max: 2 }),
  });

  /** A log of consent facts, then one of decisions; `index` is the leaf in its own log. */
  const story = fc
    .tuple(fc.array(consentFact, { maxLength: 12 }), fc.array(dispatchFact, { maxLength: 14 }))
    .map(([consent, dispatch]): { event: LoggedEvent; index: number }[] => [
      ...consent.map(({ kind, who: subject, minute: m, scope, purpose }, offset) => {
        const data = { subjectId: id(subject) };
        const event =
          kind === 'grant'
            ? grant(offset, m, { ...data, purposeIds: [purpose] })
            : kind === 'stop'
              ? withdrawal(offset, m, scope, data)
              : kind === 'platform-stop'
                ? withdrawal(offset, m, scope, { ...data, lane: 'platform', senderId })
                : fact('consent.resumed.v1', offset, { ...data, lane: 'platform', scope, senderId, occurredAt: at(m) });
        return { event, index: offset };
      }),
      ...dispatch.map(({ kind, who: subject, dispatch: d, attemptId, seen, event }, index) => {
        const ids = { subjectId: id(subject), dispatchId: id(d) };
        const vector = seen === null ? {} : { [CONSENT]: seen };
        const made =
          kind === 'accepted'
            ? accepted(ids)
            : kind === 'attempt'
              ? { ...attempt(vector, { ...ids, attemptId: id(attemptId) }), id: `e${event}` }
              : fact('dispatch.attempt-sent.v1', index, { dispatchId: id(d), attemptId: id(attemptId) });
        return { event: { ...made, offset: index }, index };
      }),
    ]);

  const checked = async (checks: DecisionChecks, findings: Findings): Promise<string[]> => {
    await checks.finish(() => Promise.resolve());
    return findings.faults.map(({ code, index }) => `${index} ${code}`).sort();
  };

  it('show the same faults sorted on disk as compared one with another in memory', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (events) => {
        const findings = new Findings();
        const checks = new DecisionChecks(findings, tmpdir(), undefined, { itemsMax: 2, runsAtOnce: 2 });
        checks.begin(3);
        for (const { event, index } of events) checks.event(event, { log: 'somewhere', index });
        expect(await checked(checks, findings)).toEqual(faultsOneByOne(events).sort());
      }),
      { numRuns: 300 },
    );
  });

  it('show the same faults when a run goes on with the facts of one that was interrupted', async () => {
    await fc.assert(
      fc.asyncProperty(story, fc.nat(26), async (events, cut) => {
        const [whole, rest] = [new Findings(), new Findings()];
        const facts: DecisionFact[] = [];
        const uninterrupted = new DecisionChecks(whole, tmpdir());
        const interrupted = new DecisionChecks(new Findings(), tmpdir(), (known) => {
          facts.push(JSON.parse(JSON.stringify(known)) as DecisionFact);
        });
        const goesOn = new DecisionChecks(rest, tmpdir());
        for (const checks of [uninterrupted, interrupted, goesOn]) checks.begin(3);
        for (const { event, index } of events) uninterrupted.event(event, { log: 'somewhere', index });
        for (const { event, index } of events.slice(0, cut)) interrupted.event(event, { log: 'somewhere', index });
        interrupted.close();
        for (const known of facts) goesOn.remember(known);
        for (const { event, index } of events.slice(cut)) goesOn.event(event, { log: 'somewhere', index });
        expect(await checked(goesOn, rest)).toEqual(await checked(uninterrupted, whole));
      }),
      { numRuns: 100 },
    );
  });

  it('come in the order of the log, at the leaf that is wrong', async () => {
    const dispatches = Array.from({ length: 9 }, (_, n) => ({ dispatchId: id(9 - n), attemptId: id(9 - n) }));
    const { faults } = await findingsOf(dispatches.map((ids) => attempt({}, ids)));
    expect(faults.map(({ where }) => where)).toEqual(
      dispatches.map((_, index) => `dispatch.events/3 index ${index}, offset 1`),
    );
  });

  it('are not judged, which is said, where one person has more scopes than anybody has', async () => {
    const many = Array.from({ length: 1_100 }, (_, n) => withdrawal(n, 5, { kind: 'purpose', id: `p-${n}` }));
    const findings = await findingsOf([...many, accepted(), attempt({ [CONSENT]: 9_999 })]);
    expect(findings.faults).toEqual([]);
    expect(findings.notJudged).toMatchObject([{ code: 'person-too-large', index: many.length + 1 }]);
    const few = await findingsOf([...many.slice(200), accepted(), attempt({ [CONSENT]: 9_999 })]);
    expect([few.faults, few.notJudged]).toEqual([[], []]);
  });
});

/** The rules as docs/auditor.md words them, without any thought of memory or time. */
function faultsOneByOne(events: readonly { readonly event: LoggedEvent; readonly index: number }[]): string[] {
  const found: string[] = [];
  const of = (type: string) =>
    events.filter(({ event }) => event.type === type).map(({ event, index }) => ({ ...event, index }));
  type Text = 'effectiveAt' | 'requestedAt' | 'occurredAt' | 'subjectId' | 'dispatchId' | 'attemptId' | 'lane';
  type Data = Record<Text, string> & {
    readonly scope: Scope;
    readonly purposeIds: readonly string[];
    readonly gate: { readonly positions: Readonly<Record<string, number>> };
  };
  const dataOf = ({ data }: LoggedEvent): Data => data as unknown as Data;
  const facts = [...of('consent.withdrawn.v1'), ...of('consent.granted.v1'), ...of('consent.resumed.v1')];
  const later = (a: string, b: string): boolean => Date.parse(a) > Date.parse(b);
  for (const outcome of of('dispatch.attempt-sent.v1')) {
    const intent = of('dispatch.attempt-intended.v1').find(
      (other) => other.index < outcome.index && dataOf(other).attemptId === dataOf(outcome).attemptId,
    );
    if (intent === undefined) found.push(`${outcome.index} outcome-without-attempt`);
  }
  for (const intent of of('dispatch.attempt-intended.v1')) {
    const data = dataOf(intent);
    const same = of('dispatch.attempt-intended.v1').find((other) => dataOf(other).attemptId === data.attemptId);
    if (same !== undefined && same.id !== intent.id) found.push(`${intent.index} attempt-intended-twice`);
    const decided = of('dispatch.accepted.v1').find((other) => dataOf(other).dispatchId === data.dispatchId);
    if (decided === undefined || decided.index > intent.index) {
      found.push(`${intent.index} attempt-without-acceptance`);
      continue;
    }
    if (dataOf(decided).subjectId !== data.subjectId) found.push(`${intent.index} attempt-differs-from-acceptance`);
    const known = facts.filter((other) => dataOf(other).subjectId === data.subjectId);
    const seen = data.gate.positions[CONSENT];
    if (seen === undefined) {
      if (known.length > 0) found.push(`${intent.index} gate-vector-incomplete`);
      continue;
    }
    const read = known.filter(({ offset }) => offset < seen);
    const stands = read
      .filter(({ type }) => type === 'consent.withdrawn.v1')
      .some((stop) => {
        const { scope, effectiveAt } = dataOf(stop);
        const lifted = read.some((other) => {
          const its = dataOf(other);
          if (other.type === 'consent.granted.v1')
            return its.purposeIds.includes(purposeId!) && later(its.requestedAt, effectiveAt);
          const sameScope = JSON.stringify(its.scope) === JSON.stringify(scope) && dataOf(stop).lane === 'platform';
          return other.type === 'consent.resumed.v1' && sameScope && later(its.occurredAt, effectiveAt);
        });
        return !lifted;
      });
    if (stands) found.push(`${intent.index} attempt-after-withdrawal`);
  }
  return found;
}
