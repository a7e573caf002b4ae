import type { RecordedEvent } from '@assent/contracts';
import { addressCausesFold, type AddressCausesDocument } from './cause.projection.ts';

let offset = 0;
function event(type: string, data: object): RecordedEvent {
  offset += 1;
  return {
    id: String(offset),
    type,
    tenant: 'acme',
    time: '2026-11-24T12:00:00.000Z',
    data,
    position: { topic: 'suppression.events', partition: 0, offset },
  } as unknown as RecordedEvent;
}
const added = (causeId: string): RecordedEvent =>
  event('suppression.cause-added.v1', {
    addressKey: 'k',
    causeId,
    kind: 'manual',
    scope: { kind: 'all' },
    reason: 'r',
    actor: 'a',
    since: '2026-11-01T00:00:00.000Z',
  });
const lifted = (...causeIds: string[]): RecordedEvent =>
  event('suppression.cause-lifted.v1', { addressKey: 'k', causeIds, reason: 'mistake', actor: 'a' });

function fold(...events: RecordedEvent[]): string[] {
  const document = events.reduce<AddressCausesDocument | undefined>(
    (state, next) => addressCausesFold.evolve(state, next, 'k'),
    undefined,
  );
  return Object.values(document?.causes ?? {})
    .filter(({ liftedAt }) => liftedAt === undefined)
    .map(({ causeId }) => causeId);
}

describe('the causes of an address', () => {
  it('are live until they are lifted by their id', () => {
    expect(fold(added('a'), added('b'))).toEqual(['a', 'b']);
    expect(fold(added('a'), added('b'), lifted('a'))).toEqual(['b']);
  });

  it('stay dead once lifted, in whatever order the facts arrive', () => {
    expect(fold(added('a'), lifted('a'), added('a'))).toEqual([]);
    expect(fold(lifted('a'), added('a'))).toEqual([]);
  });

  it('are the same when a fact is told twice', () => {
    expect(fold(added('a'), added('a'), lifted('b'))).toEqual(['a']);
  });
});
