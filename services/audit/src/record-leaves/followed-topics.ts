import type { RecordBatch, TopicPartition } from '@assent/event-log';
import type { BatchConsumer } from '@assent/service-runtime';
import { assertMaySign, readSuccession } from '../merkle-logs/key-succession.ts';
import type { LogSurroundings } from '../merkle-logs/topic-log.ts';
import type { CheckpointSigner } from '../sign-checkpoints/checkpoint-signer.ts';
import type { AuditLogs } from './audit-logs.ts';

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

  /** @throws MerkleLogError `signing-key-unusable` when the keys given are not the ones that sign in this folder */
  async init(): Promise<void> {
    const { store, key, origin } = this.around;
    assertMaySign(await readSuccession(store), key, origin);
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
