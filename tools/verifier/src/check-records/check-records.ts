import type { EntryReader } from '../check-tree/walk-leaves.ts';
import type { LogPieces, PieceProblem } from '../check-tree/log-pieces.ts';
import type { FaultCode, Findings, Place } from '../findings/findings.ts';
import { hexOf, sameBytes, sha256 } from '../merkle/hashes.ts';
import { offsetOf, pathOf, PIECE_WIDTH, widthOf } from '../merkle/pieces.ts';
import { FormatError } from '../notes/format-error.ts';
import { type LoggedEvent, readEvent } from '../records/event.ts';
import { type Leaf, parseLeaf } from '../records/leaf.ts';
import { partitionOf } from '../records/partition.ts';
import { factsOf, type LogName } from '../records/topics.ts';

/** Values kept apart whose names are remembered: 64 characters each, of values over 64 KB. */
const VALUES_NAMED_MAX = 100_000;

/** Where the records of a log stand; plain data. */
export interface SavedRecords {
  readonly previous: number | undefined;
  readonly gaps: number;
  readonly valuesNamed: readonly string[] | undefined;
  readonly indexMissing: boolean;
}

export interface RecordsOptions {
  readonly log: LogName;
  readonly size: number;
  readonly pieces: LogPieces;
  /** How many partitions its topic has; undefined when that is not known. */
  readonly partitions: number | undefined;
  /** Called with every event that could be decoded, in the order of its log. */
  readonly onEvent: (event: LoggedEvent, place: Place) => void;
  readonly from?: SavedRecords;
}

/**
 * Checks the records of one log, entry by entry: each belongs here by its place and by its key, follows the one before
 * without an unexplained gap, and is a valid event.
 *
 * Gaps: a topic that is kept for ever begins at offset 0 and has none. A log of a topic with limited life may begin
 * later. In a topic that others write, transactions leave offsets without records, so gaps are noted, not faults.
 */
export class RecordChecks implements EntryReader {
  /** Hashes, hex, of the values that leaves give by hash; undefined when they are too many to remember. */
  valuesNamed: Set<string> | undefined;
  private previous: number | undefined;
  private gaps: number;
  private indexMissing: boolean;
  private piece: { readonly index: number; readonly items: Uint8Array[] | PieceProblem } | undefined;

  constructor(
    private readonly options: RecordsOptions,
    private readonly findings: Findings,
  ) {
    const { from } = options;
    this.valuesNamed = from !== undefined && from.valuesNamed === undefined ? undefined : new Set(from?.valuesNamed);
    this.previous = from?.previous;
    this.gaps = from?.gaps ?? 0;
    this.indexMissing = from?.indexMissing ?? false;
  }

  save(): SavedRecords {
    const { previous, gaps, indexMissing } = this;
    const valuesNamed = this.valuesNamed && [...this.valuesNamed];
    return { previous, gaps, indexMissing, valuesNamed };
  }

  async entry(bytes: Uint8Array, index: number): Promise<void> {
    const leaf = this.decode(bytes, index);
    if (leaf === undefined) {
      await this.skipped(index);
      return;
    }
    if (!this.holdsIndexOf(index)) await this.readIndexOf(index);
    const { log } = this.options;
    const place: Place = { log: log.name, index, offset: leaf.offset };
    if (leaf.topic !== log.topic || leaf.partition !== log.partition) {
      this.fault('entry-of-another-log', place, 'the entry says that it belongs to another log');
    }
    this.belongsHere(leaf, place);
    this.compareWithIndex(index, leaf.offset, place);
    this.follow(leaf.offset, place);
    const value =
      leaf.value !== null && 'sha256' in leaf.value ? await this.valueKeptApart(leaf.value, place) : leaf.value;
    if (value !== 'missing') this.event(leaf, value, place);
  }

  /** Goes on after a leaf that cannot be read, as if its offset were the one the index says, which has to go on too. */
  async skipped(index: number): Promise<void> {
    const { log } = this.options;
    const expected = this.previous === undefined ? undefined : this.previous + 1;
    if (!this.holdsIndexOf(index)) await this.readIndexOf(index);
    const offset = this.indexed(index);
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
      if (!this.holdsIndexOf(index)) await this.readIndexOf(index);
      const offset = this.indexed(index);
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

  /** By its key; what has none is no valid event. */
  private belongsHere({ key }: Leaf, place: Place): void {
    const { log, partitions } = this.options;
    if (key === null || partitions === undefined) return;
    const partition = partitionOf(key, partitions);
    if (partition === log.partition) return;
    const text = `its key belongs to partition ${partition} of the ${partitions} that its topic has`;
    this.fault('record-misplaced', place, text);
  }

  private compareWithIndex(index: number, offset: number, place: Place): void {
    const indexed = this.indexed(index);
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

  /** Whether the piece of the offset index that has this leaf was read, or none is wanted. */
  private holdsIndexOf(index: number): boolean {
    return this.indexMissing || this.piece?.index === Math.floor(index / PIECE_WIDTH);
  }

  private async readIndexOf(leaf: number): Promise<void> {
    const { pieces, size } = this.options;
    const index = Math.floor(leaf / PIECE_WIDTH);
    const width = widthOf(size, 0, index);
    this.piece = { index, items: await pieces.items({ kind: 'offsets', level: 0, index, width }) };
  }

  /** The offset of a leaf by the piece of the offset index that was read. */
  private indexed(index: number): number | undefined {
    if (this.indexMissing || this.piece === undefined || typeof this.piece.items === 'string') return undefined;
    const item = this.piece.items[index % PIECE_WIDTH];
    return item === undefined ? undefined : offsetOf(item);
  }

  /** The value of a leaf that gives it by hash. */
  private async valueKeptApart(
    value: { readonly length: number; readonly sha256: Uint8Array },
    place: Place,
  ): Promise<Uint8Array | 'missing'> {
    const hex = hexOf(value.sha256);
    this.valuesNamed?.add(hex);
    if ((this.valuesNamed?.size ?? 0) > VALUES_NAMED_MAX) this.valuesNamed = undefined;
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
    if ('unknownType' in event) {
      this.findings.checked.unknownEvents += 1;
      this.findings.unchecked('event-type-unknown', place, `events of the type ${event.unknownType}, from here on`);
    } else if ('problem' in event)
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
