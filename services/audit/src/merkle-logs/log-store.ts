/** One object of a log: a tile, an entry bundle, a checkpoint. */
export interface StoredObject {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Reads the logs. Paths are relative, their parts joined by `/`, and made by this service, never of what a caller sent. */
export interface LogReader {
  /** The object's bytes, whole; undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;

  /** All names directly below a path, sorted, however many pages they come in; none when there is nothing. */
  list(path: string): Promise<string[]>;

  /** Epoch milliseconds of the object's last write; undefined when there is none. For people, not for decisions. */
  modifiedAtMs(path: string): Promise<number | undefined>;
}

/** Writes objects of one log. */
export interface LogObjects extends LogReader {
  /**
   * Writes objects, replacing those that are there. Each appears whole or not at all, in no order. When it resolves all
   * of them are durable; when it rejects, or the process dies in it, any part of them may be there, all of them too when
   * only the answer was lost. Writing the same again is the remedy. Once it has rejected nothing more of it appears: over
   * a network a write without an answer is asked about or repeated before it is given up.
   */
  write(objects: readonly StoredObject[]): Promise<void>;

  /** Removes objects that are there. A crash may leave some. */
  remove(paths: readonly string[]): Promise<void>;
}

/** What the owner of a log writes with. `write` rejects with MerkleLogError `stale-owner` once somebody else took it. */
export interface OwnedObjects extends LogObjects {
  /** Rises with every owner. */
  readonly epoch: number;
}

/**
 * Where the logs are kept: a folder now, an object store later. `describeLogStoreContract` is what an implementation
 * must hold.
 */
export interface LogStore extends LogObjects {
  /**
   * Becomes the owner of what `name` stands for. Once it has resolved, nothing that an earlier owner writes appears any
   * more, also when that owner had begun to write before and was frozen in the middle of it: its writes reject. Of
   * owners that take it at the same time the last one is the owner.
   *
   * An object store does this with conditional writes: each object remembers the epoch that wrote it, and is replaced
   * only by the same or a later one; a new owner writes the checkpoint it found again under its own epoch.
   */
  take(name: string): Promise<OwnedObjects>;
}
