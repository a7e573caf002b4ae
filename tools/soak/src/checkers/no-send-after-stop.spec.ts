import { type AcknowledgedStop, checkNoSendAfterStop, type FrozenSpan } from './no-send-after-stop.ts';
import type { CallRecord, RawRecord } from './evidence.ts';

const PERSON = 'p1';
const ATTEMPT = 'a1';
const DISPATCH = 'd1';
const OFFER = { purposeId: 'offers', category: 'marketing', senderId: '1' };
const EVERYTHING = { kind: 'all' } as const;
/** Instants of these histories: wall clock and monotonic clock show the same. */
const at = (ms: number): string => new Date(ms).toISOString();

class History {
  readonly records: RawRecord[] = [];
  readonly calls: CallRecord[] = [];
  readonly stops: AcknowledgedStop[] = [];
  readonly pauses: FrozenSpan[] = [];

  fact(topic: string, type: string, data: object, recordedAtMs: number): this {
    const offset = this.records.filter((record) => record.topic === topic).length;
    this.records.push({ topic, partition: 3, offset, recordedAtMs, key: PERSON, headers: { ce_type: type }, data });
    return this;
  }

  granted(requestedAtMs: number, recordedAtMs = requestedAtMs, basis = 'confirmed'): this {
    const data = { subjectId: PERSON, basis, purposeIds: ['offers'], requestedAt: at(requestedAtMs) };
    return this.fact('consent.events', 'consent.granted.v1', data, recordedAtMs);
  }

  withdrawn(o: { atMs: number; effectiveAtMs?: number; scope?: object; receiptDue?: boolean; lane?: string }): this {
    const { atMs, effectiveAtMs = atMs, scope = EVERYTHING, receiptDue = true, lane = 'person' } = o;
    const data = { subjectId: PERSON, withdrawalId: 'w1', scope, lane, effectiveAt: at(effectiveAtMs), receiptDue };
    return this.fact('consent.events', 'consent.withdrawn.v1', data, atMs);
  }

  acknowledged(atMs: number, scope: AcknowledgedStop['scope'] = EVERYTHING): this {
    const begun = { begunAtMs: atMs - 5, begunAtMonotonicMs: atMs - 5 };
    const acknowledged = { acknowledgedAtMs: atMs, acknowledgedAtMonotonicMs: atMs };
    this.stops.push({ kind: 'stop', subjectId: PERSON, ids: {}, scope, ...begun, ...acknowledged });
    return this;
  }

  intended(o: {
    decidedAtMs: number;
    waitedFor?: Record<string, number>;
    class?: string;
    cause?: object;
    attemptId?: string;
  }): this {
    const dispatchId = DISPATCH;
    const { class: kind = 'message', cause = { kind: 'request', id: 'r1' }, attemptId = ATTEMPT } = o;
    const positions = o.waitedFor ?? { 'consent.events/3': 1, 'dispatch.events/3': 1 };
    this.fact('dispatch.events', 'dispatch.accepted.v1', { dispatchId, subjectId: PERSON, ...OFFER }, o.decidedAtMs);
    const gate = { positions, decidedAt: at(o.decidedAtMs) };
    const data = { dispatchId, attemptId, subjectId: PERSON, addressKey: 'k', class: kind, cause, gate };
    return this.fact('dispatch.events', 'dispatch.attempt-intended.v1', data, o.decidedAtMs + 10);
  }

  called(atMs: number, attemptId = ATTEMPT): this {
    const times = { receivedAtMs: atMs, receivedAtMonotonicMs: atMs };
    const bizOpaqueCallbackData = `${attemptId}.${DISPATCH}.${PERSON}`;
    this.calls.push({
      seq: this.calls.length + 1,
      ...times,
      bizOpaqueCallbackData,
      outcome: 'accepted',
      reply: 'sent',
    });
    return this;
  }

  frozen(fromMs: number, toMs: number, part = 'dispatch-1'): this {
    this.pauses.push({ part, fromMs, toMs });
    return this;
  }

  violations(): readonly string[] {
    return checkNoSendAfterStop(this).violations.map(({ what }) => what);
  }

  counts(): Readonly<Record<string, number>> {
    return checkNoSendAfterStop(this).counts;
  }
}

/** The gate looks at 10,000; the STOP is acknowledged at 10,500 and stands behind the vector. */
const stoppedInBetween = (): History =>
  new History().granted(1_000).intended({ decidedAtMs: 10_000 }).withdrawn({ atMs: 10_490 }).acknowledged(10_500);

describe('the checker of sends after a STOP', () => {
  it('finds nothing in a history without a STOP', () => {
    expect(new History().granted(1_000).intended({ decidedAtMs: 10_000 }).called(10_100).violations()).toEqual([]);
  });

  it('allows a call that begins while its decision is valid, and counts it', () => {
    const history = stoppedInBetween().called(11_900);
    expect(history.violations()).toEqual([]);
    expect(history.counts()).toMatchObject({ callsAfterStop: 1, maxCallAfterStopMs: 1_400 });
  });

  it('finds a call that begins later than the decision is valid after the STOP', () => {
    expect(stoppedInBetween().called(12_501).violations()).toEqual([
      'call 1 of a1 began 2001 ms after an acknowledged STOP',
    ]);
  });

  it('counts a late call that a pause between check and call explains', () => {
    const history = stoppedInBetween().called(15_000).frozen(10_600, 14_000);
    expect(history.violations()).toEqual([]);
    expect(history.counts()).toMatchObject({ callsLateAcrossPause: 1, callsAcrossPause: 1 });
  });

  it('finds a late call that a pause is too short to explain', () => {
    expect(stoppedInBetween().called(15_000).frozen(10_600, 12_000).violations()).toHaveLength(1);
  });

  it('does not add up pauses of two processes', () => {
    const history = stoppedInBetween().called(15_000).frozen(10_600, 12_300, 'dispatch-1');
    expect(history.frozen(12_300, 14_500, 'dispatch-2').violations()).toHaveLength(1);
  });

  it('finds a message that was allowed after the acknowledgement, however soon it was called', () => {
    const history = new History().granted(1_000).withdrawn({ atMs: 9_000 }).acknowledged(9_010);
    expect(history.intended({ decidedAtMs: 9_100 }).called(9_150).violations()).toEqual([
      'attempt a1 was allowed 90 ms after an acknowledged STOP',
    ]);
  });

  it('finds a message whose vector covers the STOP, acknowledged or not', () => {
    const waitedFor = { 'consent.events/3': 2, 'dispatch.events/3': 1 };
    const history = new History().granted(1_000).withdrawn({ atMs: 9_000 }).intended({ decidedAtMs: 8_900, waitedFor });
    expect(history.violations()).toEqual(['attempt a1 had waited for the STOP at consent.events/3@1']);
  });

  it('finds a vector that leaves out a log of the person', () => {
    const history = new History()
      .granted(1_000)
      .intended({ decidedAtMs: 9_000, waitedFor: { 'dispatch.events/3': 1 } });
    expect(history.violations()).toEqual(['attempt a1 did not wait for consent.events/3']);
  });

  it.each([
    ['another purpose', { kind: 'purpose', id: 'news' }],
    ['another sender', { kind: 'sender', id: '2' }],
    ['another category', { kind: 'category', id: 'utility' }],
  ] as const)('has nothing against a message that a STOP of %s does not cover', (_, scope) => {
    const waitedFor = { 'consent.events/3': 2, 'dispatch.events/3': 1 };
    const history = new History().granted(1_000).withdrawn({ atMs: 9_000, scope }).acknowledged(9_010, scope);
    expect(history.intended({ decidedAtMs: 9_100, waitedFor }).called(12_000).violations()).toEqual([]);
  });

  describe('after the person has opted in again', () => {
    const again = (requestedAtMs: number, basis?: string): History => {
      const waitedFor = { 'consent.events/3': 3, 'dispatch.events/3': 1 };
      return new History()
        .granted(1_000)
        .withdrawn({ atMs: 9_000, effectiveAtMs: 9_000 })
        .acknowledged(9_010)
        .granted(requestedAtMs, 15_000, basis)
        .intended({ decidedAtMs: 16_000, waitedFor })
        .called(16_100);
    };

    it('has nothing against a message', () => {
      expect(again(14_000).violations()).toEqual([]);
    });

    it('finds one when the request was not later than the STOP', () => {
      expect(again(8_999).violations()).not.toEqual([]);
    });

    it('finds one when the grant is not the person’s own', () => {
      expect(again(14_000, 'imported').violations()).not.toEqual([]);
    });
  });

  describe('judges receipts by their own rule', () => {
    const receipt = (attemptId = ATTEMPT): Parameters<History['intended']>[0] => ({
      decidedAtMs: 10_000,
      class: 'withdrawal-receipt',
      cause: { kind: 'withdrawal', id: 'w1' },
      waitedFor: { 'consent.events/3': 2, 'dispatch.events/3': 1 },
      attemptId,
    });
    const stopped = (receiptDue = true): History => new History().granted(1_000).withdrawn({ atMs: 9_000, receiptDue });

    it('allows one', () => {
      expect(stopped().acknowledged(9_010).intended(receipt()).called(13_000).violations()).toEqual([]);
    });

    it('finds a second one', () => {
      const history = stopped().intended(receipt()).called(10_100).intended(receipt('a2')).called(10_200, 'a2');
      expect(history.violations()).toEqual(['withdrawal w1 got 2 receipts']);
    });

    it('finds one that nobody is owed', () => {
      expect(stopped(false).intended(receipt()).called(10_100).violations()).toEqual([
        'the receipt of a1 is owed to nobody',
      ]);
    });

    it('finds one that was decided on before its withdrawal', () => {
      const early = { ...receipt(), waitedFor: { 'consent.events/3': 1, 'dispatch.events/3': 1 } };
      expect(stopped().intended(early).called(10_100).violations()).toEqual(['the receipt of a1 is owed to nobody']);
    });

    it('finds one that comes too late', () => {
      expect(stopped().intended(receipt()).called(309_001).violations()).toHaveLength(1);
    });
  });

  describe('judges opt-in questions by their own rule', () => {
    const asked = (o: { selfStarted: boolean; requestedAtMs: number }): History => {
      const { selfStarted, requestedAtMs } = o;
      const data = { subjectId: PERSON, requestId: 'q1', selfStarted, requestedAt: at(requestedAtMs) };
      return new History()
        .withdrawn({ atMs: 9_000, effectiveAtMs: 14_000 })
        .fact('consent.events', 'consent.requested.v1', data, requestedAtMs)
        .intended({
          decidedAtMs: 20_000,
          class: 'opt-in-ask',
          cause: { kind: 'consent-requested', id: 'q1' },
          waitedFor: { 'consent.events/3': 2, 'dispatch.events/3': 1 },
        });
    };

    it('finds one that was decided on before its request', () => {
      const waitedFor = { 'consent.events/3': 0, 'dispatch.events/3': 1 };
      const request = { subjectId: PERSON, requestId: 'q1', selfStarted: true, requestedAt: at(9_000) };
      const cause = { kind: 'consent-requested', id: 'q1' };
      const history = new History().fact('consent.events', 'consent.requested.v1', request, 21_000);
      expect(history.intended({ decidedAtMs: 20_000, class: 'opt-in-ask', cause, waitedFor }).violations()).toEqual([
        'the question of a1 was asked for by nobody',
      ]);
    });

    it('allows one that the person’s own later message started', () => {
      expect(asked({ selfStarted: true, requestedAtMs: 14_001 }).violations()).toEqual([]);
    });

    it.each([
      ['the message was not later', { selfStarted: true, requestedAtMs: 13_999 }],
      ['a form started it', { selfStarted: false, requestedAtMs: 15_000 }],
    ])('finds one when %s', (_, request) => {
      expect(asked(request).violations()).toHaveLength(1);
    });
  });

  it('finds an attempt of a class that it has no rule for', () => {
    expect(new History().granted(1_000).intended({ decidedAtMs: 10_000, class: 'help-answer' }).violations()).toEqual([
      'attempt a1 is of the class "help-answer", for which there is no rule',
    ]);
  });

  it('finds a call without an intent, and a second call of one attempt', () => {
    const history = new History().granted(1_000).intended({ decidedAtMs: 10_000 }).called(10_100).called(10_200);
    expect(history.called(10_300, 'nobody').violations()).toEqual([
      'attempt a1 was called twice',
      'call 3 has no intent in the log',
    ]);
  });
});
