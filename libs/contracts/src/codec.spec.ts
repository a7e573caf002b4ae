import fc from 'fast-check';
import {
  exampleAddressKey,
  exampleEvent,
  exampleEvents,
  exampleInstant,
  exampleRecord,
  exampleSubjectId,
} from './examples.fixture.ts';
import { decodeEvent, encodeEvent, EVENT_SCHEMAS, EventDecodeError, EventEncodeError } from './index.ts';
import { InvalidEventError, topicOf, UnknownEventTypeError, VALUE_BYTES_MAX } from './index.ts';
import type { AnyEvent, EventFault, LogRecord, RecordHeader } from './index.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const byType = exampleEvents.map((event) => [event.type, event] as const);
const withdrawn = exampleEvent('consent.withdrawn.v1');
const requested = exampleEvent('dispatch.requested.v1');

const header = (record: LogRecord, name: string, value: string | Uint8Array): LogRecord => ({
  ...record,
  headers: [
    ...record.headers.filter((one) => one.name !== name),
    { name, value: typeof value === 'string' ? utf8(value) : value },
  ],
});
const without = (record: LogRecord, name: string): LogRecord => ({
  ...record,
  headers: record.headers.filter((one) => one.name !== name),
});
const value = (record: LogRecord, data: unknown): LogRecord => ({ ...record, value: utf8(JSON.stringify(data)) });
const data = (event: AnyEvent): Record<string, unknown> => ({ ...event.data });

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function decodeFault(record: LogRecord): EventFault {
  const error = thrownBy(() => decodeEvent(record));
  if (!(error instanceof InvalidEventError)) throw error;
  return error.fault;
}

function encodeFault(event: AnyEvent): EventFault {
  const error = thrownBy(() => encodeEvent(topicOf(event.type), event));
  if (!(error instanceof EventEncodeError)) throw error;
  return error.fault;
}

describe('an example event of each type', () => {
  it('exists for every schema', () => {
    expect(exampleEvents.map((event) => event.type).sort()).toEqual(Object.keys(EVENT_SCHEMAS).sort());
  });

  it.each(byType)('%s survives the codec', (_, event) => {
    expect(decodeEvent(exampleRecord(event))).toEqual({
      ...event,
      position: { topic: topicOf(event.type), partition: 3, offset: 1234 },
      recordedAt: '2026-11-24T09:30:01.000Z',
    });
  });

  it.each(byType)('%s keeps members that this program does not know', (_, event) => {
    const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' });
    fc.assert(
      fc.property(json, (later) => {
        fc.pre(!JSON.stringify(later).includes('__proto__'));
        const decoded = decodeEvent(value(exampleRecord(event), { ...event.data, addedLater: later }));
        expect(data(decoded)['addedLater']).toEqual(JSON.parse(JSON.stringify(later)));
      }),
      { numRuns: 20 },
    );
  });

  it.each(byType)('%s is refused without any one of its required fields, which the fault names', (type, event) => {
    for (const field of EVENT_SCHEMAS[type]['required'] as string[]) {
      const { [field]: _, ...rest } = data(event);
      const fault = { code: 'schema-violation', pointer: `/data/${field}`, keyword: 'required' };
      expect(decodeFault(value(exampleRecord(event), rest))).toEqual(fault);
      expect(encodeFault({ ...event, data: rest } as unknown as AnyEvent)).toEqual(fault);
    }
  });

  it.each(byType)('%s is refused when any one of its fields has the wrong type', (_, event) => {
    for (const field of Object.keys(event.data)) {
      const wrong = { ...event.data, [field]: [[]] };
      expect(decodeFault(value(exampleRecord(event), wrong)).pointer).toContain(`/data/${field}`);
    }
  });
});

describe('an encoded event', () => {
  it('has its headers in a fixed order, as CloudEvents binary mode names them', () => {
    const { topic, key, headers } = encodeEvent('consent.events', withdrawn);
    expect([topic, key]).toEqual(['consent.events', exampleSubjectId]);
    expect(headers.map((one) => [one.name, text(one.value)])).toEqual([
      ['ce_specversion', '1.0'],
      ['ce_id', withdrawn.id],
      ['ce_source', 'https://assent.example/consent'],
      ['ce_type', 'consent.withdrawn.v1'],
      ['ce_time', exampleInstant],
      ['ce_tenant', 'acme'],
      ['ce_partitionkey', exampleSubjectId],
      ['ce_dataschema', 'https://assent.dev/schemas/consent.withdrawn.v1.json'],
      ['ce_causationid', withdrawn.causationId],
      ['ce_correlationid', withdrawn.correlationId],
      ['ce_traceparent', withdrawn.traceParent],
      ['content-type', 'application/json'],
    ]);
  });

  it('leaves out the headers of attributes it does not have', () => {
    const { causationId: _, correlationId: __, traceParent: ___, ...bare } = withdrawn;
    const names = encodeEvent('consent.events', bare).headers.map((one) => one.name);
    expect(names).toHaveLength(9);
    expect(names).not.toContain('ce_causationid');
  });

  it('has the same bytes whatever the order its data was written in', () => {
    const reversed = Object.fromEntries(Object.entries(withdrawn.data).reverse()) as typeof withdrawn.data;
    const bytes = encodeEvent('consent.events', { ...withdrawn, data: reversed }).value;
    expect(text(bytes)).toBe(text(encodeEvent('consent.events', withdrawn).value));
    expect(text(bytes)).toMatch(/^\{"effectiveAt":"2026-11-24T09:30:06\.000Z","lane":"person",/);
  });

  it('leaves out members that are undefined', () => {
    const optional = { ...withdrawn.data, senderId: undefined } as unknown as typeof withdrawn.data;
    const record = encodeEvent('consent.events', { ...withdrawn, data: optional });
    expect(text(record.value)).not.toContain('senderId');
  });
});

describe('an event that may not be written', () => {
  const schema = (pointer: string, keyword: string) => ({ code: 'schema-violation', pointer, keyword });

  it.each<[string, Partial<typeof withdrawn>, EventFault]>([
    ['an id with a space', { id: 'a b' }, schema('/ce_id', 'pattern') as EventFault],
    ['an id that is too long', { id: 'a'.repeat(129) }, schema('/ce_id', 'maxLength') as EventFault],
    ['an upper-case tenant', { tenant: 'Acme' }, schema('/ce_tenant', 'pattern') as EventFault],
    ['a time without zone', { time: '2026-11-24T09:30:00.000' }, schema('/ce_time', 'pattern') as EventFault],
    ['a time with an offset', { time: '2026-11-24T09:30:00.000+01:00' }, schema('/ce_time', 'pattern') as EventFault],
    ['a time in whole seconds', { time: '2026-11-24T09:30:00Z' }, schema('/ce_time', 'pattern') as EventFault],
    ['a day that does not exist', { time: '2026-02-30T09:30:00.000Z' }, schema('/ce_time', 'format') as EventFault],
    [
      'the schema of another type',
      { dataSchema: 'https://assent.dev/schemas/consent.granted.v1.json' },
      schema('/ce_dataschema', 'const') as EventFault,
    ],
    ['a broken trace context', { traceParent: '00-x' }, schema('/ce_traceparent', 'pattern') as EventFault],
    ['no key', { partitionKey: '' }, schema('/ce_partitionkey', 'pattern') as EventFault],
    ['the key of somebody else', { partitionKey: 'f'.repeat(8) }, { code: 'key-mismatch' }],
  ])('is refused for %s', (_, changes, fault) => {
    expect(encodeFault({ ...withdrawn, ...changes })).toEqual(fault);
  });

  it.each<[string, unknown, EventFault]>([
    ['a lone surrogate in a text', { later: 'a\ud800' }, { code: 'lone-surrogate', pointer: '/data' }],
    ['a lone surrogate in a name', { 'a\udfff': 1 }, { code: 'lone-surrogate', pointer: '/data' }],
    ['a number that JSON does not have', { later: Number.NaN }, { code: 'not-json', pointer: '/data' }],
    ['a Date', { later: new Date(0) }, { code: 'not-json', pointer: '/data' }],
    [
      'a member named __proto__',
      { later: JSON.parse('{"__proto__":1}') as unknown },
      { code: 'forbidden-key', pointer: '/data' },
    ],
    ['a value above the limit', { later: 'x'.repeat(VALUE_BYTES_MAX) }, { code: 'value-too-large' }],
    ['an unknown scope', { scope: { kind: 'planet' } }, schema('/data/scope', 'oneOf') as EventFault],
    ['a scope without its id', { scope: { kind: 'purpose' } }, schema('/data/scope', 'oneOf') as EventFault],
    [
      'a wamid in place of its hash',
      { messageId: 'wamid.HBgLMTU1NTAxMDAwMDA' },
      schema('/data/messageId', 'pattern') as EventFault,
    ],
    [
      'an address in place of a seal',
      { sealedEvidence: '+15550100' },
      schema('/data/sealedEvidence', 'pattern') as EventFault,
    ],
  ])('is refused for %s in its data', (_, changes, fault) => {
    const changed = { ...withdrawn.data, ...(changes as object) };
    expect(encodeFault({ ...withdrawn, data: changed })).toMatchObject(fault);
  });

  it('is refused for data nested too deeply', () => {
    const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);
    const rules = (levels: number) =>
      exampleEvent('rule-set.published.v1', {
        data: { ...exampleEvent('rule-set.published.v1').data, rules: { nested: nest(levels) } },
      });
    expect(() => encodeEvent('dispatch.policy', rules(30))).not.toThrow();
    expect(encodeFault(rules(31))).toEqual({ code: 'too-deep', pointer: '/data' });
  });

  it('is refused in a topic that is not its own', () => {
    const error = thrownBy(() => encodeEvent('dispatch.events', withdrawn));
    expect(error).toMatchObject({ name: 'EventEncodeError', code: 'wrong-topic' });
  });

  it.each(['constructor', 'consent.withdrawn.v2'])('is refused for the unknown type %s', (type) => {
    const error = thrownBy(() => encodeEvent('consent.events', { ...withdrawn, type } as unknown as AnyEvent));
    expect(error).toMatchObject({ code: 'unknown-event-type' });
  });
});

describe('the key of an event', () => {
  const { subjectId: _, ...unresolved } = exampleEvent('dispatch.refused.v1').data;
  const { addressKey: __, ...unaddressed } = unresolved;
  const { senderId: ___, ...senderless } = exampleEvent('whatsapp.update-quarantined.v1').data;

  it.each<[string, AnyEvent]>([
    [exampleAddressKey, exampleEvent('dispatch.refused.v1', { data: unresolved, partitionKey: exampleAddressKey })],
    [
      unaddressed.requestId ?? '',
      exampleEvent('dispatch.refused.v1', { data: unaddressed, partitionKey: unaddressed.requestId ?? '' }),
    ],
    ['quarantine', exampleEvent('whatsapp.update-quarantined.v1', { data: senderless, partitionKey: 'quarantine' })],
  ])('is %s and no other when what it would rather be is not known', (key, event) => {
    expect(encodeEvent(topicOf(event.type), event).key).toBe(key);
    expect(encodeFault({ ...event, partitionKey: 'other' })).toEqual({ code: 'key-mismatch' });
  });
});

describe('a request of a platform team', () => {
  const { sealedRecipient: _, ...anonymous } = requested.data;
  const bySubject = { ...anonymous, subjectId: exampleSubjectId };

  it('names its recipient as a subject or sealed, not both and not neither', () => {
    expect(() => decodeEvent(value(exampleRecord(requested), bySubject))).not.toThrow();
    for (const wrong of [anonymous, { ...requested.data, subjectId: exampleSubjectId }]) {
      expect(decodeFault(value(exampleRecord(requested), wrong))).toMatchObject({ pointer: '/data', keyword: 'oneOf' });
    }
  });

  it('has parameters of its own only beside a subject', () => {
    const sealedParameters = requested.data.sealedRecipient;
    expect(() => decodeEvent(value(exampleRecord(requested), { ...bySubject, sealedParameters }))).not.toThrow();
    const wrong = value(exampleRecord(requested), { ...requested.data, sealedParameters });
    expect(decodeFault(wrong)).toMatchObject({ code: 'schema-violation', keyword: 'dependentRequired' });
  });

  it.each(['recipient', 'parameters', 'phone', 'to'])('is refused with a plaintext %s', (field) => {
    const wrong = value(exampleRecord(requested), { ...requested.data, [field]: '+15550100' });
    expect(decodeFault(wrong)).toMatchObject({ code: 'schema-violation', pointer: `/data/${field}` });
  });

  it.each<[string, Uint8Array | null, string]>([
    ['no key', null, ''],
    ['a key of its own', utf8('any key'), 'any key'],
    ['a key that is no text', Uint8Array.of(0xff), ''],
  ])('is read with %s and without the optional attributes', (_name, key, partitionKey) => {
    const bare = without(without(exampleRecord(requested), 'ce_partitionkey'), 'ce_dataschema');
    expect(decodeEvent({ ...bare, key })).toMatchObject({ partitionKey, dataSchema: requested.dataSchema });
  });
});

describe('a record that is no event we understand', () => {
  const record = exampleRecord(withdrawn);
  const repeated = (name: string): RecordHeader[] => [...record.headers, { name, value: utf8('again') }];

  it.each([
    'ce_specversion',
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_time',
    'ce_tenant',
    'ce_partitionkey',
    'content-type',
  ])('is invalid without %s', (name) => {
    expect(decodeFault(without(record, name))).toMatchObject({ code: 'missing-header', pointer: `/${name}` });
  });

  it.each<[string, LogRecord, EventFault['code']]>([
    ['no dataschema', without(record, 'ce_dataschema'), 'missing-header'],
    ['another specversion', header(record, 'ce_specversion', '0.3'), 'schema-violation'],
    ['a repeated attribute', { ...record, headers: repeated('ce_tenant') }, 'repeated-header'],
    ['a repeated content type', { ...record, headers: repeated('content-type') }, 'repeated-header'],
    ['an attribute that is not ASCII', header(record, 'ce_id', 'größe'), 'schema-violation'],
    [
      'too many headers',
      { ...record, headers: Array.from({ length: 65 }, () => ({ name: 'x', value: utf8('') })) },
      'too-many-headers',
    ],
    ['structured mode', header(record, 'content-type', 'application/cloudevents+json'), 'unsupported-content-type'],
    ['another charset', header(record, 'content-type', 'application/json; charset=utf-16'), 'unsupported-content-type'],
    ['the type of another topic', header(record, 'ce_type', 'dispatch.planned.v1'), 'wrong-topic'],
    ['a time that is no instant', header(record, 'ce_time', '2026-11-24T24:61:00Z'), 'schema-violation'],
    ['a time before the year 0', header(record, 'ce_time', '0000-01-01T00:00:00+23:59'), 'schema-violation'],
    ['no key', { ...record, key: null }, 'key-mismatch'],
    ['another key than its attribute', { ...record, key: utf8('other') }, 'key-mismatch'],
    [
      'a key that is not its subject',
      { ...header(record, 'ce_partitionkey', 'other'), key: utf8('other') },
      'key-mismatch',
    ],
    ['a null value', { ...record, value: null }, 'null-value'],
    ['an empty value', { ...record, value: utf8('') }, 'malformed-json'],
    ['a value that is not UTF-8', { ...record, value: Uint8Array.of(0x22, 0xff, 0x22) }, 'malformed-json'],
    [
      'a value with a byte order mark',
      { ...record, value: utf8(`\ufeff${text(record.value ?? utf8(''))}`) },
      'malformed-json',
    ],
    [
      'a value above the limit',
      { ...record, value: new Uint8Array(VALUE_BYTES_MAX + 1).fill(0x20) },
      'value-too-large',
    ],
    ['JSON that is cut off', { ...record, value: (record.value ?? utf8('')).subarray(0, -1) }, 'malformed-json'],
    ['an escaped lone surrogate', { ...record, value: utf8('{"a":"\\ud800"}') }, 'lone-surrogate'],
    ['a member named __proto__', { ...record, value: utf8('{"__proto__":{}}') }, 'forbidden-key'],
    ['very deep nesting', { ...record, value: utf8('['.repeat(100_000) + ']'.repeat(100_000)) }, 'too-deep'],
    ['data that is no object', { ...record, value: utf8('null') }, 'schema-violation'],
    ['no time stamp of the broker', { ...record, timestampMs: -1 }, 'malformed-timestamp'],
    ['an impossible time stamp', { ...record, timestampMs: 9e15 }, 'malformed-timestamp'],
  ])('is invalid with %s', (_, wrong, code) => {
    expect(decodeFault(wrong).code).toBe(code);
  });

  it.each(['consent.withdrawn.v2', 'consent.forgotten.v1', 'toString', '__proto__', ''])(
    'is of an unknown type when that is %j, whatever else is in it',
    (type) => {
      const unknown = { ...header(record, 'ce_type', type), value: null, key: null };
      expect(() => decodeEvent(unknown)).toThrow(UnknownEventTypeError);
    },
  );

  it('says where it is and what failed, in every way a consumer may ask', () => {
    const error = thrownBy(() => decodeEvent(value(record, { ...withdrawn.data, lane: 'nobody' })));
    expect(error).toBeInstanceOf(EventDecodeError);
    expect(error).toMatchObject({
      name: 'InvalidEventError',
      code: 'schema-violation',
      at: 'consent.events/3@1234',
      message: 'record consent.events/3@1234: schema-violation /data/lane enum',
    });
  });
});

describe('a record from another program', () => {
  const record = exampleRecord(withdrawn);

  it.each([
    ['2026-11-24T10:30:00+01:00', exampleInstant],
    ['2026-11-24T09:30:00Z', exampleInstant],
    ['2026-11-24T09:30:00.000999999Z', exampleInstant],
  ])('with the time %s is answered in UTC with milliseconds', (sent, time) => {
    expect(decodeEvent(header(record, 'ce_time', sent)).time).toBe(time);
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])('may say %s', (contentType) => {
    expect(decodeEvent(header(record, 'content-type', contentType)).id).toBe(withdrawn.id);
  });

  it('may carry headers that mean nothing to us, repeated or not', () => {
    const extra = { name: 'b3', value: Uint8Array.of(0xff) };
    expect(decodeEvent({ ...record, headers: [extra, ...record.headers, extra] }).id).toBe(withdrawn.id);
  });

  it('never makes the codec fail in another way, and never shows in an error', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const json = fc.json({ stringUnit: 'binary' }).map(utf8);
    const names = [...record.headers.map((one) => one.name), 'x-other'];
    const marker = 'PLANTED';
    const headerValue = fc.oneof(
      bytes,
      fc.string().map((some) => utf8(marker + some)),
    );
    const arbitrary = fc.record({
      topic: fc.constantFrom('consent.events', 'dispatch.requests'),
      partition: fc.nat(),
      offset: fc.nat(),
      timestampMs: fc.oneof(fc.integer(), fc.double()),
      key: fc.option(bytes),
      headers: fc.oneof(
        fc.array(fc.record({ name: fc.constantFrom(...names), value: headerValue }), { maxLength: 20 }),
        fc.subarray([...record.headers], { minLength: 10 }),
      ),
      value: fc.option(
        fc.oneof(
          bytes,
          json,
          fc.string().map((some) => utf8(`{"${marker}":${JSON.stringify(marker + some)}}`)),
        ),
      ),
    });
    fc.assert(
      fc.property(arbitrary, (some) => {
        const error = thrownBy(() => decodeEvent(some));
        expect(error).toBeInstanceOf(EventDecodeError);
        expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(marker);
      }),
      { numRuns: 500 },
    );
  });

  it('never shows a value of its data in an error', () => {
    const fields = fc.constantFrom(...Object.keys(withdrawn.data));
    const planted = fc.oneof(fc.constant('PLANTED'), fc.constant({ PLANTED: 'PLANTED' }), fc.constant(['PLANTED']));
    fc.assert(
      fc.property(fields, planted, (field, wrong) => {
        const error = thrownBy(() => decodeEvent(value(record, { ...withdrawn.data, [field]: wrong })));
        expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('PLANTED');
      }),
    );
  });
});

describe('any event', () => {
  it('narrows by its type', () => {
    const noticeOf = (event: AnyEvent) => (event.type === 'consent.granted.v1' ? event.data.noticeId : undefined);
    expect(exampleEvents.map(noticeOf).filter((notice) => notice !== undefined)).toEqual(['newsletter-notice']);
  });
});
