import { HASH_BYTES, type Hash } from '../merkle/hashes.ts';
import { FormatError } from '../notes/format-error.ts';
import { utf8Of } from '../notes/signed-note.ts';

/** First line of a C2SP tlog-proof. */
export const TLOG_PROOF = 'c2sp.org/tlog-proof@v1';
/** A tree of 2^53 leaves has paths of 53. */
const PATH_MAX = 64;

/** A C2SP tlog-proof whose claims nobody checked yet. */
export interface TlogProof {
  readonly extra: Uint8Array | undefined;
  readonly index: number;
  readonly path: readonly Hash[];
  /** The note. */
  readonly checkpoint: Uint8Array;
}

/** @throws FormatError */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  const text = utf8Of(bytes);
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(end, 0)).split('\n');
  const extra = lines[1]?.startsWith('extra ') === true ? base64Of(lines[1].slice('extra '.length)) : undefined;
  const [indexLine = '', ...path] = lines.slice(extra === undefined ? 1 : 2);
  const index = Number(/^index (0|[1-9]\d{0,15})$/.exec(indexLine)?.[1]);
  if (lines[0] !== TLOG_PROOF || !Number.isSafeInteger(index) || path.length > PATH_MAX)
    throw new FormatError('this is not a tlog-proof');
  return { extra, index, path: path.map(hashOf), checkpoint: Buffer.from(text.slice(end + 2)) };
}

/** Bytes of standard base64 in its one canonical spelling. @throws FormatError */
export function base64Of(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new FormatError('it is not canonical base64');
  return bytes;
}

/** @throws FormatError */
export function hashOf(text: string): Hash {
  const bytes = base64Of(text);
  if (bytes.length !== HASH_BYTES) throw new FormatError('a hash is not 32 bytes long');
  return bytes;
}
