/** Where a record stands in the log. */
export interface Position {
  topic: string;
  /** 0 to 2^31 - 1 */
  partition: number;
  /** 0 to 2^53 - 1 */
  offset: number;
}

const PARTITION_MAX = 2 ** 31 - 1; // Kafka's partition is an int32.
const TOKEN = /^([A-Za-z0-9._-]{1,249})\/(0|[1-9][0-9]{0,9})@(0|[1-9][0-9]{0,15})$/; // 249: Kafka's longest topic name.

/** The text or the numbers are no position. Never carries the text: it may come from a caller. */
export class PositionError extends Error {
  override readonly name = 'PositionError';
  readonly code = 'malformed-position';
  constructor() {
    super('not a position of the form topic/partition@offset');
  }
}

/** `consent.events/3@1234`. Throws PositionError when a part is out of range. `parsePosition` gives the same position back. */
export function formatPosition(position: Position): string {
  const token = `${position.topic}/${String(position.partition)}@${String(position.offset)}`;
  parsePosition(token);
  return token;
}

/**
 * Reads `topic/partition@offset`. There is exactly one text for each position: no spaces, signs, leading zeros or
 * exponents. Throws PositionError for everything else. The topic need not be one of ours.
 */
export function parsePosition(token: string): Position {
  const [, topic, partitionText, offsetText] = TOKEN.exec(token) ?? [];
  const partition = Number(partitionText);
  const offset = Number(offsetText);
  if (topic === undefined || partition > PARTITION_MAX || !Number.isSafeInteger(offset)) throw new PositionError();
  return { topic, partition, offset };
}
