import { HASH_BYTES, type Hash } from '../merkle/hashes.ts';
import { FormatError } from './format-error.ts';

/** The text of a C2SP tlog-checkpoint. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Hash;
  readonly extensions: readonly string[];
}

/**
 * Reads the text of a checkpoint: origin, size and root on a line each, then extension lines.
 * @throws FormatError for anything else, another spelling of the same numbers included
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin = '', sizeText = '', rootText = '', ...rest] = lines;
  const root = Buffer.from(rootText, 'base64');
  const extensions = rest.slice(0, -1);
  const wellFormed =
    rest.at(-1) === '' &&
    origin !== '' &&
    /^(0|[1-9]\d{0,15})$/.test(sizeText) &&
    Number.isSafeInteger(Number(sizeText)) &&
    root.length === HASH_BYTES &&
    root.toString('base64') === rootText &&
    !extensions.includes('');
  if (!wellFormed) throw new FormatError('this is not the text of a checkpoint');
  return { origin, size: Number(sizeText), root, extensions };
}
