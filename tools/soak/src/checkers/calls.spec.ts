import { History } from './history.fixture.ts';
import { oneCallPerAttempt } from './one-call-per-attempt.ts';
import { oneMessagePerCause } from './one-message-per-cause.ts';
import { outcomesTold } from './outcomes-told.ts';

describe('a history of calls', () => {
  let history: History;

  beforeEach(() => {
    history = new History();
    history.sent('d1', 'a1');
  });

  const found = (): string[] => oneCallPerAttempt(history.calls, history.records).map(({ what }) => what);
  const untold = (): string[] => outcomesTold(history.calls, history.records).map(({ what }) => what);

  it('is fine when each attempt is intended, called once and told', () => {
    expect(found()).toEqual([]);
    expect(untold()).toEqual([]);
  });

  it('is fine when an attempt that the provider did not take is followed by another', () => {
    history.dispatchFact('attempt-intended', 'd2', 'a2');
    history.call('d2', 'a2', { outcome: 'refused' });
    history.dispatchFact('attempt-failed', 'd2', 'a2');
    history.sent('d2', 'a3');
    expect(found()).toEqual([]);
  });

  it('shows an attempt that was called twice', () => {
    history.call('d1', 'a1', { outcome: 'refused' });
    expect(found()).toEqual(['attempt a1 was called more than once']);
  });

  it('shows a call whose intent came later, or not at all', () => {
    history.call('d2', 'a2');
    history.dispatchFact('attempt-intended', 'd2', 'a2');
    history.call('d3', 'a3');
    expect(found()).toEqual([
      'attempt a2 was called before its intent was in the log',
      'attempt a3 was called, and its intent is not in the log',
    ]);
  });

  it('shows a call that names no attempt, unless it broke off before it could', () => {
    history.call('d1', 'a1', { outcome: 'broken', bizOpaqueCallbackData: undefined as never });
    expect(found()).toEqual([]);
    history.call('d1', 'a1', { bizOpaqueCallbackData: undefined as never });
    expect(found()).toEqual(['a call names no attempt']);
  });

  it('shows a call that the log calls abandoned', () => {
    history.dispatchFact('attempt-abandoned', 'd1', 'a1');
    expect(found()).toEqual(['attempt a1 was called, and the log says it was not']);
  });

  it.each(['attempt-unknown', 'attempt-sent'])('shows a dispatch that was attempted again after %s', (outcome) => {
    history.dispatchFact('attempt-intended', 'd2', 'a2');
    history.dispatchFact(outcome, 'd2', 'a2');
    history.dispatchFact('attempt-intended', 'd2', 'a3');
    history.dispatchFact('attempt-unknown', 'd2', 'a3');
    expect(found()).toEqual(['dispatch d2 was attempted again although a2 was, or may have been, taken']);
  });

  it('is fine when a replaced owner writes its intent late and abandons it without a call', () => {
    history.dispatchFact('attempt-intended', 'd1', 'a2');
    expect(found()).toEqual([]);
    history.dispatchFact('attempt-abandoned', 'd1', 'a2');
    expect(found()).toEqual([]);
    history.call('d1', 'a2');
    expect(found()).toHaveLength(2);
  });

  it('shows a dispatch that was attempted again although the provider had taken it', () => {
    history.dispatchFact('attempt-intended', 'd2', 'a2');
    history.call('d2', 'a2', { reply: 'lost' });
    history.dispatchFact('attempt-failed', 'd2', 'a2');
    history.sent('d2', 'a3');
    expect(found()).toHaveLength(1);
  });

  it('shows an attempt without an outcome', () => {
    history.dispatchFact('attempt-intended', 'd2', 'a2');
    expect(untold()).toEqual(['attempt a2 has no outcome']);
  });

  it('shows an unknown attempt that no status resolved, if the provider took it', () => {
    for (const id of ['2', '3', '4']) {
      history.dispatchFact('attempt-intended', `d${id}`, `a${id}`);
      if (id !== '4') history.call(`d${id}`, `a${id}`, { reply: 'lost' });
      history.dispatchFact('attempt-unknown', `d${id}`, `a${id}`);
    }
    history.dispatchFact('status-recorded', 'd2', 'a2');
    expect(untold()).toEqual(['no status resolved the unknown attempt a3']);
  });

  it('shows a second message because of one cause, whatever dispatch it was', () => {
    const accept = (dispatchId: string, kind: string, id: string): void => {
      history.record('dispatch.events', 'dispatch.accepted.v1', { dispatchId, class: kind, cause: { kind: 'x', id } });
      history.sent(dispatchId, `of-${dispatchId}`);
    };
    accept('d2', 'withdrawal-receipt', 'w1');
    accept('d3', 'withdrawal-receipt', 'w2');
    accept('d4', 'opt-in-ask', 'w1');
    expect(oneMessagePerCause(history.calls, history.records)).toEqual([]);
    accept('d5', 'withdrawal-receipt', 'w2');
    expect(oneMessagePerCause(history.calls, history.records).map(({ what }) => what)).toEqual([
      '2 messages left: withdrawal-receipt because of w2',
    ]);
  });
});
