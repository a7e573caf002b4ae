import type { Findings } from '../findings/findings.ts';
import { type Checkpoint, parseCheckpoint } from '../notes/checkpoint.ts';
import { FormatError, ifWellFormed } from '../notes/format-error.ts';
import { type Note, NOTE_BYTES_MAX, type NoteKey, parseNote, signedBy } from '../notes/signed-note.ts';
import { type Source, SourceError } from '../sources/source.ts';
import type { KeyChain } from './key-chain.ts';

/** A checkpoint whose signatures hold, and the note it stands in. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note;
  readonly bytes: Uint8Array;
}

/**
 * Opens a checkpoint of a log: the right origin, signed by the key that has to, and no signature by a key of the chain
 * that does not fit.
 * @throws FormatError with what is wrong
 */
export function openCheckpoint(bytes: Uint8Array, name: string, chain: KeyChain): SignedCheckpoint {
  const note = parseNote(bytes);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== `${chain.origin}/${name}`) throw new FormatError('it is the checkpoint of another log');
  const keys = chain.under(name);
  const signed = keys.filter((key) => isSigned(note, key));
  const needed = name === 'heads' ? chain.signerOf(checkpoint.size) : signed[0];
  const ids = keys.map(({ id }) => id);
  const isStrange = note.signatures.some(({ name: by, keyId }) => by === checkpoint.origin && !ids.includes(keyId));
  if (chain.isWhole && isStrange)
    throw new FormatError('it is signed under its own name by a key that is not in the chain');
  if (needed === undefined || signed.length === 0) throw new FormatError('it is not signed by a key that counts');
  if (!signed.some(({ id }) => id === needed.id)) throw new FormatError('it is signed by a retired key only');
  return { ...checkpoint, note, bytes };
}

/** @throws FormatError for a signature by the key that does not fit */
function isSigned(note: Note, key: NoteKey): boolean {
  const { is } = signedBy(note, key);
  if (is === 'invalid') throw new FormatError(`the signature of ${key.name} does not fit`);
  return is === 'valid';
}

/** Reads a log's checkpoint and checks it; undefined, and a fault, when there is none that holds. @throws SourceError */
export async function readCheckpoint(
  source: Source,
  name: string,
  prefix: string,
  chain: KeyChain,
  findings: Findings,
): Promise<SignedCheckpoint | undefined> {
  const place = { log: name, file: 'checkpoint' };
  const bytes = await readNote(source, `${prefix}/checkpoint`);
  if (bytes === undefined) {
    findings.fault('checkpoint-missing', place, 'there is no checkpoint');
    return undefined;
  }
  return checkedCheckpoint(bytes, name, chain, place.file, findings);
}

/** Opens a checkpoint; undefined, and a fault, when it does not hold. */
export function checkedCheckpoint(
  bytes: Uint8Array,
  name: string,
  chain: KeyChain,
  file: string,
  findings: Findings,
): SignedCheckpoint | undefined {
  try {
    const checkpoint = openCheckpoint(bytes, name, chain);
    findings.checked.checkpoints += 1;
    return checkpoint;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault('checkpoint-invalid', { log: name, file }, `the checkpoint does not hold: ${error.message}`);
    return undefined;
  }
}

/** The bytes of a note; one that is too long is as good as one that is malformed. @throws SourceError */
export async function readNote(source: Source, path: string): Promise<Uint8Array | undefined> {
  try {
    return await source.read(path, NOTE_BYTES_MAX);
  } catch (error) {
    if (error instanceof SourceError && error.code === 'too-large') return new Uint8Array();
    throw error;
  }
}

/** The checkpoint in a note whose signatures nobody checks. */
export function unsignedCheckpoint(bytes: Uint8Array): Checkpoint | undefined {
  return ifWellFormed(() => parseCheckpoint(parseNote(bytes).text));
}
