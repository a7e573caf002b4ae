import { generateKeyPairSync } from 'node:crypto';
import { type AnyEvent, encodeEvent, type LogRecord } from '@assent/contracts';
import { openCheckpoint } from '@assent/merkle-log';
import type { LogKeys } from '../merkle-logs/log-key.ts';
import { LogKey } from '../merkle-logs/log-key.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { AuditLogs } from '../record-leaves/audit-logs.ts';
import { FollowedTopics } from '../record-leaves/followed-topics.ts';
import { CheckpointSigner } from './checkpoint-signer.ts';

export const NOW_MS = Date.parse('2026-11-24T10:00:00.000Z');
export const origin = 'log.example';
export const key = new LogKey(generateKeyPairSync('ed25519').privateKey);
const everyPartition = (topics: readonly string[]) =>
  topics.flatMap((topic) => [0, 1].map((partition) => ({ topic, partition })));

/** One process of the audit service on a store that several may share. */
export class AuditProcess<S extends LogStore = LogStore> {
  readonly announced: Extract<AnyEvent, { type: 'audit.checkpoint-signed.v1' }>[] = [];
  readonly warnings: unknown[] = [];
  kafkaIsDown = false;
  elapsedMs = 0;
  nowMs = NOW_MS;
  readonly logs: AuditLogs;
  readonly signer: CheckpointSigner;
  readonly topics: FollowedTopics;
  private readonly epochs = new Map<string, number>();

  constructor(
    readonly store: S,
    keys: LogKeys = key,
  ) {
    const clock = { now: () => this.nowMs, monotonicMs: () => this.elapsedMs };
    const around = { store, key: keys, origin, clock };
    this.logs = new AuditLogs(around, () => undefined);
    this.signer = new CheckpointSigner({
      logs: this.logs,
      around,
      appender: {
        append: (events) => {
          if (this.kafkaIsDown) return Promise.reject(new Error('append-failed'));
          for (const event of events) {
            encodeEvent('audit.checkpoints', event);
            if (event.type === 'audit.checkpoint-signed.v1') this.announced.push(event);
          }
          return Promise.resolve([]);
        },
      },
      partitionCount: () => 2,
      clock,
      logger: { warn: (facts) => this.warnings.push(facts) },
      intervalMs: 3_600_000,
    });
    this.topics = new FollowedTopics(this.logs, this.signer, around);
  }

  async take(partitions = everyPartition(this.topics.topics)): Promise<Map<string, { next: number; epoch: number }>> {
    const taken = await this.topics.take(partitions);
    for (const [name, { epoch }] of taken) this.epochs.set(name, epoch);
    return taken;
  }

  async apply(topic: string, partition: number, from: number, count = 1): Promise<void> {
    const records: LogRecord[] = Array.from({ length: count }, (_, i) => ({
      topic,
      partition,
      offset: from + i,
      timestampMs: NOW_MS,
      key: null,
      headers: [],
      value: Buffer.from(`${topic} ${String(from + i)}`),
    }));
    await this.applyRecords(records);
  }

  /** Records of one partition. */
  async applyRecords(records: readonly LogRecord[]): Promise<void> {
    const { topic = '', partition = 0 } = records[0] ?? {};
    const epoch = this.epochs.get(`${topic}/${String(partition)}`) ?? 0;
    const batch = { topic, partition, records, epoch, heartbeat: () => Promise.resolve(), isCurrent: () => true };
    await this.topics.apply(batch);
  }

  async size(name: string): Promise<number> {
    const note = await this.store.read(`public/logs/${name}/checkpoint`);
    return note === undefined ? 0 : openCheckpoint(note, `${origin}/${name}`, key.verifiers(`${origin}/${name}`)).size;
  }
}
