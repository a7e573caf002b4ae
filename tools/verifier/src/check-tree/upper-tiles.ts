import { type Hash, hexOf, sameBytes } from '../merkle/hashes.ts';
import { hashesOfLevel, pathOf, type Piece, PIECE_WIDTH } from '../merkle/pieces.ts';
import type { LogPieces } from './log-pieces.ts';

/** A hash of a tile that is not the root of the tile below it. */
export interface Mismatch {
  /** The tile that holds the hash. */
  readonly upper: string;
  /** The tile below, whose root it should be. */
  readonly lower: string;
}

/** What the tiles above the leaves were found to be. */
export interface UpperTilesFound {
  checked: number;
  readonly missing: string[];
  readonly mismatches: Mismatch[];
}

/** By level, from 1: the hashes of the tile that is not full yet, in hex. */
export type SavedUpperTiles = readonly (readonly string[])[];

/**
 * Compares every tile above the leaves with what the leaves give. Keeps one tile for each level. A full tile is compared
 * as soon as the leaves below it are through, the ones at the right edge at the end.
 */
export class UpperTiles {
  private readonly edges: Hash[][];
  private readonly full: { piece: Piece; hashes: readonly Hash[] }[] = [];

  constructor(
    private readonly pieces: LogPieces,
    private readonly size: number,
    saved: SavedUpperTiles = [],
  ) {
    this.edges = saved.map((hashes) => hashes.map((hex) => Buffer.from(hex, 'hex')));
  }

  /** The next hash of a tile of this level. */
  add(level: number, hash: Hash, leaves: number): void {
    const edge = (this.edges[level - 1] ??= []);
    edge.push(hash);
    if (edge.length < PIECE_WIDTH) return;
    const index = Math.ceil(hashesOfLevel(leaves, level) / PIECE_WIDTH) - 1;
    this.full.push({ piece: { kind: 'tile', level, index, width: PIECE_WIDTH }, hashes: edge });
    this.edges[level - 1] = [];
  }

  /** Compares the tiles that became full. */
  async compareFull(found: UpperTilesFound): Promise<void> {
    for (const { piece, hashes } of this.full.splice(0)) await this.compare(piece, hashes, found);
  }

  /** Compares the tiles of the right edge. */
  async compareEdge(found: UpperTilesFound): Promise<void> {
    for (const [i, hashes] of this.edges.entries()) {
      const level = i + 1;
      const index = Math.floor(hashesOfLevel(this.size, level) / PIECE_WIDTH);
      if (hashes.length > 0) await this.compare({ kind: 'tile', level, index, width: hashes.length }, hashes, found);
    }
  }

  save(): SavedUpperTiles {
    return Array.from(this.edges, (hashes) => (hashes as Hash[] | undefined)?.map(hexOf) ?? []);
  }

  private async compare(piece: Piece, hashes: readonly Hash[], found: UpperTilesFound): Promise<void> {
    const there = await this.pieces.items(piece);
    if (typeof there === 'string') {
      found.missing.push(pathOf(piece));
      return;
    }
    found.checked += 1;
    const at = hashes.findIndex((hash, i) => !sameBytes(hash, there[i] ?? new Uint8Array()));
    if (at < 0) return;
    const level = piece.level - 1;
    const lower = { kind: 'tile' as const, level, index: piece.index * PIECE_WIDTH + at, width: PIECE_WIDTH };
    found.mismatches.push({ upper: pathOf(piece), lower: pathOf(lower) });
  }
}
