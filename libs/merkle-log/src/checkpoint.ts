import { LogFormatError } from './errors.ts';
import { HASH_BYTES, type Hash } from './hashing.ts';
import { type NoteSigner, type NoteVerifier, openNote, signNote } from './signed-note.ts';

/** The text of a C2SP tlog-checkpoint: which log, how many leaves, which root. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
  /** Extension lines, none of them empty; the checkpoints of this project's own logs have none. */
  readonly extensions: readonly string[];
}

/** The note text: origin, size and root on a line each, then the extension lines. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  return [origin, String(size), Buffer.from(root).toString('base64'), ...extensions, ''].join('\n');
}

/**
 * Reads a note text written by `formatCheckpoint`; another spelling of the same numbers is refused.
 * @throws LogFormatError `malformed-checkpoint`
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.split('\n').slice(0, -1);
  const checkpoint = {
    origin,
    size: Number(sizeText),
    root: new Uint8Array(Buffer.from(rootText, 'base64')),
    extensions,
  };
  const wellFormed =
    origin !== '' &&
    Number.isSafeInteger(checkpoint.size) &&
    checkpoint.size >= 0 &&
    checkpoint.root.length === HASH_BYTES &&
    !extensions.includes('') &&
    formatCheckpoint(checkpoint) === text;
  if (!wellFormed) throw new LogFormatError('malformed-checkpoint', 'this is not the text of a checkpoint');
  return checkpoint;
}

/** A signed checkpoint, as the file `checkpoint` of a log holds it. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/**
 * Reads a signed checkpoint and checks its signature and that it is the one of `origin`.
 * @throws LogFormatError as `openNote` and `parseCheckpoint` do, `malformed-checkpoint` for another log's checkpoint
 */
export function openCheckpoint(note: Uint8Array, origin: string, verifiers: readonly NoteVerifier[]): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, verifiers).text);
  if (checkpoint.origin !== origin) {
    throw new LogFormatError('malformed-checkpoint', `this is the checkpoint of another log than ${origin}`);
  }
  return checkpoint;
}
