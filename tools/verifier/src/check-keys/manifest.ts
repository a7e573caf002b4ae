import { FormatError, ifWellFormed } from '../notes/format-error.ts';
import { type NoteKey, parseKeyLine, utf8Of } from '../notes/signed-note.ts';
import type { Source } from '../sources/source.ts';

/** The layout this verifier knows: docs/formats/audit-folder.md. */
export const FOLDER_FORMAT = 'assent-audit-folder/v1';
export const MANIFEST = 'manifest.json';
const MANIFEST_BYTES_MAX = 65_536;
const KEYS_MAX = 100;

export interface Manifest {
  /** Base of the logs' origins. */
  readonly origin: string;
  /** In order of succession, under `<origin>/heads`. */
  readonly keys: readonly NoteKey[];
}

/** The manifest of a source; undefined when there is none that is one. @throws SourceError */
export async function readManifest(source: Source): Promise<Manifest | undefined> {
  const bytes = await source.read(MANIFEST, MANIFEST_BYTES_MAX);
  return bytes === undefined ? undefined : ifWellFormed(() => parseManifest(bytes));
}

/** @throws FormatError for another spelling of the same content too: then no bit of the file can change unnoticed */
export function parseManifest(bytes: Uint8Array): Manifest {
  const text = utf8Of(bytes);
  const { format, origin, keys } = objectOf(text);
  const canonical = `${JSON.stringify({ format, origin, keys }, undefined, 2)}\n`;
  if (format !== FOLDER_FORMAT || typeof origin !== 'string' || canonical !== text)
    throw new FormatError(`this is not the manifest of an ${FOLDER_FORMAT}`);
  return { origin, keys: keysOf(keys, origin) };
}

/** Reads key lines under `<origin>/heads`. @throws FormatError */
export function keysOf(lines: unknown, origin: string): NoteKey[] {
  if (!Array.isArray(lines) || lines.length === 0 || lines.length > KEYS_MAX)
    throw new FormatError('there is no list of keys');
  return lines.map((line) => {
    const key = parseKeyLine(typeof line === 'string' ? line : '');
    if (key.name !== `${origin}/heads` || key.type !== 'ed25519')
      throw new FormatError('a key is not one of the log of heads');
    return key;
  });
}

/** @throws FormatError */
export function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new FormatError('it is no JSON object');
}
