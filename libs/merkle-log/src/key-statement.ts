import { LogFormatError } from './errors.ts';
import { openNote, parseVerifierKey, ed25519Verifier } from './signed-note.ts';

/** Ends the name under which keys sign statements about keys. */
const STATEMENT_NAME = 'keys';

/** The old key says: from heads of this size on, this other key signs. */
export interface KeyStatement {
  /** Base origin, such as `audit.example.com`. */
  readonly origin: string;
  /** Size of the first checkpoint of the log of heads that carries the new key's signature. */
  readonly fromHeadsSize: number;
  /** Verifier key lines under the name `<origin>/heads`. */
  readonly oldKey: string;
  readonly newKey: string;
}

/** The name under which statements are signed: `audit.example.com/keys`. */
export function statementName(origin: string): string {
  return `${origin}/${STATEMENT_NAME}`;
}

/** Where a statement is in the folder: `keys/<key id of the new key under <origin>/heads, hex>.note`. */
export function statementPath({ newKey }: Pick<KeyStatement, 'newKey'>): string {
  return `keys/${newKey.split('+')[1] ?? ''}.note`;
}

/** The text that both keys sign. */
export function formatKeyStatement({ origin, fromHeadsSize, oldKey, newKey }: KeyStatement): string {
  return `${statementName(origin)}\n${fromHeadsSize}\n${oldKey}\n${newKey}\n`;
}

/**
 * Reads a statement and checks that both keys it names have signed it. Whether the old key is one to trust is the
 * caller's business.
 *
 * @throws LogFormatError `malformed-key-statement`, or as `openNote` and `parseVerifierKey` do
 */
export function openKeyStatement(note: Uint8Array): KeyStatement {
  const text = Buffer.from(note).toString('utf8');
  const [name = '', size = '', oldKey = '', newKey = ''] = text.split('\n');
  const origin = name.slice(0, -`/${STATEMENT_NAME}`.length);
  const statement = { origin, fromHeadsSize: Number(size), oldKey, newKey };
  const [older, newer] = [parseVerifierKey(oldKey), parseVerifierKey(newKey)];
  const wellFormed =
    text.startsWith(`${formatKeyStatement(statement)}\n`) &&
    Number.isSafeInteger(statement.fromHeadsSize) &&
    statement.fromHeadsSize > 0 &&
    older.name === `${origin}/heads` &&
    newer.name === older.name &&
    oldKey !== newKey;
  if (!wellFormed) throw new LogFormatError('malformed-key-statement', 'this is not a statement about a new key');
  for (const { publicKey } of [older, newer]) openNote(note, [ed25519Verifier(statementName(origin), publicKey)]);
  return statement;
}
