import { History } from './history.fixture.ts';
import { type RequestFate, requestsAnswered } from './requests-answered.ts';

describe('requests to a process that ends', () => {
  const history = new History();
  history.record('consent.events', 'consent.withdrawn.v1', { subjectId: 'in' });
  history.record('consent.events', 'consent.granted.v1', { subjectId: 'out' });
  const found = (subjectId: string, fate: RequestFate['fate']): string[] =>
    requestsAnswered([{ subjectId, fate }], history.records, 'consent.withdrawn.v1').map(({ what }) => what);

  it('are fine when they are answered and in the log, or refused', () => {
    expect(found('in', 201)).toEqual([]);
    expect(found('out', 'refused')).toEqual([]);
    expect(found('out', 503)).toEqual([]);
    expect(found('out', 'broken')).toEqual([]);
  });

  it('are lost when they were acknowledged and are not in the log', () => {
    expect(found('out', 201)).toEqual(['a request was acknowledged and is not in the log']);
  });

  it('fail when they were taken and not answered, or answered by an error', () => {
    expect(found('in', 'broken')).toEqual(['a request was taken, and its connection ended without an answer']);
    expect(found('out', 500)).toEqual(['a request was answered 500']);
  });
});
