import { FormatError } from '../notes/format-error.ts';
import { utf8Of } from '../notes/signed-note.ts';
import { EVENT_SCHEMAS } from './event-schemas.ts';
import type { Leaf } from './leaf.ts';
import { factsOf } from './topics.ts';

/** An event as far as a verifier needs it. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly tenant: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** `topic/partition` */
  readonly log: string;
  readonly offset: number;
}

/** What is wrong with a record that should be an event; names places, never values. */
export interface EventProblem {
  readonly problem: string;
}

/** An event that cannot be judged. */
export interface UnknownEvent {
  /** Its type, cut where it is longer than a type may be. */
  readonly unknownType: string;
}

/** Limits of docs/events: a value that fits Kafka's message, and far less depth than any stack has. */
const VALUE_BYTES_MAX = 524_288;
const DEPTH_MAX = 32;
const HEADERS_MAX = 64;
const TYPE_LENGTH_MAX = 100;

const NOTHING = new Uint8Array();

const JSON_TYPE = /^application\/json(; ?charset=utf-8)?$/i;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Attributes of CloudEvents and of ours, by their headers. */
const ATTRIBUTE_OF = new Map<string, string>(
  [
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
  ].map((name) => [`ce_${name}`, name] as const),
);

/** The event in a record: CloudEvents 1.0, Kafka protocol binding, binary mode; the schemas are the published ones. */
export function readEvent(leaf: Leaf, value: Uint8Array | null): LoggedEvent | EventProblem | UnknownEvent {
  const headers = attributesOf(leaf);
  if ('problem' in headers) return headers;
  const { attributes, contentType } = headers;
  const type = attributes['type'];
  if (type === undefined) return { problem: 'ce_type is missing' };
  const contract = Object.hasOwn(EVENT_SCHEMAS.types, type) ? EVENT_SCHEMAS.types[type] : undefined;
  if (contract === undefined) return { unknownType: type.slice(0, TYPE_LENGTH_MAX) };
  if (contract.topic !== leaf.topic) return { problem: 'its type belongs to another topic' };
  if (!JSON_TYPE.test(contentType ?? '')) return { problem: 'its content type is not JSON' };
  const foreign = factsOf(leaf.topic).hashesOnly;
  if (foreign) attributes['dataschema'] ??= schemaOf(type);
  const wrong = EVENT_SCHEMAS.violation('cloud-event', attributes);
  if (wrong !== undefined) return { problem: `its attributes break the schema at ${wrong.pointer} (${wrong.keyword})` };
  if (attributes['dataschema'] !== schemaOf(type)) return { problem: 'ce_dataschema is not the one of its type' };
  if (!isInstant(attributes['time'])) return { problem: 'ce_time is no instant' };
  if (leaf.timestampMs < 0) return { problem: 'the broker gave it no time' };
  const data = jsonOf(value);
  if ('problem' in data) return data;
  const broken = EVENT_SCHEMAS.violation(type, data.json);
  if (broken !== undefined) return { problem: `its data breaks the schema at ${broken.pointer} (${broken.keyword})` };
  const fields = data.json as Readonly<Record<string, unknown>>;
  if (!foreign && !keyFits(leaf.key, attributes['partitionkey'], contract.keys, fields))
    return { problem: 'its key is not the one that its data gives' };
  const log = `${leaf.topic}/${leaf.partition}`;
  return {
    id: attributes['id'] ?? '',
    type,
    tenant: attributes['tenant'] ?? '',
    data: fields,
    log,
    offset: leaf.offset,
  };
}

function schemaOf(type: string): string {
  return `https://assent.dev/schemas/${type}.json`;
}

function attributesOf(
  leaf: Leaf,
): { attributes: Record<string, string | undefined>; contentType: string | undefined } | { problem: string } {
  if (leaf.headers.length > HEADERS_MAX) return { problem: 'it has too many headers' };
  const attributes: Record<string, string | undefined> = {};
  let contentType: string | undefined;
  for (const { name, value } of leaf.headers) {
    const attribute = ATTRIBUTE_OF.get(name);
    if (attribute === undefined && name !== 'content-type') continue;
    const earlier = attribute === undefined ? contentType : attributes[attribute];
    if (earlier !== undefined) return { problem: `the header ${name} is repeated` };
    // Attributes are ASCII by their schema; anything else is refused there.
    const text = latin1Of(value ?? NOTHING);
    if (attribute === undefined) contentType = text;
    else attributes[attribute] = text;
  }
  return { attributes, contentType };
}

function latin1Of(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString('latin1');
}

function isInstant(text: string | undefined): boolean {
  return text !== undefined && INSTANT.test(text) && !Number.isNaN(Date.parse(text));
}

function jsonOf(value: Uint8Array | null): { json: unknown } | { problem: string } {
  if (value === null) return { problem: 'it has no value' };
  if (value.length > VALUE_BYTES_MAX) return { problem: 'its value is larger than an event may be' };
  try {
    const json: unknown = JSON.parse(utf8Of(value));
    if (isTooDeep(json)) return { problem: 'its data is nested too deeply' };
    return { json };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'its value is not JSON' };
    if (error instanceof FormatError) return { problem: 'its value is not UTF-8' };
    throw error;
  }
}

/** Looks no deeper than the limit, so that no depth can exhaust a stack. */
function isTooDeep(json: unknown, depth = 0): boolean {
  if (typeof json !== 'object' || json === null) return false;
  if (depth >= DEPTH_MAX) return true;
  for (const member of Object.values(json as Readonly<Record<string, unknown>>))
    if (isTooDeep(member, depth + 1)) return true;
  return false;
}

function keyFits(
  key: Uint8Array | null,
  partitionKey: string | undefined,
  templates: readonly string[],
  data: Readonly<Record<string, unknown>>,
): boolean {
  if (key === null || partitionKey === undefined || latin1Of(key) !== partitionKey) return false;
  for (const template of templates) {
    const [placeholder, field] = /\{(\w+)\}/.exec(template) ?? [];
    if (placeholder === undefined || field === undefined) return partitionKey === template;
    const value = data[field];
    if (typeof value === 'string') return partitionKey === template.replace(placeholder, () => value);
  }
  return true;
}
