import { TOPICS, type TopicName } from '@assent/contracts';
import { type Checkpoint, decodeLeaf, type DecodedLeaf, formatCheckpoint, parseCheckpoint } from '@assent/merkle-log';
import { Problem } from '@assent/service-runtime';
import { BoundHeads } from './bound-heads.ts';
import type { BoundHead } from './head-entry.ts';
import { type KeySuccession, readSuccession } from './key-succession.ts';
import { LogFiles } from './log-files.ts';
import { HEADS_PREFIX, keepsEntries, LOGGED_TOPICS, logName, logPrefix, originOf } from './log-layout.ts';
import type { LogSurroundings } from './topic-log.ts';

/** One log as its newest signed checkpoint shows it. */
export interface SignedLog {
  readonly topic: TopicName;
  readonly partition: number;
  readonly name: string;
  readonly files: LogFiles;
  /** The checkpoint as signed. */
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** A record with the proof that it is in its log. Hashes are base64. */
export interface ProvenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Number of the leaf, from 0. */
  readonly index: number;
  readonly size: number;
  readonly leafHash: string;
  readonly root: string;
  /** Audit path from the leaf up, RFC 6962 section 2.1.1. */
  readonly proof: readonly string[];
  /** The entry's bytes, base64; absent for another controller's record and where entries are not kept. */
  readonly entry?: string;
}

export type ProofOutcome = ProvenRecord | 'not-yet-signed' | 'no-such-record';

/** Reads every log of the folder, whoever writes it: what it shows is what the newest checkpoints cover. */
export class PublishedLogs {
  /** The files of the log of heads. */
  readonly heads: LogFiles;
  readonly boundHeads: BoundHeads;

  constructor(
    private readonly around: LogSurroundings,
    private readonly partitionCount: (topic: string) => number,
  ) {
    this.heads = new LogFiles(around.store, HEADS_PREFIX);
    this.boundHeads = new BoundHeads(this.heads);
  }

  /** The base of the logs' origins. */
  get origin(): string {
    return this.around.origin;
  }

  /** Every log's topic and partition. */
  all(): { topic: TopicName; partition: number }[] {
    return LOGGED_TOPICS.flatMap((topic) =>
      Array.from({ length: this.partitionCount(topic) }, (_, partition) => ({ topic, partition })),
    );
  }

  /** Whether there is such a log. */
  has({ topic, partition }: { topic: string; partition: number }): boolean {
    const logged = LOGGED_TOPICS.find((name) => name === topic);
    return (
      logged !== undefined && Number.isInteger(partition) && partition >= 0 && partition < this.partitionCount(logged)
    );
  }

  /** The files of a log. Throws Problem 404 `no-such-log` for a topic or partition that is not logged. */
  files(topic: string, partition: number): { topic: TopicName; files: LogFiles } {
    const logged = LOGGED_TOPICS.find((name) => name === topic);
    if (logged === undefined || !this.has({ topic, partition })) {
      throw new Problem({
        status: 404,
        code: 'no-such-log',
        title: 'There is no such log',
        detail: 'No log is kept of this topic and partition.',
      });
    }
    return { topic: logged, files: new LogFiles(this.around.store, logPrefix({ topic: logged, partition })) };
  }

  /** A log at its newest checkpoint; undefined before its first record. Throws Problem 404 `no-such-log`. */
  async signed(topicName: string, partition: number): Promise<SignedLog | undefined> {
    const { topic, files } = this.files(topicName, partition);
    const bytes = await files.checkpoint();
    if (bytes === undefined) return undefined;
    const note = Buffer.from(bytes).toString('utf8');
    const checkpoint = parseCheckpoint(note.slice(0, note.lastIndexOf('\n\n') + 1));
    return { topic, partition, name: logName({ topic, partition }), files, note, checkpoint };
  }

  /** The verifier key line of a log. */
  verifierKey(name: string): string {
    return this.around.key.verifierKey(originOf(this.around.origin, name));
  }

  get keyFingerprint(): string {
    return this.around.key.fingerprint;
  }

  /** The keys of the folder in the order in which they followed each other, and the statements that say so. */
  succession(): Promise<KeySuccession> {
    return readSuccession(this.around.store);
  }

  /**
   * The signed checkpoint of a log at a size that is bound. The same text was signed when the log had that size, so
   * signing it again says nothing new.
   */
  boundCheckpoint({ origin, size, root }: BoundHead): Promise<string> {
    return this.around.key.signNote(origin, formatCheckpoint({ origin, size, root, extensions: [] }));
  }

  /** From which leaf on the entries of a log are kept, as the newest head says; 0 when all of them are. */
  async firstRetained(name: string): Promise<number> {
    const size = (await this.heads.head())?.size ?? 0;
    await this.boundHeads.readUpTo(size);
    return this.boundHeads.newest(originOf(this.origin, name), size)?.head.firstRetained ?? 0;
  }
}

/**
 * Proves that the record at an offset is in a log. `entry` is shown to the controller whose record it is.
 * Reads O(log size) tiles, the offset index and one bundle.
 */
export async function proveRecord(log: SignedLog, offset: number, tenant: string): Promise<ProofOutcome> {
  const { files, checkpoint, topic, partition } = log;
  const { size } = checkpoint;
  if (size === 0 || offset > (await files.offsetOf(size - 1))) return 'not-yet-signed';
  const index = await files.indexOf(offset, size);
  if (index === undefined) return 'no-such-record';
  const tree = files.tree(size);
  const [leaf, path] = await Promise.all([tree.leaf(index), tree.inclusionProof(index)]);
  const entry = keepsEntries(topic) ? await files.entryIfKept(index, size) : undefined;
  const visible = entry !== undefined && tenantOf(decodeLeaf(entry)) === tenant;
  return {
    topic,
    partition,
    offset,
    index,
    size,
    leafHash: base64(leaf),
    root: base64(checkpoint.root),
    proof: path.map(base64),
    ...(visible ? { entry: base64(entry) } : {}),
  };
}

/** The controller whose record a leaf is, as its CloudEvents header says. */
export function tenantOf(leaf: DecodedLeaf): string | undefined {
  return headerOf(leaf, 'ce_tenant');
}

/** A header of a record as text; undefined when it has none of that name. */
export function headerOf(leaf: DecodedLeaf, wanted: string): string | undefined {
  const header = leaf.headers.find(({ name }) => name === wanted);
  return header?.value == null ? undefined : Buffer.from(header.value).toString('utf8');
}

/** Whether a log of this topic begins at offset 0 for ever. */
export function keptForEver(topic: TopicName): boolean {
  return TOPICS[topic].keptForEver;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
