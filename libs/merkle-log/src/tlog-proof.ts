import { LogFormatError } from './errors.ts';
import { HASH_BYTES, type Hash } from './hashing.ts';
import { readNote } from './signed-note.ts';

const MAGIC = 'c2sp.org/tlog-proof@v1';
/** Hashes of the longest proof there can be: a tree has at most 2^63 leaves. */
export const PROOF_HASHES_MAX = 63;

/** A proof file of C2SP tlog-proof. */
export interface TlogProof {
  /** Opaque; here the entry, so that the leaf hash can be computed. Proves nothing by itself. */
  readonly extra?: Uint8Array;
  readonly index: number;
  /** Inclusion proof from the leaf up, RFC 6962 section 2.1.1. */
  readonly proof: readonly Hash[];
  /** The signed checkpoint, as it is. */
  readonly checkpoint: string;
}

/** The text of the file. */
export function formatTlogProof({ extra, index, proof, checkpoint }: TlogProof): string {
  const head = extra === undefined ? [MAGIC] : [MAGIC, `extra ${Buffer.from(extra).toString('base64')}`];
  return [...head, `index ${index}`, ...proof.map(base64), '', checkpoint].join('\n');
}

/**
 * Reads a proof file; the proof is not verified. Another spelling of the same is refused.
 * @throws LogFormatError `malformed-proof`, and `malformed-note` for its checkpoint
 */
export function parseTlogProof(text: string): TlogProof {
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, Math.max(end, 0)).split('\n');
  const checkpoint = text.slice(end + 2);
  const extraLine = lines[1]?.startsWith('extra ') === true ? lines[1] : undefined;
  const [indexLine = '', ...hashes] = lines.slice(extraLine === undefined ? 1 : 2);
  const proof: TlogProof = {
    ...(extraLine === undefined ? {} : { extra: bytesOf(extraLine.slice('extra '.length)) }),
    index: Number(indexLine.slice('index '.length)),
    proof: hashes.map(bytesOf),
    checkpoint,
  };
  const wellFormed =
    Number.isSafeInteger(proof.index) &&
    proof.proof.length <= PROOF_HASHES_MAX &&
    proof.proof.every(({ length }) => length === HASH_BYTES) &&
    formatTlogProof(proof) === text;
  if (!wellFormed) throw new LogFormatError('malformed-proof', 'this is not the text of a tlog-proof');
  readNote(Buffer.from(checkpoint, 'utf8'));
  return proof;
}

function bytesOf(base64Text: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64Text, 'base64'));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
