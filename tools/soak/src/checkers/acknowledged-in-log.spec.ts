import { acknowledgedInLog } from './acknowledged-in-log.ts';
import { History } from './history.fixture.ts';

describe('acknowledged writes', () => {
  let history: History;

  beforeEach(() => {
    history = new History();
    history.record('consent.events', 'consent.withdrawn.v1', { subjectId: 's1' });
    history.record('dispatch.events', 'dispatch.accepted.v1', { subjectId: 's1' });
  });

  const found = (...writes: Parameters<typeof acknowledgedInLog>[0]): string[] =>
    acknowledgedInLog(writes, history.records).map(({ what }) => what);

  it('are fine when each position has its record', () => {
    const position = 'consent.events/0@0, dispatch.events/0@0';
    expect(found(history.acknowledged('dispatch', { position }, 's1'))).toEqual([]);
  });

  it('are lost when one of their positions has none', () => {
    const position = 'dispatch.events/0@0, dispatch.events/0@1';
    expect(found(history.acknowledged('dispatch', { position }))).toEqual([
      'a dispatch was acknowledged, and there is no record at dispatch.events/0@1',
    ]);
  });

  it('are lost when another record took their place', () => {
    expect(found(history.acknowledged('stop', { position: 'consent.events/0@0' }, 's2'))).toHaveLength(1);
  });

  it('were acknowledged too early when the log has them later', () => {
    const write = history.acknowledged('stop', { position: 'consent.events/0@1' }, 's1');
    history.record('consent.events', 'consent.withdrawn.v1', { subjectId: 's1' });
    expect(found(write)).toHaveLength(1);
  });

  it('without a position need the fact of their kind', () => {
    expect(found(history.acknowledged('stop', {}, 's1'))).toEqual([]);
    expect(found(history.acknowledged('stop', {}, 's2'))).toEqual([
      'a stop was acknowledged, and left no fact in the log',
    ]);
  });
});
