import { exampleEvent } from '../../../../libs/contracts/src/examples.fixture.ts';
import { TOPICS } from '@assent/contracts';
import { recordOf } from '../written-log/events.fixture.ts';
import { readEvent } from './event.ts';
import type { Leaf } from './leaf.ts';
import { LOGGED_TOPICS } from './topics.ts';

const { key, headers, value } = recordOf(exampleEvent('preferences.changed.v1'));
const good: Leaf = {
  topic: 'consent.events',
  partition: 0,
  offset: 7,
  timestampMs: 1,
  key,
  headers: headers.map(([name, bytes]) => ({ name, value: bytes })),
  value: null,
};
const json = Buffer.from(value as Uint8Array);
const text = json.toString();

const withHeader = (name: string, to: string | undefined): Leaf => ({
  ...good,
  headers: good.headers.flatMap((header) =>
    header.name !== name ? [header] : to === undefined ? [] : [{ name, value: Buffer.from(to) }],
  ),
});

describe('an event in a record', () => {
  it('is read: id, type, controller, data and place', () => {
    expect(readEvent(good, json)).toMatchObject({
      type: 'preferences.changed.v1',
      tenant: 'acme',
      log: 'consent.events/0',
      offset: 7,
      data: JSON.parse(text) as object,
    });
  });

  it.each<[string, Leaf, Uint8Array | null]>([
    ['has no value', good, null],
    ['is not JSON', good, Buffer.from('{')],
    ['is not UTF-8', good, Buffer.from(text.replace('{', '{"x":"\u00ff",'), 'latin1')],
    ['nested too deeply', good, Buffer.from(`${text.slice(0, -1)},"x":${'['.repeat(100)}${']'.repeat(100)}}`)],
    ['nested too deeply', good, Buffer.from(`${text.slice(0, -1)},"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)],
    ['larger than an event may be', good, Buffer.alloc(600_000, 32)],
    ['breaks the schema', good, Buffer.from('[]')],
    ['ce_type is missing', withHeader('ce_type', undefined), json],
    ['another topic', withHeader('ce_type', 'dispatch.held.v1'), json],
    ['content type', withHeader('content-type', 'text/plain'), json],
    ['attributes break the schema', withHeader('ce_id', ''), json],
    ['attributes break the schema', withHeader('ce_tenant', undefined), json],
    ['ce_dataschema', withHeader('ce_dataschema', 'https://assent.dev/schemas/other.json'), json],
    ['is repeated', { ...good, headers: [...good.headers, ...good.headers] }, json],
    ['too many headers', { ...good, headers: Array.from({ length: 65 }, () => ({ name: 'x', value: null })) }, json],
    ['its key is not', { ...good, key: Buffer.from('other') }, json],
    ['its key is not', { ...good, key: null }, json],
    ['no time', { ...good, timestampMs: -1 }, json],
  ])('is none when it %s', (problem, leaf, bytes) => {
    expect(readEvent(leaf, bytes)).toEqual({ problem: expect.stringContaining(problem) as string });
  });

  it('is of a type that is not known: no problem, and no event', () => {
    for (const unknownType of ['__proto__', 'consent.invented.v9'])
      expect(readEvent(withHeader('ce_type', unknownType), json)).toEqual({ unknownType });
    expect(readEvent(withHeader('ce_type', 'x'.repeat(5_000)), json)).toEqual({ unknownType: 'x'.repeat(100) });
  });
});

describe('the topics that a verifier knows', () => {
  it('are those that are logged, with the same facts', () => {
    const logged = Object.entries(TOPICS).filter(([topic]) => topic !== 'audit.checkpoints');
    const facts = logged.map(
      ([topic, { keptForEver, owner }]) => [topic, { keptForEver, hashesOnly: owner === 'platform-teams' }] as const,
    );
    expect(LOGGED_TOPICS).toEqual(Object.fromEntries(facts));
  });
});
