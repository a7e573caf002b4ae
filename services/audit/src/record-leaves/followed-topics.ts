import type { RecordBatch, TopicPartition } from '@assent/event-log';
import type { BatchConsumer } from '@assent/service-runtime';
import { assertMaySign, readSuccession } from '../merkle-logs/key-succession.ts';
import type { LogSurroundings } from '../merkle-logs/topic-log.ts';
import type { CheckpointSigner } from '../sign-checkpoints/checkpoint-signer.ts';
import type { AuditLogs } from './audit-logs.ts';

/** A failed try to take partitions is followed by the next within this, ms; else they are somebody else's by now. */
const TRIED_AGAIN_WITHIN_MS = 15_000;

/** Follows every logged topic: records become leaves, and the owner of the log of heads is found with the assignment. */
export class FollowedTopics implements BatchConsumer {
  readonly topics: readonly string[];
  /** Partitions are to be taken and are not; `triedMs` is when the last try failed, undefined while one goes on. */
  private untaken: { readonly sinceMs: number; readonly triedMs: number | undefined } | undefined;

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
    const { clock } = this.around;
    const sinceMs = clock.monotonicMs() - this.untakenForMs;
    this.untaken = { sinceMs, triedMs: undefined };
    try {
      const taken = await this.logs.take(partitions);
      await this.signer.taken(partitions);
      this.untaken = undefined;
      return taken;
    } catch (error) {
      this.untaken = { sinceMs, triedMs: clock.monotonicMs() };
      throw error;
    }
  }

  /**
   * How long this process has not signed what it should, ms: since it was to take logs that it could not take, or since
   * the oldest record that it was given has waited for a signed checkpoint and the head that binds it.
   */
  get unsignedForMs(): number {
    return Math.max(this.untakenForMs, this.signer.unsignedForMs);
  }

  private get untakenForMs(): number {
    if (this.untaken === undefined) return 0;
    const { sinceMs, triedMs } = this.untaken;
    const nowMs = this.around.clock.monotonicMs();
    return nowMs - (triedMs ?? nowMs) < TRIED_AGAIN_WITHIN_MS ? nowMs - sinceMs : 0;
  }

  onLost(listener: (partition: TopicPartition) => void): void {
    this.logs.onLost(listener);
    this.signer.onLost(listener);
  }

  next(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    return this.logs.next(partitions);
  }

  apply(batch: RecordBatch): Promise<void> {
    return this.logs.apply(batch);
  }
}
