/** What is in a folder of a source. */
export interface Listed {
  readonly name: string;
  readonly isFolder: boolean;
}

/** Where an audit log is read from. Nothing that it answers is trusted. */
export interface Source {
  /** As people named it. */
  readonly name: string;
  /** Whether it can say what there is; a web server cannot. */
  readonly lists: boolean;
  /** Bytes read so far. */
  readonly bytesRead: number;
  /**
   * A file's bytes; undefined when there is none.
   * @throws SourceError for one that is longer than `bytesMax`, or cannot be read safely
   */
  read(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
  /** What is directly in a folder, in no order; nothing when there is no such folder. @throws SourceError */
  list(path: string): AsyncIterable<Listed>;
  /** Lets go of connections. */
  close(): void;
}

export type SourceErrorCode =
  /** longer than anything in its place may be */
  | 'too-large'
  /** a link, a device, a pipe */
  | 'not-a-plain-file'
  | 'unreadable'
  | 'too-many-files'
  /** no whole answer within the time allowed */
  | 'timed-out'
  /** it sends the reader elsewhere, which is not followed */
  | 'redirected'
  /** compressed, which was not asked for */
  | 'encoded'
  /** an answer other than 200 and 404 */
  | 'refused';

/** Something that cannot be read as part of an audit log. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  constructor(
    readonly code: SourceErrorCode,
    readonly path: string,
    readonly detail?: string,
  ) {
    super(`${path}: ${code}${detail === undefined ? '' : ` (${detail})`}`);
  }

  /** True when another try could go better: nothing is known to be wrong with the log. */
  get isAboutReaching(): boolean {
    return ['timed-out', 'unreadable', 'refused'].includes(this.code);
  }
}
