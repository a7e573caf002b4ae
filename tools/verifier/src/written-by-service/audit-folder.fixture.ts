import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnyEvent, encodeEvent, type LogRecord, topicOf } from '@assent/contracts';
import { FolderLogStore } from '../../../../services/audit/src/merkle-logs/folder-log-store.ts';
import { LogKey } from '../../../../services/audit/src/merkle-logs/log-key.ts';
import { AuditLogs } from '../../../../services/audit/src/record-leaves/audit-logs.ts';
import { FollowedTopics } from '../../../../services/audit/src/record-leaves/followed-topics.ts';
import { HeadLog } from '../../../../services/audit/src/sign-checkpoints/head-log.ts';
import { CheckpointSigner } from '../../../../services/audit/src/sign-checkpoints/checkpoint-signer.ts';

export const NOW_MS = Date.parse('2026-11-24T10:00:00.000Z');
const ORIGIN = 'log.example';
/** Every logged topic has this many partitions in these folders. */
const PARTITIONS = 2;

/** A record at the end of a partition. */
export interface Appended {
  readonly partition: number;
  readonly record: Pick<LogRecord, 'topic' | 'key' | 'headers' | 'value'>;
  /** Offsets left out before it. */
  readonly gap?: number;
  /** The partition the record itself claims to be of, when that is another. */
  readonly claimedPartition?: number;
}

/** The record of an event in a partition. */
export function placed(event: AnyEvent, partition = 0): Appended {
  const { topic, key, headers, value } = encodeEvent(topicOf(event.type), event);
  return { partition, record: { topic, key: Buffer.from(key), headers, value } };
}

/** An audit folder as the audit service writes it, for a test to verify, copy and break. */
export class AuditFolderFixture {
  private readonly next = new Map<string, number>();

  private constructor(
    readonly root: string,
    readonly key: LogKey,
    private readonly logs: AuditLogs,
    private readonly topics: FollowedTopics,
    private readonly signer: CheckpointSigner,
    readonly announced: AnyEvent[],
  ) {}

  static async make(key = new LogKey(generateKeyPairSync('ed25519').privateKey)): Promise<AuditFolderFixture> {
    const root = await mkdtemp(join(tmpdir(), 'assent-audit-'));
    const clock = { now: () => NOW_MS, monotonicMs: () => 0 };
    const store = await FolderLogStore.open(root, NOW_MS);
    const around = { store, key, origin: ORIGIN, clock };
    const logs = new AuditLogs(around, () => undefined);
    const announced: AnyEvent[] = [];
    const appender = {
      append: (events: readonly AnyEvent[]) => {
        announced.push(...events);
        return Promise.resolve([]);
      },
    };
    const signer = new CheckpointSigner({
      logs,
      around,
      appender,
      partitionCount: () => PARTITIONS,
      clock,
      logger: {
        warn: (facts: object, message: string) => {
          throw new Error(`${message}: ${JSON.stringify(facts)}`);
        },
      },
      intervalMs: 3_600_000,
    });
    const topics = new FollowedTopics(logs, signer, around);
    await topics.init();
    await topics.take(
      topics.topics.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))),
    );
    return new AuditFolderFixture(root, key, logs, topics, signer, announced);
  }

  /** The part an auditor gets. */
  get folder(): string {
    return join(this.root, 'public');
  }

  /** Appends records, signs them and binds them. */
  async append(...appended: readonly Appended[]): Promise<void> {
    await this.record(...appended);
    await this.signer.tick();
  }

  /** Appends and signs records without binding them in a head. */
  async appendUnbound(...appended: readonly Appended[]): Promise<void> {
    await this.record(...appended);
    await this.logs.commitGrown();
  }

  /** Signs, as an operator who cheats could, a head of a log that need not be its own. */
  async bindFalseHead(name: string, size: number, root: Uint8Array): Promise<void> {
    const store = await FolderLogStore.open(this.root, NOW_MS);
    const heads = await HeadLog.take(store, this.key, ORIGIN);
    heads.record([{ origin: `${ORIGIN}/${name}`, size, root, extensions: [] }], new Date(NOW_MS).toISOString());
    await heads.commit();
  }

  private async record(...appended: readonly Appended[]): Promise<void> {
    for (const { partition, record, gap = 0, claimedPartition = partition } of appended) {
      const name = `${record.topic}/${String(partition)}`;
      const offset = (this.next.get(name) ?? 0) + gap;
      this.next.set(name, offset + 1);
      const epoch = 1;
      const records = [{ ...record, partition: claimedPartition, offset, timestampMs: NOW_MS + offset }];
      const batch = { topic: record.topic, partition, records, epoch };
      await this.topics.apply({ ...batch, heartbeat: () => Promise.resolve(), isCurrent: () => true });
    }
  }

  /** A copy of the public folder, to be broken. */
  async copy(): Promise<BreakableFolder> {
    const folder = await mkdtemp(join(tmpdir(), 'assent-broken-'));
    await cp(this.folder, folder, { recursive: true });
    return new BreakableFolder(folder);
  }

  async remove(): Promise<void> {
    await this.signer.onApplicationShutdown();
    await rm(this.root, { recursive: true, force: true });
  }
}

/** A copy of an audit folder and the ways to spoil it. */
export class BreakableFolder {
  constructor(readonly folder: string) {}

  /** Every file, by its path. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.folder.length + 1))
      .sort();
  }

  async read(path: string): Promise<Buffer> {
    return readFile(join(this.folder, path));
  }

  async change(path: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
    await writeFile(join(this.folder, path), change(await this.read(path)));
  }

  async flip(path: string, bit: number): Promise<void> {
    await this.change(path, (bytes) => {
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return bytes;
    });
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.folder, path), { recursive: true });
  }
}
