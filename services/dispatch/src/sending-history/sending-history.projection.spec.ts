import type { EventData, RecordedEvent } from '@assent/contracts';
import { sendingHistoryFold, type SendingHistoryDocument } from './sending-history.projection.ts';

const DAY_MS = 86_400_000;
const noon = Date.parse('2026-11-24T12:00:00.000Z');
const subjectId = '11111111-1111-4111-8111-111111111111';

type AttemptEvent = Extract<keyof EventData, `dispatch.attempt-${string}`>;

function told(type: AttemptEvent, attemptId: string, at = noon, data: object = {}): RecordedEvent {
  const time = new Date(at).toISOString();
  return {
    type,
    tenant: 'acme',
    time,
    data: { subjectId, attemptId, decidedAt: time, ...data },
  } as unknown as RecordedEvent;
}

const intended = (attemptId: string, at = noon): RecordedEvent =>
  told('dispatch.attempt-intended.v1', attemptId, at, {
    class: 'message',
    purposeId: 'news',
    category: 'marketing',
    senderId: '1',
  });

function folded(...events: RecordedEvent[]): SendingHistoryDocument | undefined {
  let document: SendingHistoryDocument | undefined;
  for (const event of events) document = sendingHistoryFold.evolve(document, event, subjectId) ?? document;
  return document;
}

const outcomes = (...events: RecordedEvent[]): string[] =>
  (folded(...events)?.attempts ?? []).map(({ attemptId, outcome }) => `${attemptId} ${outcome}`);

describe('what was sent to a person', () => {
  it('is every attempt once, with what became of it', () => {
    expect(
      outcomes(
        intended('a'),
        intended('a'),
        told('dispatch.attempt-failed.v1', 'a'),
        intended('b'),
        told('dispatch.attempt-abandoned.v1', 'b'),
        intended('c'),
        told('dispatch.attempt-unknown.v1', 'c'),
        intended('d'),
      ),
    ).toEqual(['a failed', 'b abandoned', 'c unknown', 'd intended']);
  });

  it('keeps what is known to have been sent, whatever a replaced owner says later', () => {
    const late = told('dispatch.attempt-abandoned.v1', 'a');
    expect(outcomes(intended('a'), told('dispatch.attempt-sent.v1', 'a'), late)).toEqual(['a sent']);
    const resolved = told('dispatch.attempt-sent.v1', 'b');
    expect(outcomes(intended('b'), told('dispatch.attempt-unknown.v1', 'b'), resolved)).toEqual(['b sent']);
  });

  it('is forgotten when no cap looks back so far', () => {
    const month = noon + 31 * DAY_MS;
    expect(outcomes(intended('a'), intended('b', month))).toEqual(['a intended', 'b intended']);
    expect(outcomes(intended('a'), intended('b', month + 2 * DAY_MS))).toEqual(['b intended']);
  });

  it('tells when a purpose was last used, by what WhatsApp took only', () => {
    const sent = (id: string, at: number): RecordedEvent =>
      told('dispatch.attempt-sent.v1', id, at, { purposeId: 'news' });
    const history = folded(intended('a'), sent('a', noon), intended('b'), sent('b', noon - 1), intended('c', noon + 1));
    expect(history?.lastUsedAt).toEqual({ news: new Date(noon).toISOString() });
  });

  it('is not what another tenant says of the same id', () => {
    const foreign = { ...intended('b'), tenant: 'other' };
    expect(outcomes(intended('a'), foreign)).toEqual(['a intended']);
  });
});
