import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection } from 'mongoose';
import type { Connection } from 'mongoose';
import type { TestStack } from './test-stack.ts';

/** Shorter strings turn up by chance. */
const PLANTED_LENGTH_MIN = 8;

/** Where to look besides the topics and the databases of the stack. */
export interface PlantedSearch {
  /** Text by name: logs, answers of `/metrics`. */
  texts?: Readonly<Record<string, string>>;
  /** Folders, with everything below: tiles, exports. */
  folders?: readonly string[];
}

/**
 * Finds strings that a test planted (numbers, texts) wherever they are in the clear: keys, headers and values of every
 * record, every document of every database of the stack, and what else is given. A number is also found without its plus
 * and in base64.
 *
 * @returns one line per place, `consent.events/3@12 value`; empty when all is well
 */
export async function findPlanted(
  stack: TestStack,
  planted: readonly string[],
  search: PlantedSearch = {},
): Promise<string[]> {
  if (planted.length === 0 || planted.some((text) => text.length < PLANTED_LENGTH_MIN))
    throw new RangeError('plant strings of at least 8 characters');
  const needles = planted.flatMap(needlesOf);
  const places: string[] = [];
  const look = (place: string, bytes: Uint8Array | null): void => {
    if (bytes !== null && needles.some((needle) => Buffer.from(bytes).includes(needle))) places.push(place);
  };
  for (const topic of stack.topics) {
    for (const { partition, offset, key, headers, value } of await stack.records(topic)) {
      const at = `${topic}/${String(partition)}@${String(offset)}`;
      look(`${at} key`, key);
      look(`${at} value`, value);
      for (const header of headers) look(`${at} header ${header.name}`, header.value);
    }
  }
  await lookInDatabases(stack, look);
  for (const [name, text] of Object.entries(search.texts ?? {})) look(name, Buffer.from(text));
  for (const folder of search.folders ?? []) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) look(join(entry.parentPath, entry.name), await readFile(join(entry.parentPath, entry.name)));
    }
  }
  return places;
}

/** The string, a number without its plus, and the three ways base64 can hold either, without the padding at both ends. */
function needlesOf(text: string): Buffer[] {
  const forms = [...new Set([text, text.replace(/^\+/, '')])];
  const inBase64 = forms.flatMap((form) => [0, 1, 2].map((shift) => base64Middle(form, shift)));
  return [...forms, ...inBase64, ...inBase64.map((needle) => needle.replaceAll('+', '-').replaceAll('/', '_'))].map(
    (needle) => Buffer.from(needle),
  );
}

/** What base64 makes of the text when it begins `shift` bytes into a group of three; only whole groups of its own. */
function base64Middle(text: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]);
  const from = shift === 0 ? 0 : 3;
  const to = bytes.length - (bytes.length % 3);
  return bytes.subarray(from, to).toString('base64');
}

async function lookInDatabases(stack: TestStack, look: (place: string, bytes: Uint8Array) => void): Promise<void> {
  const connection = await createConnection(stack.env.MONGODB_URI).asPromise();
  try {
    const { databases } = await connection.getClient().db('admin').admin().listDatabases({ nameOnly: true });
    for (const { name } of databases)
      if (name.startsWith(`${stack.env.ASSENT_INSTANCE}_`)) await lookInDatabase(connection, name, look);
  } finally {
    await connection.close();
  }
}

async function lookInDatabase(
  connection: Connection,
  name: string,
  look: (place: string, bytes: Uint8Array) => void,
): Promise<void> {
  const database = connection.getClient().db(name);
  for (const { name: collection } of await database.listCollections({}, { nameOnly: true }).toArray()) {
    // Raw BSON: every field in whatever type, names of fields included.
    const documents = database.collection(collection).find({}, { raw: true });
    for await (const document of documents) look(`${name}.${collection}`, document as unknown as Uint8Array);
  }
}
