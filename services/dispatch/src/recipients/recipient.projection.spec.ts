import { exampleEvent } from '@assent/contracts/fixtures';
import type { RecordedEvent } from '@assent/contracts';
import { recipientFold, type RecipientDocument } from './recipient.projection.ts';

let offset = 0;

function recorded(event: object, tenant = 'acme'): RecordedEvent {
  offset += 1;
  const position = { topic: 'consent.events', partition: 0, offset };
  return { ...event, tenant, position, recordedAt: '2026-11-24T09:30:00.000Z' } as unknown as RecordedEvent;
}

function fold(...events: RecordedEvent[]): RecipientDocument | undefined {
  return events.reduce<RecipientDocument | undefined>((state, event) => {
    const [id = ''] = recipientFold.idsOf(event);
    return recipientFold.evolve(state, event, id);
  }, undefined);
}

const registered = exampleEvent('subject.address-registered.v1');
const withdrawn = exampleEvent('consent.withdrawn.v1');

describe('a recipient', () => {
  it('has each address once, however often it is told', () => {
    expect(fold(recorded(registered), recorded(registered))?.addresses).toHaveLength(1);
  });

  it('is withdrawn from by its own tenant only', () => {
    expect(fold(recorded(registered), recorded(withdrawn))?.consent.withdrawals).toHaveLength(1);
    expect(fold(recorded(registered), recorded(withdrawn, 'other'))?.consent.withdrawals).toHaveLength(0);
  });

  it('is owed the receipt of a withdrawal once', () => {
    expect(fold(recorded(registered), recorded(withdrawn), recorded(withdrawn))?.withdrawals).toHaveLength(1);
  });

  it('wishes what they said last, until they take it back; what is not mentioned stays', () => {
    const says = (data: object): RecordedEvent => {
      const event = exampleEvent('preferences.changed.v1');
      return recorded({ ...event, data: { subjectId: event.data.subjectId, ...data } });
    };
    const quietHours = { from: '21:00', to: '09:00' };
    const frequency = { attemptsMax: 2, windowHours: 168 };
    const said = [says({ region: 'DE', quietHours }), says({ timeZone: 'Europe/Berlin', frequency })];
    expect(fold(...said)).toMatchObject({ region: 'DE', timeZone: 'Europe/Berlin', quietHours, frequency });
    const after = fold(...said, says({ cleared: ['region', 'quietHours'] }));
    expect(after).toMatchObject({ timeZone: 'Europe/Berlin', frequency });
    expect(Object.keys(after ?? {})).not.toEqual(expect.arrayContaining(['region']));
    expect(Object.keys(after ?? {})).not.toEqual(expect.arrayContaining(['quietHours']));
  });

  it('acts by confirming and by asking from their own address, not by a form that somebody filled in', () => {
    const asked = exampleEvent('consent.requested.v1');
    const granted = exampleEvent('consent.granted.v1');
    const byForm = recorded({ ...asked, data: { ...asked.data, selfStarted: false } });
    const bySelf = recorded({ ...asked, data: { ...asked.data, selfStarted: true } });
    expect(fold(byForm)?.lastActAt).toBeUndefined();
    expect(fold(bySelf)?.lastActAt).toBe(asked.data.requestedAt);
    expect(fold(recorded({ ...granted, data: { ...granted.data, basis: 'confirmed' } }))?.lastActAt).toBe(
      granted.data.grantedAt,
    );
  });
});
