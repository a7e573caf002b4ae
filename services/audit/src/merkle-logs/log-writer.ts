import {
  bundlePath,
  type Checkpoint,
  decodeTile,
  encodeBundle,
  EMPTY_ROOT,
  hashesAtLevel,
  type Hash,
  formatCheckpoint,
  openCheckpoint,
  parseIndexedPath,
  sameHash,
  sha256,
  TILE_WIDTH,
  tileAt,
  tilePath,
  TreeBuilder,
} from '@assent/merkle-log';
import { encodeOffsets, LogFiles, offsetsPath, valuePath } from './log-files.ts';
import type { LogKeys } from './log-key.ts';
import type { LogObjects, StoredObject } from './log-store.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** A leaf to append. */
export interface Leaf {
  readonly hash: Hash;
  /** Left out where only hashes are kept. */
  readonly entry?: Uint8Array;
  /** Offset of the record; left out for a log that is not a topic's. */
  readonly offset?: number;
  /** A value that the entry gives by hash only. */
  readonly valueKeptApart?: Uint8Array;
}

export interface LogWriterOptions {
  /** What the log's owner writes with. */
  readonly store: LogObjects;
  readonly prefix: string;
  readonly origin: string;
  readonly key: LogKeys;
  readonly keepsEntries: boolean;
  readonly keepsOffsets: boolean;
}

/** What the newest checkpoint covers; `nextOffset` is the offset after its last leaf's. */
export interface SignedHead extends Checkpoint {
  readonly nextOffset: number | undefined;
}

/**
 * Appends to one log in a store. Leaves gather in memory; `commit` makes them durable and signs. The state is the
 * folder's own: opened again, a log stands where its newest checkpoint says, and leaves that were never signed are
 * appended again by whoever follows the topic. The tree is a function of the leaves, so that gives the same bytes.
 */
export class LogWriter {
  private unsaved: StoredObject[] = [];
  private unsignedBytes = 0;
  private committing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: LogWriterOptions,
    private readonly builder: TreeBuilder,
    private readonly entries: EdgeColumn<Uint8Array>,
    private readonly offsets: EdgeColumn<number>,
    /** Partial pieces in the store, below the prefix: those that a wider one covers can go. */
    private readonly partials: Set<string>,
    private head: SignedHead,
    private lastOffset: number | undefined,
  ) {}

  /**
   * Continues a log where its newest checkpoint says.
   * @throws MerkleLogError `log-damaged` when the checkpoint is not signed by this key, or the tiles give another root
   */
  static async open(options: LogWriterOptions): Promise<LogWriter> {
    const files = new LogFiles(options.store, options.prefix);
    const checkpoint = await readCheckpoint(files, options);
    const { size } = checkpoint;
    const builder = await resumeTree(files, size);
    if (!sameHash(builder.root(), checkpoint.root))
      throw damaged(options, 'its tiles give another root than its checkpoint');
    const [index, width] = [Math.floor(size / TILE_WIDTH), size % TILE_WIDTH];
    const entries = options.keepsEntries && width > 0 ? await files.bundle(index, width) : [];
    const offsets = options.keepsOffsets && width > 0 ? await files.offsets(index, width) : [];
    const lastOffset = options.keepsOffsets && size > 0 ? await files.offsetOf(size - 1) : undefined;
    return new LogWriter(
      options,
      builder,
      new EdgeColumn(bundlePath, encodeBundle, index, entries, options.keepsEntries),
      new EdgeColumn(offsetsPath, encodeOffsets, index, offsets, options.keepsOffsets),
      new Set(await files.partialPathsThere(size)),
      { ...checkpoint, nextOffset: after(lastOffset) },
      lastOffset,
    );
  }

  /** Leaves, the unsigned ones included. */
  get size(): number {
    return this.builder.size;
  }

  /** The newest checkpoint and how far it reaches. */
  get signed(): SignedHead {
    return this.head;
  }

  /** The offset after the last leaf's, unsigned leaves included; undefined for a log without leaves. */
  get nextOffset(): number | undefined {
    return after(this.lastOffset);
  }

  /** What waits to be written, roughly: entries and values in bytes, and leaves. */
  get unsigned(): { leaves: number; bytes: number } {
    return { leaves: this.size - this.head.size, bytes: this.unsignedBytes };
  }

  /** Appends a leaf in memory. It is not durable before a `commit` that began later has resolved. */
  add(leaf: Leaf): void {
    this.builder.append(leaf.hash);
    if (leaf.entry !== undefined) this.entries.push(leaf.entry);
    if (leaf.offset !== undefined) this.offsets.push(leaf.offset);
    this.lastOffset = leaf.offset;
    this.unsignedBytes += (leaf.entry?.length ?? 0) + (leaf.valueKeptApart?.length ?? 0);
    if (leaf.valueKeptApart === undefined) return;
    this.unsaved.push({ path: valuePath(sha256(leaf.valueKeptApart)), bytes: leaf.valueKeptApart });
  }

  /**
   * Makes every leaf added so far durable, then signs the tree of them and publishes the checkpoint. Nothing is signed
   * before its tiles are durable. Answers the new checkpoint, or undefined when no leaf was added since the last.
   *
   * A failure loses nothing: the leaves stay and the next call tries again, also when the checkpoint was published and
   * only the store's answer was lost. A crash before the checkpoint is durable leaves pieces that nothing refers to; the
   * same leaves make the same pieces again.
   *
   * @throws MerkleLogError `stale-owner` when somebody else took the log; its leaves here are of no use then
   */
  commit(): Promise<Checkpoint | undefined> {
    return this.betweenCommits(() => this.commitNow());
  }

  /** Does something while no commit runs; the next one waits for it. */
  betweenCommits<T>(work: () => Promise<T>): Promise<T> {
    const done = this.committing.then(work);
    this.committing = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  /** Resolves when no commit runs any more, whatever came of it. */
  settled(): Promise<void> {
    return this.committing;
  }

  private async commitNow(): Promise<Checkpoint | undefined> {
    if (this.size === this.head.size) return undefined;
    const { origin, key, store } = this.options;
    const checkpoint = { origin, size: this.size, root: this.builder.root(), extensions: [] };
    const nextOffset = this.nextOffset;
    const bytes = this.unsignedBytes;
    const objects = this.gather();
    await this.put(objects);
    const note = await key.signNote(origin, formatCheckpoint(checkpoint));
    await store.write([{ path: `${this.options.prefix}/checkpoint`, bytes: Buffer.from(note, 'utf8') }]);
    this.unsaved = this.unsaved.slice(objects.length);
    this.unsignedBytes -= bytes;
    this.head = { ...checkpoint, nextOffset };
    // What could not be removed is in nobody's way, and tried again with the next commit.
    await this.removeOldPartials().catch(() => undefined);
    return checkpoint;
  }

  /** Everything to be written for the leaves so far; kept until a commit succeeds. */
  private gather(): StoredObject[] {
    const tiles = this.builder.takeChangedTiles().map(({ tile, bytes }) => ({ path: tilePath(tile), bytes }));
    this.unsaved.push(...tiles, ...this.entries.takeChanged(), ...this.offsets.takeChanged());
    return [...this.unsaved];
  }

  private async put(objects: readonly StoredObject[]): Promise<void> {
    const { store, prefix } = this.options;
    await store.write(objects.map(({ path, bytes }) => ({ path: `${prefix}/${path}`, bytes })));
    for (const { path } of objects) if (path.includes('.p/')) this.partials.add(path);
  }

  /**
   * Removes partial pieces that a wider piece of the same place begins with. Wider ones than the signed size needs stay:
   * a former owner, frozen and late, must not remove what a later one has signed by now. The widest go first: one that a
   * crash left, with leaves that were never signed, must not be the next wider one to a piece that is gone.
   */
  private async removeOldPartials(): Promise<void> {
    const old = [...this.partials].filter((path) => isCovered(path, this.head.size)).sort(byWidthDescending);
    await this.options.store.remove(old.map((path) => `${this.options.prefix}/${path}`));
    for (const path of old) this.partials.delete(path);
  }
}

/** Whether a tree of `size` leaves has a wider piece than this partial one at its place. */
function isCovered(path: string, size: number): boolean {
  const [, kind = '', rest = ''] = /^(tile\/\w+|offsets)\/(.+)$/.exec(path) ?? [];
  const piece = parseIndexedPath(rest);
  const level = kind.startsWith('tile/') && kind !== 'tile/entries' ? Number(kind.slice('tile/'.length)) : 0;
  return piece !== undefined && (tileAt(size, level, piece.index)?.width ?? 0) > piece.width;
}

function byWidthDescending(a: string, b: string): number {
  return Number(b.slice(b.lastIndexOf('/') + 1)) - Number(a.slice(a.lastIndexOf('/') + 1));
}

/** Items that go with the leaves of the tile that is not full yet: their entries, or their offsets. */
class EdgeColumn<T> {
  private full: StoredObject[] = [];
  private changed = false;

  constructor(
    private readonly path: (index: number, width: number) => string,
    private readonly encode: (items: readonly T[]) => Uint8Array,
    private index: number,
    private items: T[],
    private readonly kept: boolean,
  ) {}

  push(item: T): void {
    if (!this.kept) return;
    this.items.push(item);
    this.changed = true;
    if (this.items.length < TILE_WIDTH) return;
    this.full.push({ path: this.path(this.index, TILE_WIDTH), bytes: this.encode(this.items) });
    this.index += 1;
    this.items = [];
  }

  /** Pieces that changed since the last call: the full ones, then the partial one. */
  takeChanged(): StoredObject[] {
    const partial =
      this.changed && this.items.length > 0
        ? [{ path: this.path(this.index, this.items.length), bytes: this.encode(this.items) }]
        : [];
    const changed = [...this.full, ...partial];
    this.full = [];
    this.changed = false;
    return changed;
  }
}

async function readCheckpoint(files: LogFiles, options: LogWriterOptions): Promise<Checkpoint> {
  const { origin, key } = options;
  const note = await files.checkpoint();
  if (note === undefined) return { origin, size: 0, root: EMPTY_ROOT, extensions: [] };
  try {
    return openCheckpoint(note, origin, key.verifiers(origin));
  } catch (error) {
    throw damaged(options, 'its checkpoint cannot be read or is signed by another key', error);
  }
}

async function resumeTree(files: LogFiles, size: number): Promise<TreeBuilder> {
  const edges: Hash[][] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level += 1) {
    const tile = tileAt(size, level, Math.floor(hashesAtLevel(size, level) / TILE_WIDTH));
    edges.push(tile === undefined ? [] : decodeTile(await files.tile(tile)));
  }
  return TreeBuilder.resume(size, (level) => edges[level] ?? []);
}

function after(offset: number | undefined): number | undefined {
  return offset === undefined ? undefined : offset + 1;
}

function damaged(options: LogWriterOptions, what: string, cause?: unknown): MerkleLogError {
  return new MerkleLogError('log-damaged', `the log ${options.origin} is not usable: ${what}`, cause);
}
