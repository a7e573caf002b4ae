import { itemsOf, type Piece, PIECE_BYTES_MAX, PIECE_WIDTH, pathOf } from '../merkle/pieces.ts';
import { type Source, SourceError } from '../sources/source.ts';

/** Largest value that a leaf gives by hash: a Kafka record of the largest size and to spare. */
const VALUE_BYTES_MAX = 16_777_216;

/** Why a piece of a log cannot be used. */
export type PieceProblem = 'missing' | 'malformed';

/** The tiles, entries and offsets of one log, each in the width that a tree size needs. */
export class LogPieces {
  constructor(
    readonly source: Source,
    /** The log's folder below the source. */
    readonly prefix: string,
  ) {}

  /** The first `width` items of a piece: from a file of that width, else from a wider one, which begins with them. */
  async items(piece: Piece): Promise<Uint8Array[] | PieceProblem> {
    for (const width of await this.widths(piece)) {
      const bytes = await this.bytes({ ...piece, width });
      if (bytes === undefined) continue;
      const items = bytes === 'too-large' ? undefined : itemsOf(piece.kind, bytes);
      return items?.length === width ? items.slice(0, piece.width) : 'malformed';
    }
    return 'missing';
  }

  /** A value that its leaf gives by hash. */
  value(sha256Hex: string): Promise<Uint8Array | undefined> {
    return this.source.read(`${this.prefix}/value/${sha256Hex}`, VALUE_BYTES_MAX);
  }

  private async bytes(piece: Piece): Promise<Uint8Array | 'too-large' | undefined> {
    try {
      return await this.source.read(`${this.prefix}/${pathOf(piece)}`, PIECE_BYTES_MAX[piece.kind]);
    } catch (error) {
      if (error instanceof SourceError && error.code === 'too-large') return 'too-large';
      throw error;
    }
  }

  /** The widths to try, one at a time: a folder is looked into only when it is needed. */
  private async widths(piece: Piece): Promise<number[]> {
    if (piece.width === PIECE_WIDTH) return [PIECE_WIDTH];
    const widths = [piece.width, PIECE_WIDTH];
    if (!this.source.lists || (await this.exists(piece))) return widths;
    const folder = `${this.prefix}/${pathOf({ ...piece, width: PIECE_WIDTH })}.p`;
    for await (const { name } of this.source.list(folder)) {
      const width = Number(name);
      if (Number.isInteger(width) && width > piece.width && width < PIECE_WIDTH) widths.push(width);
    }
    return [piece.width, PIECE_WIDTH, ...widths.slice(2).sort((a, b) => a - b)];
  }

  private async exists(piece: Piece): Promise<boolean> {
    const name = String(piece.width);
    const folder = `${this.prefix}/${pathOf({ ...piece, width: PIECE_WIDTH })}.p`;
    for await (const listed of this.source.list(folder)) if (listed.name === name) return true;
    return false;
  }
}
