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
});
