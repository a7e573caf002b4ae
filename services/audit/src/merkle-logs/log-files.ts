import {
  bundlePath,
  type Checkpoint,
  decodeBundle,
  HASH_BYTES,
  hashesAtLevel,
  indexedPath,
  parseCheckpoint,
  readNote,
  type Tile,
  TILE_WIDTH,
  tilePath,
  TileTree,
} from '@assent/merkle-log';
import type { LogReader } from './log-store.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** Bytes of an offset in the offset index: a big-endian uint64. */
const OFFSET_BYTES = 8;

/** A piece goes when a wider one is signed, also between a look at what is there and reading it: then look again. */
const LOOKS_MAX = 3;

/** Path of a piece of the offset index below the log's prefix; it is cut as entry bundles are. */
export function offsetsPath(index: number, width: number): string {
  return `offsets/${indexedPath(index, width)}`;
}

/** Path, below the log's prefix, of a value that its leaf gives by hash only. */
export function valuePath(sha256: Uint8Array): string {
  return `value/${Buffer.from(sha256).toString('hex')}`;
}

export function encodeOffsets(offsets: readonly number[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(offsets.length * OFFSET_BYTES);
  for (const [i, offset] of offsets.entries()) bytes.writeBigUInt64BE(BigInt(offset), i * OFFSET_BYTES);
  return bytes;
}

function decodeOffsets(bytes: Uint8Array): number[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(view.length / OFFSET_BYTES) }, (_, i) =>
    Number(view.readBigUInt64BE(i * OFFSET_BYTES)),
  );
}

/**
 * The objects of one log, read. A tile, bundle or piece of the offset index is asked for in the width a tree size needs;
 * the store may hold a wider one meanwhile. The next wider one begins with the same items. A wider one than that may be
 * of leaves that a crashed process never signed; in the log of heads those are not the ones that came later.
 */
export class LogFiles {
  constructor(
    private readonly store: LogReader,
    private readonly prefix: string,
  ) {}

  /** The signed checkpoint; undefined for a log that has none yet. */
  checkpoint(): Promise<Uint8Array | undefined> {
    return this.store.read(`${this.prefix}/checkpoint`);
  }

  /** When the checkpoint was written, epoch milliseconds. */
  signedAtMs(): Promise<number | undefined> {
    return this.store.modifiedAtMs(`${this.prefix}/checkpoint`);
  }

  /** The first `tile.width` hashes of a tile, one after the other. */
  async tile(tile: Tile): Promise<Uint8Array> {
    const bytes = await this.piece((width) => tilePath({ ...tile, width }), tile.width);
    return bytes.subarray(0, tile.width * HASH_BYTES);
  }

  /** The first `width` entries of a bundle. */
  async bundle(index: number, width: number): Promise<Uint8Array[]> {
    return decodeBundle(await this.piece((w) => bundlePath(index, w), width)).slice(0, width);
  }

  /** Whether a full bundle is there; old ones can be pruned. */
  async hasBundle(index: number): Promise<boolean> {
    return (await this.store.modifiedAtMs(`${this.prefix}/${bundlePath(index, TILE_WIDTH)}`)) !== undefined;
  }

  /** The offsets of the first `width` leaves from leaf `256 × index` on. */
  async offsets(index: number, width: number): Promise<number[]> {
    return decodeOffsets(await this.piece((w) => offsetsPath(index, w), width)).slice(0, width);
  }

  /** The checkpoint's text, its signature not checked: the folder is the service's own. Undefined before the first. */
  async head(): Promise<Checkpoint | undefined> {
    return headOf(await this.checkpoint());
  }

  /** The newest checkpoint of the log of heads that reached the quorum of witnesses; undefined when none did. */
  cosignedCheckpoint(): Promise<Uint8Array | undefined> {
    return this.store.read(`${this.prefix}/cosigned-checkpoint`);
  }

  /** Its text, as `head`. */
  async cosignedHead(): Promise<Checkpoint | undefined> {
    return headOf(await this.cosignedCheckpoint());
  }

  /** The first offset that no signed leaf has; 0 for a log without leaves. */
  async nextOffset(): Promise<number> {
    const size = (await this.head())?.size ?? 0;
    return size === 0 ? 0 : (await this.offsetOf(size - 1)) + 1;
  }

  /** The offset of leaf `index`. */
  async offsetOf(index: number): Promise<number> {
    const width = (index % TILE_WIDTH) + 1;
    const offset = (await this.offsets(Math.floor(index / TILE_WIDTH), width))[width - 1];
    if (offset === undefined) throw new MerkleLogError('log-damaged', `${this.prefix} has no offset of leaf ${index}`);
    return offset;
  }

  /** The number of the leaf with this offset among the first `size`; undefined when no leaf has it. */
  async indexOf(offset: number, size: number): Promise<number | undefined> {
    let [low, high] = [0, Math.ceil(size / TILE_WIDTH)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.offsetOf(middle * TILE_WIDTH)) <= offset) low = middle;
      else high = middle;
    }
    if (size === 0) return undefined;
    const within = (await this.offsets(low, Math.min(TILE_WIDTH, size - low * TILE_WIDTH))).indexOf(offset);
    return within < 0 ? undefined : low * TILE_WIDTH + within;
  }

  /** Entry `index` of a log of `size` leaves. */
  async entry(index: number, size: number): Promise<Uint8Array> {
    const bundle = Math.floor(index / TILE_WIDTH);
    const entries = await this.bundle(bundle, Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH));
    const entry = entries[index % TILE_WIDTH];
    if (entry === undefined) throw new MerkleLogError('log-damaged', `${this.prefix} has no entry ${index}`);
    return entry;
  }

  /** Entry `index` of a log of `size` leaves; undefined when its bundle was pruned. */
  async entryIfKept(index: number, size: number): Promise<Uint8Array | undefined> {
    const bundle = Math.floor(index / TILE_WIDTH);
    const mayBePruned = (bundle + 1) * TILE_WIDTH <= size;
    return mayBePruned && !(await this.hasBundle(bundle)) ? undefined : this.entry(index, size);
  }

  /** A value whose leaf gives its hash only. */
  value(sha256: Uint8Array): Promise<Uint8Array | undefined> {
    return this.store.read(`${this.prefix}/${valuePath(sha256)}`);
  }

  /** The tree of the first `size` leaves. */
  tree(size: number): TileTree {
    return new TileTree(size, (tile) => this.tile(tile));
  }

  /** Paths of the partial pieces that a tree of `size` leaves needs, below the log's prefix. */
  static partialPaths(size: number): string[] {
    const paths: string[] = [];
    for (let level = 0; hashesAtLevel(size, level) > 0; level += 1) {
      const total = hashesAtLevel(size, level);
      const [index, width] = [Math.floor(total / TILE_WIDTH), total % TILE_WIDTH];
      if (width === 0) continue;
      paths.push(tilePath({ level, index, width }));
      if (level === 0) paths.push(bundlePath(index, width), offsetsPath(index, width));
    }
    return paths;
  }

  /** Paths of the partial pieces that are there at the right edge of a tree of `size` leaves, below the log's prefix. */
  async partialPathsThere(size: number): Promise<string[]> {
    const there: string[] = [];
    const full = LogFiles.partialPaths(size).map((path) => path.slice(0, path.lastIndexOf('/')));
    for (const folder of full) {
      const widths = await this.store.list(`${this.prefix}/${folder}`);
      there.push(...widths.map((width) => `${folder}/${width}`));
    }
    return there;
  }

  private async piece(path: (width: number) => string, width: number): Promise<Uint8Array> {
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const asked = await this.store.read(`${this.prefix}/${path(width)}`);
      if (asked !== undefined) return asked;
      const partials = await this.store.list(`${this.prefix}/${path(TILE_WIDTH)}.p`);
      const nextWider = Math.min(TILE_WIDTH, ...partials.map(Number).filter((other) => other > width));
      const wider = await this.store.read(`${this.prefix}/${path(nextWider)}`);
      if (wider !== undefined) return wider;
    }
    throw new MerkleLogError('log-damaged', `${this.prefix}/${path(width)} is missing`);
  }
}

function headOf(note: Uint8Array | undefined): Checkpoint | undefined {
  return note === undefined ? undefined : parseCheckpoint(readNote(note).text);
}
