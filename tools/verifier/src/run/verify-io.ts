/** Where the words go and what the run may know of the machine. */
export interface VerifyIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Colours and a progress bar are for terminals. */
  readonly isTty: boolean;
  /** Milliseconds of a clock that never goes back. */
  monotonicMs(): number;
  now(): Date;
  /** Where the last-seen state is kept unless `--state` says so; undefined for nowhere. */
  readonly stateFolder: string | undefined;
  /** Sent to a server as a bearer token unless `--token` says so. */
  readonly token: string | undefined;
  /** Aborted when the person wants to stop. */
  readonly signal: AbortSignal | undefined;
}
