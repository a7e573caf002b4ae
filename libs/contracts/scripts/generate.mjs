/**
 * Writes everything that follows from schemas/*.json: the TypeScript types and constants in src/generated and the pages
 * in docs/events. `--check` writes nothing and fails when a file on disk differs from what the schemas say.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';

const library = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(library, '..', '..');
const schemasFolder = join(library, 'schemas');
const generatedFolder = join(library, 'src', 'generated');
const docsFolder = join(root, 'docs', 'events');
const notice = 'Generated from libs/contracts/schemas by libs/contracts/scripts/generate.mjs; do not edit.';

const schemas = Object.fromEntries(
  readdirSync(schemasFolder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => [name.slice(0, -'.json'.length), JSON.parse(readFileSync(join(schemasFolder, name), 'utf8'))]),
);
const { common, 'cloud-event': cloudEvent, 'sealed-request': sealedRequest, ...events } = schemas;
const topics = [...new Set(Object.values(events).map((schema) => schema['x-topic']))].sort();

/** Name of the common definition a `$ref` points to, or undefined when the schema is no reference. */
function referenced(schema) {
  if (schema.$ref === undefined) return undefined;
  const name = /^common\.json#\/\$defs\/(\w+)$/.exec(schema.$ref)?.[1];
  if (name === undefined || common.$defs[name] === undefined) throw new Error(`unknown reference ${schema.$ref}`);
  return name;
}

/**
 * The schema as json-schema-to-typescript should see it: references by name (so that a shared type is declared once),
 * forbidden properties left out, and without keywords that only assert (they have no counterpart in a type).
 */
function forTypes(schema) {
  const name = referenced(schema);
  if (name !== undefined) return { tsType: name, ...(schema.description ? { description: schema.description } : {}) };
  const { oneOf, properties, items, additionalProperties, dependentRequired: _, propertyNames: __, ...rest } = schema;
  const shapes = oneOf?.filter((option) => option.type !== undefined).map(forTypes);
  return {
    ...rest,
    ...(shapes?.length ? { oneOf: shapes } : {}),
    ...(items ? { items: forTypes(items) } : {}),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: forTypes(additionalProperties) } : {}),
    ...(properties
      ? {
          properties: Object.fromEntries(
            Object.entries(properties)
              .filter(([, property]) => property !== false)
              .map(([key, property]) => [key, forTypes(property)]),
          ),
        }
      : {}),
  };
}

async function typeOf(schema, name) {
  const { $id: _, title: __, $schema: ___, ...body } = forTypes(schema);
  const options = { bannerComment: '', additionalProperties: false, ignoreMinAndMaxItems: true, format: false };
  return (await compile({ ...body, title: name }, name, options)).trim();
}

async function eventDataFile() {
  const declarations = [];
  for (const [name, schema] of Object.entries(common.$defs)) declarations.push(await typeOf(schema, name));
  declarations.push(await typeOf(sealedRequest, sealedRequest.title));
  for (const schema of Object.values(events)) declarations.push(await typeOf(schema, schema.title));
  const map = Object.entries(events).map(([type, schema]) => `'${type}': ${schema.title};`);
  const names = topics.map((topic) => `'${topic}'`).join(' | ');
  return [
    `/* ${notice} */`,
    ...declarations,
    `/** Data of each event type. */\nexport interface EventData {\n${map.join('\n')}\n}`,
    `/** Every topic that carries events. */\nexport type TopicName = ${names};`,
  ].join('\n\n');
}

function schemasFile() {
  const topicOf = Object.entries(events).map(([type, schema]) => `'${type}': '${schema['x-topic']}',`);
  const patterns = Object.entries(common.$defs).filter(([, schema]) => schema.pattern !== undefined);
  const constant = (name, type, value, doc) =>
    `/** ${doc} */\nexport const ${name}: ${type} = ${JSON.stringify(value)};`;
  return [
    `/* ${notice} */`,
    `import type { EventData, TopicName } from './event-data.ts';`,
    `/** A JSON Schema 2020-12 document. */\nexport type JsonSchema = Readonly<Record<string, unknown>>;`,
    constant('COMMON_SCHEMA', 'JsonSchema', common, 'Definitions that several schemas refer to.'),
    constant('CLOUD_EVENT_SCHEMA', 'JsonSchema', cloudEvent, 'CloudEvents attributes of a record.'),
    constant('SEALED_REQUEST_SCHEMA', 'JsonSchema', sealedRequest, 'Content of a JWE of dispatch.requests.'),
    constant(
      'EVENT_SCHEMAS',
      'Readonly<Record<keyof EventData, JsonSchema>>',
      events,
      'Schema of the data of each event type.',
    ),
    `/** Topic of each event type. */\nexport const EVENT_TOPICS: Readonly<Record<keyof EventData, TopicName>> = {\n${topicOf.join('\n')}\n};`,
    `/** Patterns of the common string types, for validation at the edges. */\nexport const PATTERNS = {\n${patterns
      .map(([name, schema]) => `${name}: ${new RegExp(schema.pattern).toString()},`)
      .join('\n')}\n} as const;`,
  ].join('\n\n');
}

const escaped = (text) => text.replaceAll('<', '\\<');
const cell = (text) => escaped(text).replaceAll('|', '\\|');

/** A schema in a few words, for the tables. */
function shapeOf(schema) {
  const name = referenced(schema);
  if (name !== undefined) return `[${name}](common.md#${name.toLowerCase()})`;
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' \\| ');
  if (schema.oneOf?.some((option) => option.type))
    return schema.oneOf
      .filter((option) => option.type)
      .map(shapeOf)
      .join(' \\| ');
  if (schema.type === 'array') return `list of ${shapeOf(schema.items)}, ${schema.minItems ?? 0} to ${schema.maxItems}`;
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object')
    return `map to ${shapeOf(schema.additionalProperties)}, at most ${schema.maxProperties}`;
  if (schema.type === 'object' && schema.properties)
    return `{ ${Object.entries(schema.properties)
      .map(([key, property]) => `${key}${schema.required.includes(key) ? '' : '?'}: ${shapeOf(property)}`)
      .join(', ')} }`;
  if (schema.type === 'string') return `string, at most ${schema.maxLength} characters`;
  if (schema.type === 'integer' || schema.type === 'number')
    return `${schema.type}, ${schema.minimum} to ${schema.maximum}`;
  return schema.type;
}

function fieldsTable(schema) {
  const rows = Object.entries(schema.properties).map(([key, property]) => {
    if (property === false) return `| \`${key}\` | never | must not be there |  |`;
    const description = property.description ?? common.$defs[referenced(property)]?.description ?? '';
    return `| \`${key}\` | ${schema.required.includes(key) ? 'yes' : 'no'} | ${shapeOf(property)} | ${cell(description)} |`;
  });
  return ['| field | required | shape | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

const keyText = (schema) => schema['x-key']?.map((key) => `\`${key}\``).join(', else ') ?? 'any';

function topicPage(topic) {
  const own = Object.entries(events).filter(([, schema]) => schema['x-topic'] === topic);
  const overview = own.map(
    ([type, schema]) =>
      `| [\`${type}\`](#${type.replaceAll('.', '')}) | ${keyText(schema)} | ${cell(schema.description)} |`,
  );
  const details = own.map(
    ([type, schema]) =>
      `## ${type}\n\n${escaped(schema.description)}\n\nKey: ${keyText(schema)}.\n\n${fieldsTable(schema)}`,
  );
  return [
    `<!-- ${notice} -->`,
    `# ${topic}`,
    ['| event | key | what |', '|---|---|---|', ...overview].join('\n'),
    ...details,
  ].join('\n\n');
}

function commonPage() {
  const definitions = Object.entries(common.$defs).map(([name, schema]) => {
    const shape = schema.type === 'object' && schema.properties ? fieldsTable(schema) : `Shape: ${shapeOf(schema)}`;
    const pattern = schema.pattern ? `\n\nPattern: \`${schema.pattern}\`` : '';
    return `## ${name}\n\n${escaped(schema.description)}\n\n${shape}${pattern}`;
  });
  return [
    `<!-- ${notice} -->`,
    '# Common definitions',
    ...definitions,
    `## Attributes of a record\n\n${cloudEvent.description}\n\n${fieldsTable(cloudEvent)}`,
  ].join('\n\n');
}

function indexPage() {
  const sections = topics.map((topic) => {
    const own = Object.entries(events).filter(([, schema]) => schema['x-topic'] === topic);
    const lines = own.map(([type, schema]) => `- \`${type}\`: ${escaped(schema.description)}`);
    return `## [${topic}](${topic}.md)\n\n${lines.join('\n')}`;
  });
  return [
    `<!-- ${notice} -->`,
    '# Events',
    'Every record is a CloudEvents 1.0 event in Kafka binary mode: attributes in `ce_*` headers, data as JSON in the value. Fields that are not listed may be there and are ignored. Types, limits and attributes that several events share are in [common definitions](common.md). Who writes a topic, and for how long it keeps its records, is declared in `infra/kafka/topics.yaml`.',
    ...sections,
  ].join('\n\n');
}

async function outputs() {
  const pages = [
    ['README.md', indexPage()],
    ['common.md', commonPage()],
    ...topics.map((topic) => [`${topic}.md`, topicPage(topic)]),
  ];
  const files = [
    [join(generatedFolder, 'event-data.ts'), await eventDataFile()],
    [join(generatedFolder, 'schemas.ts'), schemasFile()],
    ...pages.map(([name, text]) => [join(docsFolder, name), text]),
  ];
  const config = await resolveConfig(join(root, 'package.json'));
  return Promise.all(
    files.map(async ([path, text]) => [
      path,
      await format(text, { ...config, parser: path.endsWith('.ts') ? 'typescript' : 'markdown' }),
    ]),
  );
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function listed(folder) {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

const wanted = new Map(await outputs());
const leftovers = [...listed(generatedFolder), ...listed(docsFolder)].filter((path) => !wanted.has(path));
const stale = [...wanted].filter(([path, text]) => read(path) !== text).map(([path]) => path);
if (process.argv.includes('--check')) {
  for (const path of [...stale, ...leftovers]) console.error(`stale: ${relative(root, path)}`);
  if (stale.length + leftovers.length > 0) {
    console.error('run: npm run generate -w @assent/contracts');
    process.exitCode = 1;
  }
} else {
  for (const path of leftovers) rmSync(path);
  for (const path of stale) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, wanted.get(path));
  }
  console.log(`${stale.length} written, ${leftovers.length} removed, ${wanted.size - stale.length} unchanged`);
}
