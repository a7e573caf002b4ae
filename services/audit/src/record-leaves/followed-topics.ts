import type { RecordBatch, TopicPartition } from '@assent/event-log';
import type { BatchConsumer } from '@assent/service-runtime';
import { MANIFEST_PATH, originOf } from '../merkle-logs/log-layout.ts';
import type { LogSurroundings } from '../merkle-logs/topic-log.ts';
import type { CheckpointSigner } from '../sign-checkpoints/checkpoint-signer.ts';
import type { AuditLogs } from './audit-logs.ts';

/** Names the layout of the folder; docs/formats/audit-folder.md describes it. */
const FOLDER_FORMAT = 'assent-audit-folder/v1';

/** Follows every logged topic: records become leaves, and the owner of the log of heads is found with the assignment. */
export class FollowedTopics implements BatchConsumer {
  readonly topics: readonly string[];

  constructor(
    private readonly logs: AuditLogs,
    private readonly signer: CheckpointSigner,
    private readonly around: LogSurroundings,
  ) {
    this.topics = logs.topics;
  }

  /** Writes the folder's manifest: the format, the base origin and the public key. */
  async init(): Promise<void> {
    const { store, key, origin } = this.around;
    const manifest = { format: FOLDER_FORMAT, origin, keys: [key.verifierKey(originOf(origin, 'heads'))] };
    await store.write([{ path: MANIFEST_PATH, bytes: Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`) }]);
  }

  async take(partitions: readonly TopicPartition[]): Promise<Map<string, { next: number; epoch: number }>> {
    const taken = await this.logs.take(partitions);
    await this.signer.taken(partitions);
    return taken;
  }

  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.logs.next(partitions);
  }

  apply(batch: RecordBatch): Promise<void> {
    return this.logs.apply(batch);
  }
}
