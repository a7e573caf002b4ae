import { type Checkpoint, formatCheckpoint, parseCheckpoint } from '@assent/merkle-log';

/** What an entry of the log of heads says about another log: its head, and from which leaf on its entries are kept. */
export interface BoundHead extends Checkpoint {
  /** A multiple of 256; 0 when all of them are. */
  readonly firstRetained: number;
  /** Partitions of the log's topic, as far as it is known. */
  readonly partitions?: number | undefined;
}

const RETAINED = /^first-retained (0|[1-9]\d{0,15})$/;
const PARTITIONS = /^partitions ([1-9]\d{0,9})$/;

/** The bytes of an entry; docs/formats/signed-heads.md describes them. */
export function encodeHeadEntry({ firstRetained, partitions, ...head }: BoundHead, at: string): Uint8Array {
  const ofTopic = partitions === undefined ? [] : [`partitions ${partitions}`];
  const extensions = [`at ${at}`, `first-retained ${firstRetained}`, ...ofTopic];
  return Buffer.from(formatCheckpoint({ ...head, extensions }), 'utf8');
}

/**
 * Reads an entry. One without a `first-retained` or a `partitions` line was written before there was one.
 * @throws LogFormatError `malformed-checkpoint`
 */
export function decodeHeadEntry(entry: Uint8Array): BoundHead {
  const head = parseCheckpoint(Buffer.from(entry).toString('utf8'));
  const [, retained = '', ofTopic = ''] = head.extensions;
  const partitions = PARTITIONS.exec(ofTopic)?.[1];
  return {
    ...head,
    firstRetained: Number(RETAINED.exec(retained)?.[1] ?? 0),
    partitions: partitions === undefined ? undefined : Number(partitions),
  };
}
