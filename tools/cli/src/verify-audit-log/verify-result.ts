/** What can be wrong with an audit folder. Codes are stable; scripts may rely on them. */
export type FaultCode =
  // The folder itself
  | 'folder-unreadable'
  | 'manifest-invalid'
  | 'stray-file'
  // Keys and signatures
  | 'key-not-pinned'
  | 'checkpoint-missing'
  | 'checkpoint-invalid'
  // The log of heads
  | 'head-invalid'
  | 'head-differs'
  | 'head-went-back'
  | 'log-missing'
  | 'log-behind-head'
  // Trees
  | 'root-differs'
  | 'tile-missing'
  | 'tile-changed'
  | 'entries-missing'
  | 'entry-changed'
  | 'value-missing'
  | 'value-changed'
  // Records
  | 'entry-malformed'
  | 'entry-of-another-log'
  | 'offset-gap'
  | 'offset-order'
  | 'offset-index-changed'
  | 'event-invalid'
  // What the log says must not happen
  | 'attempt-without-acceptance'
  | 'attempt-differs-from-acceptance'
  | 'attempt-not-allowed'
  | 'gate-vector-incomplete'
  | 'attempt-after-withdrawal';

export interface Fault {
  readonly code: FaultCode;
  /** The exact place: a log, a leaf (`consent.events/3 index 17, offset 17`), a file. */
  readonly where: string;
  /** What is wrong, in words; never content of a record. */
  readonly text: string;
}

export interface Checked {
  logs: number;
  checkpoints: number;
  heads: number;
  leaves: number;
  /** Entries whose bytes were hashed anew; leaves of which only the hash is kept are not among them. */
  entries: number;
  tiles: number;
  events: number;
  /** Events of types this verifier does not know: hashed, not decoded. */
  unknownEvents: number;
  attempts: number;
  bytes: number;
}

/** Faults that are listed; the rest is counted. A folder that is wrong everywhere is not told in a million lines. */
const FAULTS_LISTED_MAX = 1_000;
/** The same for one log and one code, so that one log does not hide the others. */
const FAULTS_OF_ONE_KIND_MAX = 20;

/** What a verification found. */
export class Findings {
  readonly checked: Checked = {
    logs: 0,
    checkpoints: 0,
    heads: 0,
    leaves: 0,
    entries: 0,
    tiles: 0,
    events: 0,
    unknownEvents: 0,
    attempts: 0,
    bytes: 0,
  };
  readonly faults: Fault[] = [];
  readonly notes: string[] = [];
  private readonly counts = new Map<string, number>();
  private total = 0;

  /** @param log the log the fault belongs to, for the limit of what is listed */
  fault(log: string, code: FaultCode, where: string, text: string): void {
    const kind = `${log} ${code}`;
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    this.total += 1;
    if (count <= FAULTS_OF_ONE_KIND_MAX && this.faults.length < FAULTS_LISTED_MAX)
      this.faults.push({ code, where, text });
  }

  /** Something to know that is not wrong. */
  note(text: string): void {
    this.notes.push(text);
  }

  get faultCount(): number {
    return this.total;
  }

  get notListed(): number {
    return this.total - this.faults.length;
  }
}
