import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import type { EventType } from './event.ts';
import {
  CLOUD_EVENT_SCHEMA,
  COMMON_SCHEMA,
  EVENT_SCHEMAS,
  EVENT_TOPICS,
  SEALED_REQUEST_SCHEMA,
} from './generated/schemas.ts';
import type { TopicName } from './generated/event-data.ts';

/** Place and keyword of the first violation. */
export interface Violation {
  pointer: string;
  keyword: string;
}

const ajv = new Ajv2020({ strict: true, ownProperties: true });
ajvFormats.default(ajv, ['date-time', 'date']);
ajv.addVocabulary(['x-topic', 'x-key']);
ajv.addSchema([COMMON_SCHEMA, CLOUD_EVENT_SCHEMA, SEALED_REQUEST_SCHEMA, ...Object.values(EVENT_SCHEMAS)]);

/** Tells whether a text is the type of an event this program knows. */
export function isEventType(text: string): text is EventType {
  return Object.hasOwn(EVENT_TOPICS, text);
}

/** The topic that events of a type are written to. */
export function topicOf(type: EventType): TopicName {
  return EVENT_TOPICS[type];
}

/** `$id` of the schema of a type's data. */
export function dataSchemaOf(type: EventType): string {
  return `https://assent.dev/schemas/${type}.json`;
}

/** First violation of the data of an event, or undefined when it is valid. */
export function dataViolation(type: EventType, data: unknown): Violation | undefined {
  return violation(dataSchemaOf(type), data);
}

/** First violation of the attributes of an event (names without `ce_`), or undefined when they are valid. */
export function attributesViolation(attributes: unknown): Violation | undefined {
  return violation('https://assent.dev/schemas/cloud-event.json', attributes);
}

/** First violation of the content of a JWE of dispatch.requests, or undefined when it is valid. */
export function sealedRequestViolation(content: unknown): Violation | undefined {
  return violation('https://assent.dev/schemas/sealed-request.json', content);
}

/**
 * The key a record of this type must have, by its schema's `x-key`: the first template whose field the data has. The
 * data must be valid. Undefined when every key will do.
 */
export function expectedKey(type: EventType, data: Readonly<Record<string, unknown>>): string | undefined {
  const templates = (EVENT_SCHEMAS[type]['x-key'] ?? []) as readonly string[];
  for (const template of templates) {
    const [placeholder, field] = /\{(\w+)\}/.exec(template) ?? [];
    if (placeholder === undefined || field === undefined) return template;
    const value = data[field];
    if (typeof value === 'string') return template.replace(placeholder, () => value);
  }
  return undefined;
}

function violation(schemaId: string, value: unknown): Violation | undefined {
  const validate = ajv.getSchema(schemaId);
  if (validate === undefined) throw new TypeError(`no schema ${schemaId}`);
  if (validate(value) === true) return undefined;
  // Of a failed oneOf the last error is the oneOf itself; the ones before it belong to its branches.
  const last = validate.errors?.at(-1);
  return last === undefined ? { pointer: '', keyword: '' } : { pointer: pointerOf(last), keyword: last.keyword };
}

function pointerOf(error: ErrorObject): string {
  const missing: unknown = error.keyword === 'required' ? error.params['missingProperty'] : undefined;
  return typeof missing === 'string' ? `${error.instancePath}/${missing}` : error.instancePath;
}
