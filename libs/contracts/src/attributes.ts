import type { EventFault } from './event-errors.ts';
import type { AnyEvent, RecordHeader } from './event.ts';

/** CloudEvents needs ten; tracing and mirroring tools add a few of their own. */
export const HEADERS_MAX = 64;

/** CloudEvents attributes in the order of their headers. */
const NAMES = [
  'specversion',
  'id',
  'source',
  'type',
  'time',
  'tenant',
  'partitionkey',
  'dataschema',
  'causationid',
  'correlationid',
  'traceparent',
] as const;

/** Names without `ce_`; values as they stand in the headers. */
export type Attributes = Partial<Record<(typeof NAMES)[number], string>>;

/** The attributes of an event. */
export function attributesOf(event: AnyEvent): Attributes {
  return {
    specversion: '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    time: event.time,
    tenant: event.tenant,
    partitionkey: event.partitionKey,
    dataschema: event.dataSchema,
    ...(event.causationId === undefined ? {} : { causationid: event.causationId }),
    ...(event.correlationId === undefined ? {} : { correlationid: event.correlationId }),
    ...(event.traceParent === undefined ? {} : { traceparent: event.traceParent }),
  };
}

/** Headers of attributes, always in the same order. */
export function headersOf(attributes: Attributes): RecordHeader[] {
  const headers: RecordHeader[] = [];
  for (const name of NAMES) {
    const text = attributes[name];
    if (text !== undefined) headers.push({ name: `ce_${name}`, value: Buffer.from(text) });
  }
  return [...headers, { name: 'content-type', value: Buffer.from('application/json') }];
}

const NAME_OF_HEADER = new Map(NAMES.map((name) => [`ce_${name}`, name]));

/**
 * The attributes and the content type of a record's headers. Headers that mean nothing to us are ignored; one that does
 * and is repeated is a fault: two readers could understand it differently. Bytes are read as Latin-1, because every
 * attribute is ASCII by its schema and anything else is refused there.
 */
export function readHeaders(
  headers: readonly RecordHeader[],
  refuse: (fault: EventFault) => never,
): { attributes: Attributes; contentType: string | undefined } {
  if (headers.length > HEADERS_MAX) refuse({ code: 'too-many-headers' });
  const attributes: Attributes = {};
  let contentType: string | undefined;
  for (const header of headers) {
    const name = NAME_OF_HEADER.get(header.name);
    if (name === undefined && header.name !== 'content-type') continue;
    const earlier = name === undefined ? contentType : attributes[name];
    if (earlier !== undefined) refuse({ code: 'repeated-header', pointer: `/${header.name}` });
    const text = latin1(header.value);
    if (name === undefined) contentType = text;
    else attributes[name] = text;
  }
  return { attributes, contentType };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
