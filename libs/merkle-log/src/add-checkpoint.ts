import { LogFormatError } from './errors.ts';
import { HASH_BYTES, type Hash } from './hashing.ts';
import { readNote } from './signed-note.ts';
import { PROOF_HASHES_MAX } from './tlog-proof.ts';

/** The body of an add-checkpoint request of C2SP tlog-witness: a checkpoint and its proof from an older size. */
export interface AddCheckpoint {
  readonly oldSize: number;
  /** Consistency proof, RFC 6962 section 2.1.2. */
  readonly proof: readonly Hash[];
  /** The signed checkpoint, as it is. */
  readonly checkpoint: string;
}

/** The text of the body. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return [`old ${oldSize}`, ...proof.map((hash) => Buffer.from(hash).toString('base64')), '', checkpoint].join('\n');
}

/**
 * Reads a body; neither signatures nor the proof are verified. Another spelling of the same is refused.
 * @throws LogFormatError `malformed-proof`, and `malformed-note` for its checkpoint
 */
export function parseAddCheckpoint(text: string): AddCheckpoint {
  const end = text.indexOf('\n\n');
  const [oldLine = '', ...hashes] = text.slice(0, Math.max(end, 0)).split('\n');
  const body: AddCheckpoint = {
    oldSize: Number(oldLine.slice('old '.length)),
    proof: hashes.map((hash) => new Uint8Array(Buffer.from(hash, 'base64'))),
    checkpoint: text.slice(end + 2),
  };
  const wellFormed =
    Number.isSafeInteger(body.oldSize) &&
    body.oldSize >= 0 &&
    body.proof.length <= PROOF_HASHES_MAX &&
    body.proof.every(({ length }) => length === HASH_BYTES) &&
    formatAddCheckpoint(body) === text;
  if (!wellFormed) throw new LogFormatError('malformed-proof', 'this is not the body of an add-checkpoint request');
  readNote(Buffer.from(body.checkpoint, 'utf8'));
  return body;
}
