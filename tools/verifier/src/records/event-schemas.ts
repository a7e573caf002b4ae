import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

/** First violation of a schema: where, and of which keyword. Never a value. */
export interface Violation {
  readonly pointer: string;
  readonly keyword: string;
}

/** The published event schemas, as a program can use them. */
export interface EventSchemas {
  /** By event type: its topic, and the templates of its record key; the first whose field the data has counts. */
  readonly types: Readonly<Record<string, { readonly topic: string; readonly keys: readonly string[] }>>;
  /** Checks data against the schema of a type, or attributes against `cloud-event`. */
  violation(name: string, value: unknown): Violation | undefined;
}

interface PublishedSchema {
  readonly $id: string;
  readonly 'x-topic'?: string;
  readonly 'x-key'?: readonly string[];
}

/**
 * The schemas as they stand in the repository. The self-contained file does not have this module: scripts/build.mjs puts
 * the same schemas, compiled, in its place.
 */
export const EVENT_SCHEMAS: EventSchemas = readSchemas(join(import.meta.dirname, '../../../../libs/contracts/schemas'));

function readSchemas(folder: string): EventSchemas {
  const ajv = new Ajv2020({ strict: true, ownProperties: true });
  ajvFormats.default(ajv, ['date-time', 'date']);
  ajv.addVocabulary(['x-topic', 'x-key']);
  const ids = new Map<string, string>();
  const types: Record<string, { topic: string; keys: readonly string[] }> = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const name = file.slice(0, -'.json'.length);
    const schema = JSON.parse(readFileSync(join(folder, file), 'utf8')) as PublishedSchema;
    ajv.addSchema(schema);
    ids.set(name, schema.$id);
    if (schema['x-topic'] !== undefined) types[name] = { topic: schema['x-topic'], keys: schema['x-key'] ?? [] };
  }
  return {
    types,
    violation(name, value) {
      const validate = ajv.getSchema(ids.get(name) ?? '');
      if (validate === undefined) throw new RangeError('there is no such schema');
      if (validate(value) === true) return undefined;
      const last = validate.errors?.at(-1);
      return { pointer: last?.instancePath ?? '', keyword: last?.keyword ?? '' };
    },
  };
}
