import { EVENT_SCHEMAS, type EventType, topicOf } from '@assent/contracts';
import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { eventSentence } from './event-sentence.ts';

const typesIn = (...topics: string[]): EventType[] =>
  (Object.keys(EVENT_SCHEMAS) as EventType[]).filter((type) => topics.includes(topicOf(type)));

describe('the sentence of an event', () => {
  it.each(typesIn('dispatch.events').filter((type) => type !== 'dispatch.request-refused.v1'))(
    'is written for %s',
    (type) => {
      const sentence = eventSentence(exampleEvent(type));
      expect(sentence).toMatch(/^[A-Z].*\.$/s);
      expect(sentence).not.toMatch(/An event of type|undefined|\[object/);
    },
  );

  it.each<EventType>([
    'consent.granted.v1',
    'consent.requested.v1',
    'consent.withdrawn.v1',
    'consent.resumed.v1',
    'suppression.cause-added.v1',
    'suppression.cause-lifted.v1',
  ])('is written for %s, which decisions rely on', (type) => {
    expect(eventSentence(exampleEvent(type) as never)).not.toMatch(/An event of type|undefined|\[object/);
  });

  it('says what a withdrawal covers', () => {
    const { data } = exampleEvent('consent.withdrawn.v1');
    const says = (scope: object): string =>
      eventSentence({ type: 'consent.withdrawn.v1', data: { ...data, scope } } as never);
    expect(says({ kind: 'all' })).toContain('for everything');
    expect(says({ kind: 'purpose', id: 'newsletter' })).toContain('for purpose newsletter');
  });

  it('names the type of an event it has no words for', () => {
    expect(eventSentence({ type: 'purpose.published.v1', data: {} } as never)).toBe(
      'An event of type purpose.published.v1.',
    );
    expect(eventSentence({ type: 'toString', data: {} } as never)).toBe('An event of type toString.');
  });
});
