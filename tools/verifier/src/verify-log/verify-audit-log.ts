import { setImmediate } from 'node:timers/promises';
import { checkFiles } from '../check-files/check-files.ts';
import { checkHeads, headsClaim, type HeadsFound } from '../check-heads/check-heads.ts';
import { checkWitnesses, type Witnessed } from '../check-heads/check-witnesses.ts';
import type { Pin } from '../check-keys/key-chain.ts';
import { readCheckpoint } from '../check-keys/signed-checkpoint.ts';
import { readTrustedKeys, type TrustedKeys } from '../check-keys/trusted-keys.ts';
import { DecisionChecks } from '../check-records/check-decisions.ts';
import type { DecisionFact } from '../check-records/decision-facts.ts';
import type { TreeClaim } from '../check-tree/walk-leaves.ts';
import { type Checked, type Fault, type FaultCode, Findings, type Unchecked } from '../findings/findings.ts';
import type { WitnessPolicy } from '../notes/witness-policy.ts';
import { isAboutPersons, type LogName } from '../records/topics.ts';
import type { FactsFile } from '../remember/facts-file.ts';
import { StateError } from '../remember/on-disk.ts';
import { rootsSeen, seenBefore, type SeenCheckpoint } from '../remember/remembered.ts';
import type { LastSeen, SeenLog, StateFolder } from '../remember/state-folder.ts';
import { NotesOnce } from '../sources/notes-once.ts';
import { type Source, SourceError } from '../sources/source.ts';
import { TemporaryFile } from '../spill/temporary-file.ts';
import { findLogs } from './find-logs.ts';
import { type Progress, PROGRESS_VERSION, type TakenUp, takeUp } from './progress.ts';
import { type SavedLog, verifyLog } from './verify-log.ts';

/** The run was told to stop; what it did so far is kept when there is a state folder. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code = 'interrupted';
}

export interface VerifyOptions {
  readonly source: Source;
  /** Which key to trust, got by another way. Without it the log's own key is used, which proves nothing by itself. */
  readonly pin?: Pin;
  /** Which witnesses have to have seen the heads. */
  readonly policy?: WitnessPolicy;
  /** Where the last-seen state and the progress of a run are kept; without it neither is. */
  readonly state?: StateFolder;
  /** Where what does not fit memory is put meanwhile. */
  readonly temporaryFolder: string;
  /** Checkpoints that were got by other ways, which this log has to contain. */
  readonly seen?: (keys: TrustedKeys, findings: Findings) => Promise<SeenCheckpoint[]>;
  readonly onProgress?: (progress: VerifyProgress) => void;
  readonly signal?: AbortSignal;
  readonly now: () => Date;
  readonly monotonicMs: () => number;
}

export interface VerifyProgress {
  /** The log that is being verified. */
  readonly log: string;
  readonly logsDone: number;
  readonly logs: number;
  /** Leaves verified so far, and how many the heads promise. */
  readonly leaves: number;
  readonly leavesExpected: number;
  /** True when the log was just done; then the counts below are about it. */
  readonly done: boolean;
  readonly logLeaves: number;
  readonly logFaults: number;
  /** What could not be judged in it. */
  readonly logOpen: number;
}

export interface VerifyResult {
  /** Nothing is wrong, and there is nothing that could not be judged. */
  readonly ok: boolean;
  readonly source: string;
  readonly origin: string | undefined;
  readonly checked: Readonly<Checked>;
  /** At most 100 of a code; `faultsNotListed` more were counted. */
  readonly faults: readonly Fault[];
  readonly faultsNotListed: number;
  /** What could not be judged, the first of each kind; `uncheckedNotListed` more were counted. */
  readonly unchecked: readonly Unchecked[];
  readonly uncheckedNotListed: number;
  /** What is not wrong but should be known. */
  readonly notes: readonly string[];
  /** Whose signatures were checked; undefined when the source does not say. */
  readonly key: { readonly fingerprints: readonly string[]; readonly pinned: boolean } | undefined;
  /** The signed head that binds everything. */
  readonly head: SeenLog | undefined;
  readonly witnessed: Witnessed | undefined;
  /** When the log was verified before, by this state folder. */
  readonly seenBefore: string | undefined;
  /** Whether this run is remembered for the next one. */
  readonly remembered: boolean;
  /** Why it is not, though it should be; undefined when nothing hindered it. */
  readonly notRemembered: string | undefined;
}

/** How often a run writes down where it stands. */
const SAVE_EVERY_MS = 2_000;
/** Facts that wait in memory to be written down before that. */
const FACTS_WAITING_MAX = 4_096;

/** A log is remembered only by a run that found nothing of this kind. */
const UNTRUSTED: readonly FaultCode[] = [
  'manifest-invalid',
  'key-not-pinned',
  'key-changed',
  'rotation-invalid',
  'checkpoint-invalid',
  'log-rewound',
  'history-differs',
  'head-differs',
  'head-went-back',
  'log-behind-head',
];

/**
 * Verifies an audit log with nothing but what its source has: every leaf hashed anew from its entry, every tile, every
 * root that was ever bound or seen, every signature and cosignature, the offsets, the schema of every event, and the
 * invariants that the log alone can show.
 *
 * Streams: memory holds five pieces of a log (16 MB each at most) and is the same for any number of records, persons and
 * heads; what has to be brought together is sorted on disk, in `temporaryFolder`.
 *
 * @throws SourceError when the source cannot be reached any more, SpillError when temporary files cannot be kept,
 *   StateError when what is remembered cannot be read or progress not be saved, Interrupted when told to stop
 */
export async function verifyAuditLog(options: VerifyOptions): Promise<VerifyResult> {
  const before = options.state && (await takeUp(options.state, options.source.name));
  const run = new Run(options, before === 'unusable' ? undefined : before);
  try {
    return await run.verify(before === 'unusable');
  } finally {
    run.close();
  }
}

class Run {
  private readonly findings = new Findings();
  private readonly source: NotesOnce;
  private readonly decisions: DecisionChecks;
  /** Sizes of bound heads that do not fit memory. */
  private readonly boundSizes: TemporaryFile;
  private readonly done = new Map<string, SeenLog | null>();
  private keys: TrustedKeys | undefined;
  private head: SeenLog | undefined;
  private witnessed: Witnessed | undefined;
  /** What an earlier run saw of this installation. */
  private lastSeen: LastSeen | undefined;
  private persons: number | undefined;
  private facts: FactsFile | undefined;
  private readonly progress: Progress | undefined;
  private savedAtMs: number;

  constructor(
    private readonly options: VerifyOptions,
    private readonly before: TakenUp | undefined,
  ) {
    this.progress = before?.progress;
    this.source = new NotesOnce(options.source, this.progress?.notes);
    this.decisions = new DecisionChecks(this.findings, options.temporaryFolder, (fact) => this.facts?.add(fact));
    this.boundSizes = new TemporaryFile(options.temporaryFolder);
    this.savedAtMs = options.monotonicMs();
  }

  /** Gives temporary files back. */
  close(): void {
    this.decisions.close();
    this.boundSizes.close();
  }

  /** @param beginsAnew what an interrupted run had done could not be used */
  async verify(beginsAnew: boolean): Promise<VerifyResult> {
    const { findings } = this;
    if (beginsAnew)
      findings.note(
        'what an interrupted run had written down is not whole, or not of this version: this one began anew',
      );
    await this.guarded('folder', async () => {
      this.keys = await readTrustedKeys(this.source, this.options.pin, findings);
      if (this.keys !== undefined) await this.verifyContent(this.keys);
    });
    findings.checked.bytes = this.source.bytesRead;
    const { faults, notes, checked } = findings;
    return {
      ok: findings.faultCount + findings.notJudgedCount === 0,
      source: this.source.name,
      origin: this.keys?.chain.origin,
      checked,
      faults,
      faultsNotListed: findings.faultCount - faults.length,
      unchecked: findings.notJudged,
      uncheckedNotListed: findings.notJudgedCount - findings.notJudged.length,
      notes,
      key: this.keys && { fingerprints: this.keys.chain.fingerprints, pinned: this.keys.pinned },
      head: this.head,
      witnessed: this.witnessed,
      seenBefore: this.lastSeen?.at,
      ...(await this.remember()),
    };
  }

  private async verifyContent(keys: TrustedKeys): Promise<void> {
    const { findings, progress, before } = this;
    const seen = await this.whatWasSeen(keys);
    let headsTree: TreeClaim | undefined;
    let heads: HeadsFound = { bound: new Map(), takenBack: new Map(), partitions: new Map() };
    await this.guarded('heads', async () => {
      headsTree = await this.claimHeads(keys, seen);
      if (headsTree !== undefined) heads = await checkHeads(headsTree, keys.chain, this.boundSizes, findings);
      if (headsTree !== undefined) await this.headFiles(headsTree);
    });
    const logs = await findLogs(this.source, keys.chain, heads.bound, seen, findings);
    if (before !== undefined) await this.goOnFrom(before);
    const leavesExpected = [...heads.bound.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [i, log] of logs.entries()) {
      if (this.done.has(log.name)) continue;
      this.aboutPersonsOf(log);
      const from = progress?.current.name === log.name ? progress.current.saved : undefined;
      await this.verifyOne(log, from, { keys, seen, headsTree, heads, leavesExpected, logs: logs.length, logsDone: i });
    }
  }

  private async verifyOne(
    log: LogName,
    from: SavedLog | undefined,
    around: {
      keys: TrustedKeys;
      seen: readonly SeenCheckpoint[];
      headsTree: TreeClaim | undefined;
      heads: HeadsFound;
      leavesExpected: number;
      logs: number;
      logsDone: number;
    },
  ): Promise<void> {
    const { findings, options } = this;
    const { keys, seen, headsTree, heads, leavesExpected, logs, logsDone } = around;
    const [faultsBefore, openBefore, leavesBefore] = [
      findings.faultCount,
      findings.notJudgedCount,
      findings.checked.leaves,
    ];
    const tell = (leaves: number, done: boolean): void => {
      const logFaults = findings.faultCount - faultsBefore;
      const logOpen = findings.notJudgedCount - openBefore;
      const told = { log: log.name, logs, leavesExpected, done, logLeaves: leaves, logFaults, logOpen };
      options.onProgress?.({ ...told, logsDone: done ? logsDone + 1 : logsDone, leaves: leavesBefore + leaves });
    };
    let holds: SeenLog | undefined;
    await this.guarded(log.name, async () => {
      const context = {
        source: this.source,
        chain: keys.chain,
        headsClaim: headsTree,
        heads,
        seen,
        findings,
        onEvent: this.decisions.event.bind(this.decisions),
        onTile: async (name: string, leaves: number, save: () => SavedLog) => {
          tell(leaves, false);
          await this.pause(name, save);
        },
      };
      holds = await verifyLog(log, context, from);
    });
    if (log.topic === 'dispatch.events') await this.decisions.finish(() => this.breathe());
    this.done.set(log.name, holds ?? null);
    tell(findings.checked.leaves - leavesBefore, true);
  }

  /** The tree of heads as its newest checkpoint claims it, and every earlier state of it that was seen. */
  private async claimHeads(keys: TrustedKeys, seen: readonly SeenCheckpoint[]): Promise<TreeClaim | undefined> {
    const { source, findings } = this;
    const checkpoint = await readCheckpoint(source, 'heads', 'heads', keys.chain, findings);
    if (checkpoint === undefined) return undefined;
    const { roots, witnessed } = await checkWitnesses(source, checkpoint, keys.chain, this.options.policy, findings);
    this.witnessed = witnessed;
    const { size } = checkpoint;
    this.head = { size, root: Buffer.from(checkpoint.root).toString('base64') };
    return headsClaim(source, checkpoint, new Map([...roots, ...rootsSeen(seen, 'heads', checkpoint, findings)]));
  }

  private async headFiles({ pieces, size }: TreeClaim): Promise<void> {
    if (!this.source.lists) return;
    const alone = ['checkpoint', 'cosigned-checkpoint'];
    const claim = { name: 'heads', pieces, size, keepsEntries: true, alone, valuesNamed: new Set<string>() };
    await checkFiles(claim, this.findings);
  }

  private async whatWasSeen(keys: TrustedKeys): Promise<SeenCheckpoint[]> {
    const { state, seen, pin } = this.options;
    const { origin } = keys.chain;
    const last = await state?.lastSeen(origin);
    const path = state?.pathOfLastSeen(origin) ?? '';
    const before = last && seenBefore(last, keys.chain, pin?.fingerprint, path, this.findings);
    if (before !== undefined) this.lastSeen = last;
    return [...(before ?? []), ...((await seen?.(keys, this.findings)) ?? [])];
  }

  /** Another partition is about other persons. */
  private aboutPersonsOf(log: LogName): void {
    if (!isAboutPersons(log) || this.persons === log.partition) return;
    this.persons = log.partition;
    this.decisions.begin(log.partition);
    this.facts = this.options.state?.factsOf(this.source.name, log.partition);
  }

  /** Lets the process hear that it is to stop. What was saved last is enough to do this part again. */
  private async breathe(): Promise<void> {
    await setImmediate();
    if (this.options.signal?.aborted === true) throw new Interrupted('the run was told to stop');
  }

  /** Writes down now and then where the run stands, and stops it when it was told to. */
  private async pause(name: string, save: () => SavedLog): Promise<void> {
    const { state, monotonicMs, signal } = this.options;
    const stops = signal?.aborted === true;
    if (this.facts !== undefined && this.facts.waits >= FACTS_WAITING_MAX) await this.facts.write();
    if (state !== undefined && (stops || monotonicMs() - this.savedAtMs >= SAVE_EVERY_MS)) {
      this.savedAtMs = monotonicMs();
      await this.saveProgress(state, name, save());
    }
    if (stops) throw new Interrupted('the run was told to stop');
  }

  private async saveProgress(state: StateFolder, name: string, saved: SavedLog): Promise<void> {
    await this.facts?.write();
    const progress: Progress = {
      version: PROGRESS_VERSION,
      startedAt: this.progress?.startedAt ?? this.options.now().toISOString(),
      notes: this.source.save(),
      findings: this.findings.save(),
      done: Object.fromEntries(this.done),
      current: { name, saved },
      facts: this.facts?.mark,
    };
    await state.saveProgress(this.source.name, progress, this.persons);
  }

  /** Takes up what a run that was interrupted had done. The log of heads was read anew; its findings are in there. */
  private async goOnFrom({ progress, facts }: TakenUp): Promise<void> {
    this.findings.restore(progress.findings);
    for (const [name, seen] of Object.entries(progress.done)) this.done.set(name, seen);
    if (progress.facts !== undefined) {
      this.persons = progress.facts.partition;
      this.decisions.begin(this.persons);
    }
    this.facts = facts;
    for await (const fact of facts?.facts() ?? []) this.decisions.remember(fact as DecisionFact);
    this.findings.note(
      `this run went on where one begun at ${progress.startedAt} was interrupted; what that one verified was not read again`,
    );
  }

  /** Remembers the run and forgets how far it had got. It is over, so its result stands when that fails. */
  private async remember(): Promise<Pick<VerifyResult, 'remembered' | 'notRemembered'>> {
    let remembered = false;
    try {
      remembered = this.keys !== undefined && (await this.saveWhatWasSeen(this.keys));
      await this.options.state?.forgetProgress(this.source.name);
      return { remembered, notRemembered: undefined };
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      return { remembered, notRemembered: error.message };
    }
  }

  /** What is to be found again next time. Nothing that does not hold is remembered, and nothing smaller than before. */
  private async saveWhatWasSeen({ chain }: TrustedKeys): Promise<boolean> {
    const { state, now } = this.options;
    const doubtful = this.findings.has(UNTRUSTED);
    if (state === undefined || doubtful || this.head === undefined) return false;
    const isWhole = !this.findings.faults.some(({ log, code }) => log === 'heads' && code === 'root-differs');
    const logs: Record<string, SeenLog> = isWhole ? { heads: this.head } : {};
    for (const [name, seen] of this.done) if (seen !== null) logs[name] = seen;
    const { origin, fingerprints } = chain;
    const at = now().toISOString();
    // Logs that this run could not verify stay as they were seen.
    await state.saveLastSeen({ version: 1, origin, at, fingerprints, logs: { ...this.lastSeen?.logs, ...logs } });
    return true;
  }

  /** A part that cannot be read safely is a fault, and no reason not to look at the other parts. */
  private async guarded(log: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      // A server that does not answer would be asked in vain for the rest too.
      if (!this.source.lists && error.isAboutReaching) throw error;
      const text = `it cannot be read as part of an audit log (${error.code})`;
      this.findings.fault('folder-unreadable', { log, file: error.path }, text);
    }
  }
}
