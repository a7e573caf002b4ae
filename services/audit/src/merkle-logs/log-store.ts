/** One object of a log: a tile, an entry bundle, a checkpoint. */
export interface StoredObject {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Where the logs are kept: a folder now, an object store later. Paths are relative, their parts joined by `/`, and made
 * by log-layout.ts only, never of what a caller sent.
 */
export interface LogStore {
  /** The object's bytes, whole; undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;

  /**
   * Writes objects, replacing those that are there. Each appears whole or not at all, in no order. When it resolves all
   * of them are durable; when it rejects, or the process dies in it, any part of them may be there. Writing the same
   * again is the remedy.
   */
  write(objects: readonly StoredObject[]): Promise<void>;

  /** Creates an empty object, durably; false when it exists. Of two that create the same one, one gets true. */
  create(path: string): Promise<boolean>;

  /** Names directly below a path, sorted; none when there is nothing. */
  list(path: string): Promise<string[]>;

  /** Removes objects that are there. A crash may leave some. */
  remove(paths: readonly string[]): Promise<void>;

  /** Epoch milliseconds of the object's last write; undefined when there is none. For people, not for decisions. */
  modifiedAtMs(path: string): Promise<number | undefined>;
}
