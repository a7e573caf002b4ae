import type { EntryReader } from '../check-tree/walk-leaves.ts';
import type { LogPieces, PieceProblem } from '../check-tree/log-pieces.ts';
import type { FaultCode, Findings, Place } from '../findings/findings.ts';
import { hexOf, sameBytes, sha256 } from '../merkle/hashes.ts';
import { offsetOf, pathOf, PIECE_WIDTH, widthOf } from '../merkle/pieces.ts';
import { FormatError } from '../notes/format-error.ts';
import { type LoggedEvent, readEvent } from '../records/event.ts';
import { type Leaf, parseLeaf } from '../records/leaf.ts';
import { factsOf, type LogName } from '../records/topics.ts';

/** Where the records of a log stand; plain data. */
export interface SavedRecords {
  readonly previous: number | undefined;
  readonly gaps: number;
  readonly valuesNamed: readonly string[];
  readonly indexMissing: boolean;
}

export interface RecordsOptions {
  readonly log: LogName;
  readonly size: number;
  readonly pieces: LogPieces;
  /** Called with every event that could be decoded, in the order of its log. */
  readonly onEvent: (event: LoggedEvent, place: Place) => void;
  readonly from?: SavedRecords;
}

/**
 * Checks the records of one log, entry by entry: each belongs here, follows the one before without an unexplained gap,
 * and is a valid event.
 *
 * Gaps: a topic that is kept for ever begins at offset 0 and has none. A log of a topic with limited life may begin
 * later. In a topic that others write, transactions leave offsets without records, so gaps are noted, not faults.
 */
export class RecordChecks implements EntryReader {
  /** Hashes, hex, of the values that leaves give by hash: the only files that may stand in `value/`. */
  readonly valuesNamed: Set<string>;
  private previous: number | undefined;
  private gaps: number;
  private indexMissing: boolean;
  private piece: { readonly index: number; readonly items: Uint8Array[] | PieceProblem } | undefined;

  constructor(
    private readonly options: RecordsOptions,
    private readonly findings: Findings,
  ) {
    const { from } = options;
    this.valuesNamed = new Set(from?.valuesNamed);
    this.previous = from?.previous;
    this.gaps = from?.gaps ?? 0;
    this.indexMissing = from?.indexMissing ?? false;
  }

  save(): SavedRecords {
    const { previous, gaps, indexMissing } = this;
    return { previous, gaps, indexMissing, valuesNamed: [...this.valuesNamed] };
  }

  async entry(bytes: Uint8Array, index: number): Promise<void> {
    const leaf = this.decode(bytes, index);
    if (leaf === undefined) {
      await this.skipped(index);
      return;
    }
    const { log } = this.options;
    const place: Place = { log: log.name, index, offset: leaf.offset };
    if (leaf.topic !== log.topic || leaf.partition !== log.partition) {
      this.fault('entry-of-another-log', place, 'the entry says that it belongs to another log');
    }
    await this.compareWithIndex(index, leaf.offset, place);
    this.follow(leaf.offset, place);
    const value = await this.valueOf(leaf, place);
    if (value !== 'missing') this.event(leaf, value, place);
  }

  /** Goes on after a leaf that cannot be read, as if its offset were the one the index says, which has to go on too. */
  async skipped(index: number): Promise<void> {
    const { log } = this.options;
    const expected = this.previous === undefined ? undefined : this.previous + 1;
    const offset = await this.indexed(index);
    if (offset === undefined) this.withoutIndex(index);
    else if (expected !== undefined && offset !== expected) {
      const place = { log: log.name, index, offset, file: this.fileOf('offsets', index) };
      this.fault('offset-index-changed', place, `the offset index does not go on with ${expected}`);
    }
    this.previous = offset ?? expected;
  }

  /** Checks the offsets of a log of which only hashes are kept; they are not part of what is signed. */
  async offsetsOnly(): Promise<void> {
    const { log, size } = this.options;
    for (let index = 0; index < size; index += 1) {
      const offset = await this.indexed(index);
      if (offset === undefined) this.withoutIndex(index);
      else this.follow(offset, { log: log.name, index, offset });
      if (this.indexMissing) return;
    }
  }

  /** Tells of what is not wrong but should be known. */
  close(): void {
    const { name } = this.options.log;
    if (this.gaps > 0)
      this.findings.note(`${name} has ${this.gaps} gaps in its offsets (commit markers of transactions)`);
    if (this.indexMissing)
      this.findings.note(`${name}: the server does not offer the offset index, so it was not checked`);
  }

  private decode(bytes: Uint8Array, index: number): Leaf | undefined {
    try {
      return parseLeaf(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      const place = { log: this.options.log.name, index, file: this.fileOf('entries', index) };
      this.fault('entry-malformed', place, `the entry is not a leaf encoding: ${error.message}`);
      return undefined;
    }
  }

  private async compareWithIndex(index: number, offset: number, place: Place): Promise<void> {
    const indexed = await this.indexed(index);
    if (indexed === offset) return;
    if (indexed === undefined) this.withoutIndex(index);
    else {
      const at = { ...place, file: this.fileOf('offsets', index) };
      this.fault('offset-index-changed', at, 'the offset index says another offset for this leaf');
    }
  }

  private withoutIndex(index: number): void {
    if (!this.options.pieces.source.lists && this.piece?.items === 'missing') {
      this.indexMissing = true;
      return;
    }
    const place = { log: this.options.log.name, index, file: this.fileOf('offsets', index) };
    this.fault('offset-index-changed', place, 'its offset is missing');
  }

  private follow(offset: number, place: Place): void {
    const { keptForEver, hashesOnly } = factsOf(this.options.log.topic);
    const expected = place.index === 0 ? (keptForEver ? 0 : offset) : (this.previous ?? offset - 1) + 1;
    if (offset < expected) this.fault('offset-order', place, `an offset of ${expected} or more was expected`);
    if (offset > expected && hashesOnly) this.gaps += 1;
    if (offset > expected && !hashesOnly) {
      this.fault('offset-gap', place, `records from offset ${expected} on are missing`);
    }
    this.previous = offset;
  }

  /** The offset of a leaf by the offset index. */
  private async indexed(index: number): Promise<number | undefined> {
    if (this.indexMissing) return undefined;
    const piece = Math.floor(index / PIECE_WIDTH);
    if (this.piece?.index !== piece) {
      const { pieces, size } = this.options;
      const width = widthOf(size, 0, piece);
      this.piece = { index: piece, items: await pieces.items({ kind: 'offsets', level: 0, index: piece, width }) };
    }
    const item = typeof this.piece.items === 'string' ? undefined : this.piece.items[index % PIECE_WIDTH];
    return item === undefined ? undefined : offsetOf(item);
  }

  /** The value of a leaf, fetched where the leaf gives it by hash. */
  private async valueOf({ value }: Leaf, place: Place): Promise<Uint8Array | null | 'missing'> {
    if (value === null || !('sha256' in value)) return value;
    const hex = hexOf(value.sha256);
    this.valuesNamed.add(hex);
    const at = { ...place, file: `value/${hex}` };
    const bytes = await this.options.pieces.value(hex);
    if (bytes === undefined) {
      this.fault('value-missing', at, 'its value is missing');
      return 'missing';
    }
    if (bytes.length === value.length && sameBytes(sha256(bytes), value.sha256)) return bytes;
    this.fault('value-changed', at, 'its value is not the one that was hashed');
    return 'missing';
  }

  private event(leaf: Leaf, value: Uint8Array | null, place: Place): void {
    const event = readEvent(leaf, value);
    if (event === 'unknown-type') this.findings.checked.unknownEvents += 1;
    else if ('problem' in event)
      this.fault('event-invalid', place, `the record is not a valid event: ${event.problem}`);
    else {
      this.findings.checked.events += 1;
      this.options.onEvent(event, place);
    }
  }

  private fileOf(kind: 'entries' | 'offsets', index: number): string {
    const piece = Math.floor(index / PIECE_WIDTH);
    return pathOf({ kind, level: 0, index: piece, width: widthOf(this.options.size, 0, piece) });
  }

  private fault(code: FaultCode, place: Place, text: string): void {
    this.findings.fault(code, place, text);
  }
}
