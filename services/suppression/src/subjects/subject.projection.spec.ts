import type { RecordedEvent } from '@assent/contracts';
import { addressFold } from '../addresses/address.projection.ts';
import { subjectFold } from './subject.projection.ts';

const subjectId = '11111111-1111-4111-8111-111111111111';
const addressKey = `local.${'a'.repeat(43)}`;

function event(type: RecordedEvent['type'], data: object, tenant = 'acme'): RecordedEvent {
  return {
    id: '22222222-2222-4222-8222-222222222222',
    source: '/consent',
    type,
    time: '2026-11-24T09:00:00.000Z',
    tenant,
    partitionKey: subjectId,
    dataSchema: 'urn:assent:fixture',
    data,
    position: { topic: 'consent.events', partition: 3, offset: 7 },
    recordedAt: '2026-11-24T09:00:00.000Z',
  } as unknown as RecordedEvent;
}

const registered = (id: string, tenant?: string): RecordedEvent =>
  event('subject.address-registered.v1', { subjectId: id, addressKey, kind: 'phone', sealedAddress: 'v1.a.b' }, tenant);

describe('a person known to suppression', () => {
  it('is not reached by another tenant’s events', () => {
    const known = subjectFold.evolve(undefined, registered(subjectId), subjectId);
    const withdrawn = event(
      'consent.withdrawn.v1',
      {
        subjectId,
        withdrawalId: '33333333-3333-4333-8333-333333333333',
        scope: { kind: 'all' },
        lane: 'person',
        occurredAt: '2026-11-24T09:00:00.000Z',
        effectiveAt: '2026-11-24T09:00:05.001Z',
      },
      'other',
    );
    expect(subjectFold.evolve(known, withdrawn, subjectId)).toEqual(known);
  });
});

describe('an address that was registered again', () => {
  it('still leads to the earlier person, whose withdrawals hold for it', () => {
    const [id = ''] = addressFold.idsOf(registered(subjectId));
    const first = addressFold.evolve(undefined, registered(subjectId), id);
    const again = addressFold.evolve(first, registered('44444444-4444-4444-8444-444444444444'), id);
    expect(again).toMatchObject({ subjectIds: [subjectId, '44444444-4444-4444-8444-444444444444'] });
  });
});
