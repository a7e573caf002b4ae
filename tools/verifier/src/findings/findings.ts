/** What can be wrong with an audit log. Codes are stable; scripts may rely on them. docs/auditor.md explains each. */
export const FAULTS = {
  // The folder itself
  'folder-unreadable': 'a part of it cannot be read safely',
  'manifest-invalid': 'the manifest is missing or not one',
  'stray-file': 'a file has no place in the format',
  // Keys and signatures
  'key-not-pinned': 'it is signed by another key than the one you gave',
  'key-changed': 'it is signed by another key than last time, and no rotation explains it',
  'rotation-invalid': 'a key rotation statement does not hold',
  'checkpoint-missing': 'there is no checkpoint',
  'checkpoint-invalid': 'a checkpoint is not signed as it should be',
  'policy-invalid': 'the operator’s witness policy is not one',
  'cosignature-invalid': 'a witness’s cosignature does not fit',
  'quorum-missing': 'too few of the witnesses you trust have signed',
  // The same log for everybody, and for ever
  'log-rewound': 'it has fewer leaves than were seen before',
  'history-differs': 'its history is not the one that was seen before or elsewhere',
  // The log of heads
  'head-invalid': 'an entry of the log of heads is not a head',
  'head-differs': 'two signed heads of one size have different roots',
  'head-went-back': 'a head takes back leaves that were bound before',
  'log-missing': 'a log that the heads name, or that was seen before, is not there',
  'log-behind-head': 'a log has fewer leaves than its head says',
  // Trees
  'root-differs': 'the leaves do not give the root that was signed',
  'tile-missing': 'a tile is missing or malformed',
  'tile-changed': 'a tile does not hold the hashes it should',
  'entries-missing': 'an entry bundle is missing or malformed',
  'entry-changed': 'an entry is not the one that was hashed',
  'value-missing': 'a value that is kept apart is missing',
  'value-changed': 'a value that is kept apart is not the one that was hashed',
  'too-many-faults': 'so much is wrong with a log that the rest of it was not looked at',
  // Records
  'entry-malformed': 'an entry is not a leaf encoding',
  'entry-of-another-log': 'an entry says that it belongs to another log',
  'record-misplaced': 'a record does not stand in the partition that its key belongs to',
  'offset-gap': 'records are missing',
  'offset-order': 'records are repeated or out of order',
  'offset-index-changed': 'the offset index disagrees with the entries',
  'event-invalid': 'a record is not a valid event',
  // Proofs
  'proof-invalid': 'a proof does not hold',
  // What the log says must not happen
  'attempt-without-acceptance': 'a message was sent without a decision on record',
  'attempt-differs-from-acceptance': 'a message was sent as something else than was decided',
  'attempt-not-allowed': 'a message was sent although the gate did not allow it',
  'attempt-intended-twice': 'one attempt has two intents',
  'outcome-without-attempt': 'an outcome has no intent before it',
  'gate-vector-incomplete': 'the gate did not look where facts of the person are',
  'attempt-after-withdrawal': 'a message was sent although the gate had seen the person’s STOP',
} as const;

export type FaultCode = keyof typeof FAULTS;

/** What could not be judged: neither right nor wrong, so no log that has it counts as verified. Codes are stable. */
export const UNCHECKED = {
  'event-type-unknown': 'an event is of a type that this verifier does not know',
  'partitions-unknown': 'no head says how many partitions a topic has',
  'person-too-large': 'more is known of one person than this verifier keeps',
} as const;

export type UncheckedCode = keyof typeof UNCHECKED;

/** The exact place: as much of it as is known. */
export interface Place {
  /** `consent.events/3`, `heads`, or a file of the folder. */
  readonly log: string;
  /** Number of the leaf, from 0. */
  readonly index?: number;
  readonly offset?: number;
  /** Number of leaves of a checkpoint or head. */
  readonly size?: number;
  /** Below the log's folder. */
  readonly file?: string;
}

/** Something that was found, and where. */
export interface Found<Code extends string> extends Place {
  readonly code: Code;
  /** The place in one line. */
  readonly where: string;
  /** What it is, in words; never content of a record. */
  readonly text: string;
}

export type Fault = Found<FaultCode>;
export type Unchecked = Found<UncheckedCode>;

/** What was looked at. */
export interface Checked {
  logs: number;
  checkpoints: number;
  cosignatures: number;
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

/** Found things of one code that are listed, so that one code does not hide the others; the rest is counted. */
const LISTED_OF_A_CODE_MAX = 100;
/** The same for one log and one code, so that one log does not hide the others. */
const LISTED_OF_A_KIND_MAX = 20;
const NOTES_MAX = 1_000;

interface SavedListing<Code extends string> {
  readonly listed: readonly Found<Code>[];
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** A list that does not grow without bounds: of each kind and code the first are listed, all are counted. */
class Listing<Code extends string> {
  readonly listed: Found<Code>[] = [];
  total = 0;
  /** Listed by kind. */
  private counts = new Map<string, number>();
  /** Listed by code. */
  private readonly ofCode = new Map<Code, number>();

  constructor(private readonly ofKindMax: number) {}

  add(code: Code, place: Place, text: string, kind = place.log): void {
    this.total += 1;
    if (!this.lists(kind, code)) return;
    this.counts.set(`${kind} ${code}`, (this.counts.get(`${kind} ${code}`) ?? 0) + 1);
    this.ofCode.set(code, (this.ofCode.get(code) ?? 0) + 1);
    const { file } = place;
    const shown = {
      ...place,
      log: printable(place.log),
      ...(file === undefined ? {} : { file: printable(file) }),
    };
    this.listed.push({ code, where: placeText(shown), text: printable(text), ...shown });
  }

  lists(kind: string, code: Code): boolean {
    const ofKind = this.counts.get(`${kind} ${code}`) ?? 0;
    return ofKind < this.ofKindMax && (this.ofCode.get(code) ?? 0) < LISTED_OF_A_CODE_MAX;
  }

  has(code: Code): boolean {
    return this.ofCode.has(code);
  }

  save(): SavedListing<Code> {
    return { listed: this.listed, total: this.total, counts: Object.fromEntries(this.counts) };
  }

  restore({ listed, total, counts }: SavedListing<Code>): void {
    this.listed.splice(0, Infinity, ...listed);
    this.total = total;
    this.counts = new Map(Object.entries(counts));
    this.ofCode.clear();
    for (const { code } of listed) this.ofCode.set(code, (this.ofCode.get(code) ?? 0) + 1);
  }
}

/** What a run needs to go on with its findings later. */
export interface SavedFindings {
  readonly checked: Checked;
  readonly faults: SavedListing<FaultCode>;
  readonly unjudged: SavedListing<UncheckedCode>;
  readonly notes: readonly string[];
}

/** What a verification found so far. */
export class Findings {
  readonly checked: Checked = {
    logs: 0,
    checkpoints: 0,
    cosignatures: 0,
    heads: 0,
    leaves: 0,
    entries: 0,
    tiles: 0,
    events: 0,
    unknownEvents: 0,
    attempts: 0,
    bytes: 0,
  };
  readonly notes: string[] = [];
  private readonly wrong = new Listing<FaultCode>(LISTED_OF_A_KIND_MAX);
  private readonly unjudged = new Listing<UncheckedCode>(1);

  get faults(): readonly Fault[] {
    return this.wrong.listed;
  }

  get faultCount(): number {
    return this.wrong.total;
  }

  /** What could not be judged; the first of each kind is listed. */
  get notJudged(): readonly Unchecked[] {
    return this.unjudged.listed;
  }

  get notJudgedCount(): number {
    return this.unjudged.total;
  }

  fault(code: FaultCode, place: Place, text: string): void {
    this.wrong.add(code, place, text);
  }

  /** Something that can be called neither right nor wrong. */
  unchecked(code: UncheckedCode, place: Place, text: string): void {
    this.unjudged.add(code, place, text, `${place.log} ${text}`);
  }

  /** Whether another fault of this kind would be listed, not only counted. */
  lists(log: string, code: FaultCode): boolean {
    return this.wrong.lists(log, code);
  }

  /** Whether there is a fault of one of these codes. The first of a code is always listed. */
  has(codes: readonly FaultCode[]): boolean {
    return codes.some((code) => this.wrong.has(code));
  }

  /** Something to know that is not wrong. */
  note(text: string): void {
    if (this.notes.length < NOTES_MAX) this.notes.push(printable(text));
  }

  save(): SavedFindings {
    const { checked, notes } = this;
    return { checked, notes, faults: this.wrong.save(), unjudged: this.unjudged.save() };
  }

  restore({ checked, faults, unjudged, notes }: SavedFindings): void {
    Object.assign(this.checked, checked);
    this.wrong.restore(faults);
    this.unjudged.restore(unjudged);
    this.notes.splice(0, Infinity, ...notes);
  }
}

/** Names and texts that come from a log, without what a terminal or a reader could be deceived by. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
}

function placeText({ log, index, offset, size, file }: Place): string {
  const parts = [
    index === undefined ? log : `${log} index ${index}`,
    ...(size === undefined ? [] : [`size ${size}`]),
    ...(offset === undefined ? [] : [`offset ${offset}`]),
    ...(file === undefined ? [] : [file]),
  ];
  return parts.join(', ');
}
