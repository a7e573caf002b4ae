import { PIECE_WIDTH } from '../merkle/pieces.ts';
import { type Checkpoint, parseCheckpoint } from '../notes/checkpoint.ts';
import { FormatError } from '../notes/format-error.ts';
import { utf8Of } from '../notes/signed-note.ts';

/** A head of a log as the log of heads has it: docs/formats/signed-heads.md. */
export interface HeadEntry extends Checkpoint {
  /** Name of the log, `consent.events/3`. */
  readonly name: string;
  /** First leaf whose entry is kept. */
  readonly firstRetained: number;
  /** Partitions of the log's topic; undefined in entries that were written before there was such a line. */
  readonly partitions: number | undefined;
}

/** @throws FormatError */
export function parseHeadEntry(entry: Uint8Array, origin: string): HeadEntry {
  const checkpoint = parseCheckpoint(utf8Of(entry));
  const [at = '', retained, ofTopic, ...more] = checkpoint.extensions;
  const firstRetained = retained === undefined ? 0 : Number(/^first-retained (0|[1-9]\d{0,15})$/.exec(retained)?.[1]);
  const partitions = ofTopic === undefined ? undefined : Number(/^partitions ([1-9]\d{0,9})$/.exec(ofTopic)?.[1]);
  const wellFormed =
    checkpoint.origin.startsWith(`${origin}/`) &&
    /^at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) &&
    Number.isSafeInteger(firstRetained) &&
    firstRetained % PIECE_WIDTH === 0 &&
    firstRetained <= checkpoint.size &&
    (partitions === undefined || Number.isSafeInteger(partitions)) &&
    more.length === 0;
  if (!wellFormed) throw new FormatError('the entry is not the head of a log');
  return { ...checkpoint, name: checkpoint.origin.slice(origin.length + 1), firstRetained, partitions };
}
