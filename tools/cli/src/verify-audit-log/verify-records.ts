import {
  decodeEvent,
  EventDecodeError,
  type LogRecord,
  type RecordedEvent,
  TOPICS,
  type TopicName,
  UnknownEventTypeError,
} from '@assent/contracts';
import { decodeLeaf, type DecodedLeaf, LogFormatError, sha256, TILE_WIDTH } from '@assent/merkle-log';
import type { LogPieces, PieceProblem } from './log-pieces.ts';
import type { FaultCode, Findings } from './verify-result.ts';
import type { EntryReader } from './verify-tree.ts';

/** A log, and how many of its leaves are checked. */
export interface CheckedLog {
  readonly name: string;
  readonly topic: TopicName;
  readonly partition: number;
  readonly size: number;
  readonly pieces: LogPieces;
}

/** Called with every event that could be decoded, in the order of its log. */
export type OnEvent = (event: RecordedEvent, where: string) => void;

/**
 * Checks the records of one log, entry by entry: each belongs here, follows the one before without an unexplained gap,
 * and is a valid event.
 *
 * Gaps: a topic that is kept for ever begins at offset 0 and has none. A log of a topic with limited life may begin
 * later. In a topic that others write, transactions leave offsets without records, so gaps are noted, not faults.
 */
export class RecordChecks implements EntryReader {
  /** Hashes, hex, of the values that leaves give by hash: the only files that may stand in `value/`. */
  readonly valuesNamed = new Set<string>();
  private previous: number | undefined;
  private gaps = 0;
  private piece: { readonly index: number; readonly offsets: readonly number[] | PieceProblem } | undefined;

  constructor(
    private readonly log: CheckedLog,
    private readonly findings: Findings,
    private readonly onEvent: OnEvent,
  ) {}

  async entry(bytes: Uint8Array, index: number): Promise<void> {
    const leaf = this.decode(bytes, index);
    if (leaf === undefined) return this.skipped(index);
    const where = `${this.log.name} index ${index}, offset ${leaf.offset}`;
    if (leaf.topic !== this.log.topic || leaf.partition !== this.log.partition) {
      this.fault('entry-of-another-log', where, 'the entry says that it belongs to another log');
    }
    if ((await this.indexed(index)) !== leaf.offset) {
      this.fault('offset-index-changed', where, 'the offset index says another offset for this leaf');
    }
    this.follow(leaf.offset, index, where);
    const value = await this.valueOf(leaf, where);
    const headers = leaf.headers.map((header) => ({ name: header.name, value: header.value ?? new Uint8Array() }));
    if (value !== 'missing') this.event({ ...leaf, headers, value }, where);
  }

  /** Goes on after a leaf that cannot be read, as if its offset were the one the index says. */
  async skipped(index: number): Promise<void> {
    this.previous = (await this.indexed(index)) ?? (this.previous ?? -1) + 1;
  }

  /** Checks the offsets of a log of which only hashes are kept; they are not part of what is signed. */
  async offsetsOnly(): Promise<void> {
    for (let index = 0; index < this.log.size; index += 1) {
      const offset = await this.indexed(index);
      const where = `${this.log.name} index ${index}`;
      if (offset === undefined) this.fault('offset-index-changed', where, 'its offset is missing');
      else this.follow(offset, index, `${where}, offset ${offset}`);
    }
  }

  /** Tells of what is not wrong but should be known. */
  close(): void {
    if (this.gaps === 0) return;
    this.findings.note(`${this.log.name} has ${this.gaps} gaps in its offsets (commit markers of transactions)`);
  }

  private decode(bytes: Uint8Array, index: number): DecodedLeaf | undefined {
    try {
      return decodeLeaf(bytes);
    } catch (error) {
      if (!(error instanceof LogFormatError)) throw error;
      this.fault(
        'entry-malformed',
        `${this.log.name} index ${index}`,
        `the entry is not a leaf encoding: ${error.message}`,
      );
      return undefined;
    }
  }

  private follow(offset: number, index: number, where: string): void {
    const { keptForEver, owner } = TOPICS[this.log.topic];
    const expected = index === 0 ? (keptForEver ? 0 : offset) : (this.previous ?? offset - 1) + 1;
    if (offset < expected) this.fault('offset-order', where, `an offset of ${expected} or more was expected`);
    if (offset > expected && owner === 'platform-teams') this.gaps += 1;
    if (offset > expected && owner !== 'platform-teams') {
      this.fault('offset-gap', where, `records from offset ${expected} on are missing`);
    }
    this.previous = offset;
  }

  /** The offset of a leaf by the offset index. */
  private async indexed(index: number): Promise<number | undefined> {
    const piece = Math.floor(index / TILE_WIDTH);
    if (this.piece?.index !== piece) {
      const width = Math.min(TILE_WIDTH, this.log.size - piece * TILE_WIDTH);
      this.piece = { index: piece, offsets: await this.log.pieces.offsets(piece, width) };
    }
    return typeof this.piece.offsets === 'string' ? undefined : this.piece.offsets[index % TILE_WIDTH];
  }

  /** The value of a leaf, fetched where the leaf gives it by hash. */
  private async valueOf({ value }: DecodedLeaf, where: string): Promise<Uint8Array | null | 'missing'> {
    if (value.form === 'null') return null;
    if (value.form === 'inline') return value.bytes;
    const hex = Buffer.from(value.sha256).toString('hex');
    this.valuesNamed.add(hex);
    const bytes = await this.log.pieces.value(hex);
    if (bytes === undefined) {
      this.fault('value-missing', where, `its value, value/${hex}, is missing`);
      return 'missing';
    }
    if (bytes.length === value.length && Buffer.from(sha256(bytes)).toString('hex') === hex) return bytes;
    this.fault('value-changed', where, `its value, value/${hex}, is not the one that was hashed`);
    return 'missing';
  }

  private event(record: LogRecord, where: string): void {
    try {
      const event = decodeEvent(record);
      this.findings.checked.events += 1;
      this.onEvent(event, where);
    } catch (error) {
      if (error instanceof UnknownEventTypeError) this.findings.checked.unknownEvents += 1;
      else if (error instanceof EventDecodeError)
        this.fault('event-invalid', where, `the record is not a valid event (${error.code})`);
      else throw error;
    }
  }

  private fault(code: FaultCode, where: string, text: string): void {
    this.findings.fault(this.log.name, code, where, text);
  }
}
