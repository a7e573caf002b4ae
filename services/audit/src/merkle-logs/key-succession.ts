import {
  formatKeyStatement,
  formatNote,
  formatVerifierKey,
  type KeyStatement,
  LogFormatError,
  openKeyStatement,
  parseVerifierKey,
  readNote,
  statementName,
  statementPath,
} from '@assent/merkle-log';
import type { LogKeys, SigningKey } from './log-key.ts';
import { HEADS_NAME, KEYS_PATH, MANIFEST_PATH, originOf, PUBLIC_FOLDER } from './log-layout.ts';
import type { LogObjects, LogReader } from './log-store.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** Names the layout of the folder; docs/formats/audit-folder.md describes it. */
const FOLDER_FORMAT = 'assent-audit-folder/v1';

/** Keys in the order in which they followed each other. */
export interface KeySuccession {
  /** Verifier key lines under `<origin>/heads`; empty in a folder that nothing was signed in. */
  readonly keys: readonly string[];
  /** The note that introduces each key after the first. */
  readonly statements: readonly string[];
}

/**
 * Reads the succession of keys from the folder: the manifest's first key, then from statement to statement.
 * @throws MerkleLogError `log-damaged` when a statement is not what both keys signed
 */
export async function readSuccession(store: LogReader): Promise<KeySuccession> {
  const manifest = await store.read(MANIFEST_PATH);
  if (manifest === undefined) return { keys: [], statements: [] };
  const { keys: listed } = JSON.parse(Buffer.from(manifest).toString('utf8')) as { keys: string[] };
  const byOldKey = new Map<string, { newKey: string; note: string }>();
  for (const name of await store.list(KEYS_PATH)) {
    const note = (await store.read(`${KEYS_PATH}/${name}`)) ?? new Uint8Array();
    const { oldKey, newKey } = opened(note, name);
    byOldKey.set(oldKey, { newKey, note: Buffer.from(note).toString('utf8') });
  }
  const keys = listed.slice(0, 1);
  const statements: string[] = [];
  for (let next = byOldKey.get(keys[0] ?? ''); next !== undefined; next = byOldKey.get(next.newKey)) {
    if (keys.includes(next.newKey))
      throw new MerkleLogError('log-damaged', 'the keys of the folder follow in a circle');
    keys.push(next.newKey);
    statements.push(next.note);
  }
  return { keys, statements };
}

function opened(note: Uint8Array, name: string): KeyStatement {
  try {
    return openKeyStatement(note);
  } catch (error) {
    if (error instanceof LogFormatError)
      throw new MerkleLogError('log-damaged', `${KEYS_PATH}/${name} is not valid`, error);
    throw error;
  }
}

/**
 * Refuses keys that may not sign in this folder: the newest key of its succession must be among them, or one that is
 * about to be introduced by it.
 *
 * @throws MerkleLogError `signing-key-unusable`
 */
export function assertMaySign({ keys }: KeySuccession, signing: LogKeys, origin: string): void {
  const newest = keys.at(-1);
  if (newest === undefined || linesOf(signing.signing, origin).includes(newest)) return;
  throw new MerkleLogError(
    'signing-key-unusable',
    'the newest key that signs in this folder is not among those given; a new key is introduced by giving it as ' +
      'AUDIT_NEXT_SIGNING_KEY_FILE beside the present one',
  );
}

/**
 * Introduces keys that sign from now on and are new to the folder, each by a statement of the one before, and lists them
 * in the manifest. Durable when it resolves, and to be done before the log of heads is signed by them.
 *
 * @param heads what the owner of the log of heads writes with, and the size it has
 * @throws MerkleLogError `signing-key-unusable`, `stale-owner`
 */
export async function publishKeys(
  heads: { store: LogObjects; size: number },
  signing: LogKeys,
  origin: string,
): Promise<void> {
  const succession = await readSuccession(heads.store);
  assertMaySign(succession, signing, origin);
  const keys = [...succession.keys];
  for (const key of signing.signing) {
    const newKey = lineOf(key, origin);
    const oldKey = keys.at(-1);
    if (keys.includes(newKey)) continue;
    if (oldKey !== undefined) {
      const older = signing.signing.find((other) => lineOf(other, origin) === oldKey);
      if (older === undefined)
        throw new MerkleLogError('signing-key-unusable', 'the key before a new one is not given');
      const statement = { origin, fromHeadsSize: heads.size + 1, oldKey, newKey };
      const bytes = Buffer.from(await signedByBoth(statement, older, key), 'utf8');
      await heads.store.write([{ path: `${PUBLIC_FOLDER}/${statementPath(statement)}`, bytes }]);
    }
    keys.push(newKey);
  }
  const manifest = { format: FOLDER_FORMAT, origin, keys };
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`, 'utf8');
  const there = await heads.store.read(MANIFEST_PATH);
  if (there === undefined || Buffer.compare(there, bytes) !== 0) {
    await heads.store.write([{ path: MANIFEST_PATH, bytes }]);
  }
}

/** The raw public keys of a succession. */
export function publicKeysOf({ keys }: KeySuccession): Uint8Array[] {
  return keys.map((line) => parseVerifierKey(line).publicKey);
}

async function signedByBoth(statement: KeyStatement, older: SigningKey, newer: SigningKey): Promise<string> {
  const text = formatKeyStatement(statement);
  const name = statementName(statement.origin);
  const notes = [await older.signNote(name, text), await newer.signNote(name, text)];
  return formatNote(
    text,
    notes.flatMap((note) => readNote(Buffer.from(note, 'utf8')).signatures),
  );
}

function linesOf(keys: readonly SigningKey[], origin: string): string[] {
  return keys.map((key) => lineOf(key, origin));
}

function lineOf({ publicKey }: SigningKey, origin: string): string {
  return formatVerifierKey(originOf(origin, HEADS_NAME), publicKey);
}
