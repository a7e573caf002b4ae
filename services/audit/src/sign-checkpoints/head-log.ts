import {
  type Checkpoint,
  formatNote,
  leafHash,
  type NoteSignature,
  parseCheckpoint,
  readNote,
} from '@assent/merkle-log';
import { BoundHeads, RESTATED_WITHIN } from '../merkle-logs/bound-heads.ts';
import { type BoundHead, encodeHeadEntry } from '../merkle-logs/head-entry.ts';
import { assertMaySign, publishKeys, readSuccession } from '../merkle-logs/key-succession.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import type { LogKeys } from '../merkle-logs/log-key.ts';
import { HEADS_NAME, HEADS_PREFIX, originOf, WITNESS_POLICY_PATH } from '../merkle-logs/log-layout.ts';
import type { LogStore, OwnedObjects } from '../merkle-logs/log-store.ts';
import { LogWriter } from '../merkle-logs/log-writer.ts';

/**
 * The head of a log, to be bound; `firstRetained` stays as it was bound before when it is left out or lower, `partitions`
 * (of its topic) when it is left out.
 */
export type HeadToBind = Checkpoint & { readonly firstRetained?: number; readonly partitions?: number };

/** A signed checkpoint of the log of heads. */
export interface SignedHeads {
  readonly size: number;
  readonly note: string;
}

/**
 * The log of heads: a tlog whose entries are the heads of the other logs (docs/formats/signed-heads.md). Its own signed
 * checkpoint is the one head that binds all logs: it commits to every head that was ever recorded, and the newest of
 * each log is the state of all logs at that instant. One witness signature and one consistency proof then cover
 * everything.
 *
 * Only what a log's checkpoint file says already is recorded here, so nothing is bound before it is durable.
 */
export class HeadLog {
  readonly files: LogFiles;
  private readonly stated = new Map<string, BoundHead>();
  private restatedAt: number;
  private newest: SignedHeads | undefined;

  private constructor(
    readonly origin: string,
    private readonly store: OwnedObjects,
    private readonly writer: LogWriter,
    private readonly earlier: BoundHeads,
  ) {
    this.files = new LogFiles(store, HEADS_PREFIX);
    this.restatedAt = writer.size;
  }

  /**
   * Becomes the owner of the log of heads, and introduces the keys that are new to the folder. Its first head after that
   * restates every log it is told about.
   *
   * @throws MerkleLogError `log-damaged`, `signing-key-unusable`
   */
  static async take(store: LogStore, key: LogKeys, baseOrigin: string): Promise<HeadLog> {
    const origin = originOf(baseOrigin, HEADS_NAME);
    const owned = await store.take(HEADS_NAME);
    assertMaySign(await readSuccession(owned), key, baseOrigin);
    const options = { store: owned, key, origin, prefix: HEADS_PREFIX, keepsEntries: true, keepsOffsets: false };
    const writer = await LogWriter.open(options);
    const { size } = writer.signed;
    const earlier = new BoundHeads(new LogFiles(owned, HEADS_PREFIX));
    await earlier.readUpTo(size);
    await publishKeys({ store: owned, size }, key, baseOrigin);
    return new HeadLog(origin, owned, writer, earlier);
  }

  /** The newest head that is recorded of a log, by its origin: by this owner or a former one. */
  bound(origin: string): BoundHead | undefined {
    return this.stated.get(origin) ?? this.earlier.newest(origin, Infinity)?.head;
  }

  /**
   * Records heads in memory and answers those it recorded: a log that has neither grown nor lost entries since its last
   * is left out. Now and then every log is stated again, so that a reader finds the newest heads near the end.
   */
  record(heads: readonly HeadToBind[], at: string): BoundHead[] {
    const recorded: BoundHead[] = [];
    for (const head of heads) {
      const before = this.stated.get(head.origin);
      const { origin, size, root } = head;
      const known = this.bound(origin);
      const firstRetained = Math.max(head.firstRetained ?? 0, known?.firstRetained ?? 0);
      if (size <= (before?.size ?? -1) && firstRetained <= (before?.firstRetained ?? 0)) continue;
      const partitions = head.partitions ?? known?.partitions;
      const bound = { origin, size, root, extensions: [], firstRetained, partitions };
      this.enter(bound, at);
      recorded.push(bound);
    }
    if (this.writer.size - this.restatedAt >= RESTATED_WITHIN) this.restate(at);
    return recorded;
  }

  private restate(at: string): void {
    for (const head of this.stated.values()) this.enter(head, at);
    this.restatedAt = this.writer.size;
  }

  private enter(head: BoundHead, at: string): void {
    this.stated.set(head.origin, head);
    const entry = encodeHeadEntry(head, at);
    this.writer.add({ hash: leafHash(entry), entry });
  }

  /**
   * Makes the recorded heads durable and signs them; undefined when there are none.
   * @throws MerkleLogError `stale-owner` when another process took the log of heads
   */
  async commit(): Promise<SignedHeads | undefined> {
    const checkpoint = await this.writer.commit();
    return checkpoint === undefined ? undefined : this.signed();
  }

  /** The newest checkpoint with the log's own signatures; undefined before the first. */
  async signed(): Promise<SignedHeads | undefined> {
    if (this.newest?.size === this.writer.signed.size) return this.newest;
    const note = await this.files.checkpoint();
    if (note === undefined) return undefined;
    const { text, signatures } = readNote(note);
    const own = signatures.filter(({ name }) => name === this.origin);
    this.newest = { size: parseCheckpoint(text).size, note: formatNote(text, own) };
    return this.newest;
  }

  /** Whether a later head than this owner's is there: another owner signs. */
  async isContinued(): Promise<boolean> {
    return ((await this.files.head())?.size ?? 0) > this.writer.signed.size;
  }

  /** Publishes the operator's trust policy, for people to see who is asked. */
  async publishPolicy(text: string): Promise<void> {
    await this.store.write([{ path: WITNESS_POLICY_PATH, bytes: Buffer.from(text, 'utf8') }]);
  }

  /**
   * Publishes a checkpoint with the cosignatures that it got: beside the newest one, as the newest that has a quorum, and
   * in the newest one itself when it is the same. Never over a larger one, also when the answer to the writing of that
   * one was lost: what is in the store decides.
   *
   * @throws MerkleLogError `stale-owner` when another process took the log of heads
   */
  async publishCosigned(of: SignedHeads, cosignatures: readonly NoteSignature[], isQuorum: boolean): Promise<void> {
    const { text, signatures } = readNote(Buffer.from(of.note, 'utf8'));
    const bytes = Buffer.from(formatNote(text, [...signatures, ...cosignatures]), 'utf8');
    await this.writer.betweenCommits(async () => {
      const cosigned = (await this.files.cosignedHead())?.size ?? 0;
      const newest = (await this.files.head())?.size;
      const names = [
        ...(isQuorum && of.size >= cosigned ? ['cosigned-checkpoint'] : []),
        ...(of.size === newest ? ['checkpoint'] : []),
      ];
      await this.store.write(names.map((name) => ({ path: `${HEADS_PREFIX}/${name}`, bytes })));
    });
  }
}
