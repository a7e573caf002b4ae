import type { RecordedEvent } from '@assent/contracts';
import { exampleEvent } from '@assent/contracts/fixtures';
import { senderFold, type SenderDocument } from './sender.projection.ts';

const registeredBy = (tenant: string): RecordedEvent =>
  ({ ...exampleEvent('sender.registered.v1'), tenant }) as unknown as RecordedEvent;

function fold(...events: RecordedEvent[]): SenderDocument | undefined {
  return events.reduce<SenderDocument | undefined>((state, event) => senderFold.evolve(state, event, '1'), undefined);
}

describe('a business number', () => {
  it('stays with the tenant that registered it first', () => {
    expect(fold(registeredBy('acme'), registeredBy('other'))?.tenant).toBe('acme');
    expect(fold(registeredBy('acme'), registeredBy('acme'))?.tenant).toBe('acme');
  });
});
