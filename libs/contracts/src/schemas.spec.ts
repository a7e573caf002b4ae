import { CLOUD_EVENT_SCHEMA, COMMON_SCHEMA, SEALED_REQUEST_SCHEMA } from './generated/schemas.ts';
import { EVENT_SCHEMAS, isTopicName, TOPICS, topicOf } from './index.ts';
import type { EventType, JsonSchema } from './index.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Every subschema that describes a value, with its place. */
function subschemas(schema: unknown, place: string): [string, Schema][] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inner = Object.entries(schema).flatMap(([key, member]) => subschemas(member, `${place}/${key}`));
  return 'type' in schema && typeof schema.type === 'string' ? [[place, schema], ...inner] : inner;
}

/** What is missing for the size of a value to have a limit. */
function unlimited(schema: Schema): string[] {
  if ('const' in schema || 'enum' in schema) return [];
  const required: Record<string, string[]> = {
    string: ['maxLength'],
    array: ['maxItems', 'items'],
    integer: ['minimum', 'maximum'],
    number: ['minimum', 'maximum'],
    object: 'properties' in schema ? ['required'] : ['maxProperties'],
  };
  return (required[schema['type'] as string] ?? []).filter((keyword) => !(keyword in schema));
}

const events = Object.entries(EVENT_SCHEMAS) as [EventType, JsonSchema][];
const all = [COMMON_SCHEMA, CLOUD_EVENT_SCHEMA, SEALED_REQUEST_SCHEMA, ...Object.values(EVENT_SCHEMAS)];

describe('the schemas', () => {
  it('limit every text, list, number and map', () => {
    const open = all
      .flatMap((schema) => subschemas(schema, String(schema['$id'])))
      .filter(([, schema]) => unlimited(schema).length > 0);
    expect(open.map(([place]) => place)).toEqual([]);
  });

  it('describe every event and every field, or refer to what does', () => {
    const fieldsOf = (schema: JsonSchema) => Object.entries(schema['properties'] as Record<string, Schema | false>);
    const undescribed = all.slice(1).flatMap((schema) =>
      fieldsOf(schema)
        .filter(([, field]) => field !== false && field['description'] === undefined && field['$ref'] === undefined)
        .map(([name]) => `${String(schema['$id'])} ${name}`),
    );
    expect(undescribed).toEqual([]);
    expect(all.filter((schema) => typeof schema['description'] !== 'string')).toEqual([]);
  });

  it.each(events)('of %s has the identifier, topic and key templates of its type', (type, schema) => {
    expect(schema['$id']).toBe(`https://assent.dev/schemas/${type}.json`);
    expect(schema['x-topic']).toBe(topicOf(type));
    const fields = Object.keys(schema['properties'] as object);
    for (const template of (schema['x-key'] ?? []) as string[]) {
      const field = /\{(\w+)\}/.exec(template)?.[1];
      expect(field === undefined || fields.includes(field)).toBe(true);
    }
  });

  it('leave the key open only where platform teams write', () => {
    const open = events.filter(([, schema]) => schema['x-key'] === undefined).map(([type]) => type);
    expect(open).toEqual(['dispatch.requested.v1']);
  });
});

describe('the topics', () => {
  it('are exactly those that events belong to', () => {
    expect(Object.keys(TOPICS).sort()).toEqual([...new Set(events.map(([type]) => topicOf(type)))].sort());
  });

  it('are told apart from other texts', () => {
    expect(isTopicName('consent.events')).toBe(true);
    expect(isTopicName('toString')).toBe(false);
  });

  it('lets read models be built from all but the two with a limited life', () => {
    const limited = Object.entries(TOPICS).filter(([, facts]) => !facts.keptForEver);
    expect(limited.map(([topic]) => topic).sort()).toEqual(['dispatch.requests', 'whatsapp.inbound']);
  });
});
