import type { AssentEvent, EventType, RecordedEvent } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { dispatchHistoryFold, type DispatchHistory, EVENTS_MAX } from './dispatch-history.projection.ts';
import { namedPositions, newestDecision } from './explain-dispatch.query.ts';

const { dispatchId } = exampleEvent('dispatch.accepted.v1').data;

function recorded<T extends EventType>(
  type: T,
  offset: number,
  changes: Partial<AssentEvent<T>['data']> = {},
): RecordedEvent {
  const example = exampleEvent(type);
  return {
    ...example,
    id: `00000000-0000-4000-8000-${String(offset).padStart(12, '0')}`,
    data: { ...example.data, dispatchId, ...changes },
    position: { topic: 'dispatch.events', partition: 3, offset },
    recordedAt: '2026-11-24T09:00:00.000Z',
  } as unknown as RecordedEvent;
}

const fold = (...events: readonly RecordedEvent[]): DispatchHistory | undefined =>
  events.reduce<DispatchHistory | undefined>(
    (document, event) => dispatchHistoryFold.evolve(document, event, dispatchId) ?? document,
    undefined,
  );

describe('the history of a dispatch', () => {
  it('holds its events in order, without what is sealed', () => {
    const sealedParameters = `v1.${'A'.repeat(16)}.${'B'.repeat(30)}`;
    const history = fold(
      recorded('dispatch.accepted.v1', 4, { sealedParameters }),
      recorded('dispatch.attempt-intended.v1', 7),
    );
    expect(history?.events.map(({ offset, type }) => ({ offset, type }))).toEqual([
      { offset: 4, type: 'dispatch.accepted.v1' },
      { offset: 7, type: 'dispatch.attempt-intended.v1' },
    ]);
    expect(history?.tenant).toBe('acme');
    expect(JSON.stringify(history)).not.toContain('v1.AAAA');
  });

  it('takes an event that was appended twice once', () => {
    const event = recorded('dispatch.accepted.v1', 4);
    const again = { ...event, position: { ...event.position, offset: 5 } };
    expect(fold(event, again)?.events).toHaveLength(1);
  });

  it('is fed by the events of that dispatch only', () => {
    expect(dispatchHistoryFold.idsOf(recorded('dispatch.accepted.v1', 0))).toEqual([dispatchId]);
    expect(
      dispatchHistoryFold.idsOf({
        ...exampleEvent('dispatch.request-refused.v1'),
        position: { topic: 'dispatch.events', partition: 0, offset: 0 },
        recordedAt: '',
      }),
    ).toEqual([]);
  });

  it('stops growing at its limit and counts what is not shown', () => {
    const events = Array.from({ length: EVENTS_MAX + 2 }, (_, i) => recorded('dispatch.status-recorded.v1', i));
    const history = fold(...events);
    expect([history?.events.length, history?.notKept]).toEqual([EVENTS_MAX, 2]);
  });
});

describe('what an explanation draws from a history', () => {
  it('is every position its events name, once', () => {
    const cause = { kind: 'withdrawal' as const, position: 'consent.events/3@9' };
    const reason = { code: 'withdrawn', text: 'Consent was withdrawn.', ref: 'consent.events/3@9' };
    const history = fold(
      recorded('dispatch.attempt-intended.v1', 1, {
        gate: { ...exampleEvent('dispatch.attempt-intended.v1').data.gate, consentPosition: 'consent.events/3@2' },
      }),
      recorded('dispatch.cancelled.v1', 2, { cause, reason }),
    )!;
    expect(namedPositions(history.events)).toEqual(
      [
        { topic: 'consent.events', partition: 3, offset: 2 },
        { topic: 'consent.events', partition: 3, offset: 9 },
      ].sort((a, b) => a.offset - b.offset),
    );
  });

  it('is not a position of a topic that does not exist, nor a text that only looks like one', () => {
    const reason = { code: 'x', text: 'See other.topic/3@9.', ref: 'other.topic/3@9' };
    expect(namedPositions([{ data: { reason } }])).toEqual([]);
  });

  it('is the newest decision, with its reasons', () => {
    const reasons = [{ code: 'quiet-hours', text: 'It is night where the person is.' }];
    const held = recorded('dispatch.held.v1', 1, { reasons });
    expect(newestDecision(fold(recorded('dispatch.accepted.v1', 0))!.events)).toBeUndefined();
    expect(newestDecision(fold(recorded('dispatch.accepted.v1', 0), held)!.events)).toMatchObject({
      verdict: 'hold',
      reasons,
    });
    const allowed = newestDecision(
      fold(held, recorded('dispatch.attempt-intended.v1', 2), recorded('dispatch.status-recorded.v1', 3))!.events,
    );
    expect(allowed).toMatchObject({ verdict: 'allow', gate: expect.objectContaining({ verdict: 'allow' }) as unknown });
    const cancelled = newestDecision(fold(held, recorded('dispatch.cancelled.v1', 4))!.events);
    expect(cancelled).toMatchObject({
      verdict: 'refuse',
      reasons: [exampleEvent('dispatch.cancelled.v1').data.reason],
    });
  });
});
