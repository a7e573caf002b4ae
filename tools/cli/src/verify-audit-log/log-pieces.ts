import {
  BUNDLE_BYTES_MAX,
  bundlePath,
  decodeBundle,
  decodeTile,
  type Hash,
  HASH_BYTES,
  indexedPath,
  LogFormatError,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from '@assent/merkle-log';
import { type AuditFolder, FolderError } from './audit-folder.ts';

const OFFSET_BYTES = 8;
/** Largest value that a leaf gives by hash: a Kafka record of the largest size and to spare. */
const VALUE_BYTES_MAX = 16_777_216;

/** Why a piece of a log cannot be used. */
export type PieceProblem = 'missing' | 'malformed';

/** The tiles, entries and offsets of one log, each in the width that a tree size needs. */
export class LogPieces {
  constructor(
    private readonly folder: AuditFolder,
    /** The log's folder below the audit folder. */
    readonly prefix: string,
  ) {}

  /** The first `tile.width` hashes of a tile. */
  async tile(tile: Tile): Promise<Hash[] | PieceProblem> {
    const path = (width: number): string => tilePath({ ...tile, width });
    return this.piece(path, tile.width, TILE_WIDTH * HASH_BYTES, decodeTile);
  }

  /** The first `width` entries of a bundle. */
  bundle(index: number, width: number): Promise<Uint8Array[] | PieceProblem> {
    return this.piece((w) => bundlePath(index, w), width, BUNDLE_BYTES_MAX, decodeBundle);
  }

  /** The first `width` offsets of a piece of the offset index. */
  offsets(index: number, width: number): Promise<number[] | PieceProblem> {
    return this.piece((w) => `offsets/${indexedPath(index, w)}`, width, TILE_WIDTH * OFFSET_BYTES, decodeOffsets);
  }

  /** A value that its leaf gives by hash. */
  value(sha256Hex: string): Promise<Uint8Array | undefined> {
    return this.folder.read(`${this.prefix}/value/${sha256Hex}`, VALUE_BYTES_MAX);
  }

  private async piece<T>(
    path: (width: number) => string,
    width: number,
    bytesMax: number,
    decode: (bytes: Uint8Array) => T[],
  ): Promise<T[] | PieceProblem> {
    try {
      const found = await this.find(path, width, bytesMax);
      if (found === undefined) return 'missing';
      const items = decode(found.bytes);
      return items.length === found.width ? items.slice(0, width) : 'malformed';
    } catch (error) {
      if (error instanceof LogFormatError || (error instanceof FolderError && error.code === 'too-large')) {
        return 'malformed';
      }
      throw error;
    }
  }

  /** The piece as wide as asked for, else the full one, else the narrowest that is wide enough. */
  private async find(
    path: (width: number) => string,
    width: number,
    bytesMax: number,
  ): Promise<{ bytes: Uint8Array; width: number } | undefined> {
    const partials = width === TILE_WIDTH ? [] : await this.folder.list(`${this.prefix}/${path(TILE_WIDTH)}.p`);
    const wider = partials.map(({ name }) => Number(name)).filter((w) => Number.isInteger(w) && w > width);
    for (const candidate of [width, TILE_WIDTH, ...wider.sort((a, b) => a - b)]) {
      const bytes = await this.folder.read(`${this.prefix}/${path(candidate)}`, bytesMax);
      if (bytes !== undefined) return { bytes, width: candidate };
    }
    return undefined;
  }
}

function decodeOffsets(bytes: Uint8Array): number[] {
  if (bytes.length % OFFSET_BYTES !== 0) throw new LogFormatError('malformed-tile', 'half an offset');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / OFFSET_BYTES }, (_, i) => Number(view.readBigUInt64BE(i * OFFSET_BYTES)));
}
