export type MerkleLogCode =
  /** Another process took the log over; this one must not write any more. The transport knows this code: it takes anew. */
  | 'stale-owner'
  /** The folder does not hold what its own checkpoint says. Nothing is written until a person has looked. */
  | 'log-damaged'
  /** A record of a topic that is kept for ever is missing between two others. */
  | 'offset-gap'
  /** The signing key is missing, readable by others, or of another kind. */
  | 'signing-key-unusable';

/** The message names logs, sizes and paths, never content. */
export class MerkleLogError extends Error {
  override readonly name = 'MerkleLogError';
  constructor(
    readonly code: MerkleLogCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
