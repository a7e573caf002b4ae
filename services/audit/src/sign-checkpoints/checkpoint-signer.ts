import { type AnyEvent, dataSchemaOf, deterministicId } from '@assent/contracts';
import type { TopicPartition } from '@assent/event-log';
import { type Checkpoint, sameHash } from '@assent/merkle-log';
import type { Appender, Clock } from '@assent/service-runtime';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { EntryRetention } from '../prune-entries/entry-retention.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { LOGGED_TOPICS, logPrefix, originOf } from '../merkle-logs/log-layout.ts';
import { MerkleLogError } from '../merkle-logs/merkle-logs.errors.ts';
import type { LogSurroundings } from '../merkle-logs/topic-log.ts';
import type { AuditLogs } from '../record-leaves/audit-logs.ts';
import { HeadLog, type HeadToBind, type SignedHeads } from './head-log.ts';

/** Ticks between two looks at every log's checkpoint: other processes' logs are bound with that delay, 10 s by default. */
const TICKS_PER_SWEEP = 20;

/** Ticks between two looks for entries that may go: ten minutes by default. */
const TICKS_PER_PRUNING = 1_200;

/** Whoever owns this partition keeps the log of heads: always there, and owned by one process at a time. */
const HEADS_FOLLOW: TopicPartition = { topic: 'consent.events', partition: 0 };

/** Tenant of what belongs to no controller: the heads bind the records of all of them. */
const NO_TENANT = 'assent';

export interface CheckpointSignerOptions {
  readonly logs: AuditLogs;
  readonly around: LogSurroundings;
  readonly appender: Pick<Appender, 'append'>;
  readonly partitionCount: (topic: string) => number;
  readonly clock: Clock;
  readonly logger: { warn(facts: object, message: string): void };
  readonly intervalMs: number;
  /** Lets old entries go where a policy says so. */
  readonly retention?: Pick<EntryRetention, 'due' | 'remove'>;
  /** Is told of each new head; asks the witnesses about it on its own time. */
  readonly witnesses?: { offer(heads: HeadLog): void };
}

/** A signed head of all logs and when it was signed. */
interface DatedHeads extends SignedHeads {
  readonly at: string;
}

/**
 * Signs, every interval, each log that grew, then the head that binds them all, and appends that head to
 * audit.checkpoints. Idle logs are not signed again.
 */
export class CheckpointSigner implements OnApplicationShutdown {
  private heads: HeadLog | undefined;
  private newest: DatedHeads | undefined;
  private readonly unannounced = new Map<string, Checkpoint>();
  private ticks = 0;
  /** Since when a log's checkpoint waits for the head that binds it. */
  private unboundSinceMs: number | undefined;
  /** The log of heads was taken by another process while a head was due, which waits for a later one. */
  private lostHeads: { readonly heads: HeadLog; readonly sinceMs: number } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private lost: (followed: TopicPartition) => void = () => undefined;

  constructor(private readonly options: CheckpointSignerOptions) {}

  /**
   * Told of every assignment: begins to sign with the first, and takes the log of heads over when it comes with the
   * partition it follows.
   */
  async taken(partitions: readonly TopicPartition[]): Promise<void> {
    this.start();
    const mine = partitions.some((p) => p.topic === HEADS_FOLLOW.topic && p.partition === HEADS_FOLLOW.partition);
    if (!mine) return;
    const { store, key, origin } = this.options.around;
    this.heads = undefined;
    await this.running;
    this.unboundSinceMs = undefined;
    this.heads = await HeadLog.take(store, key, origin);
    this.lostHeads = undefined;
    this.ticks = 0;
  }

  /** Calls the listener with the partition that the log of heads follows when another process took that log. */
  onLost(listener: (followed: TopicPartition) => void): void {
    this.lost = listener;
  }

  /** How long the oldest record waits for its log's checkpoint, or that for the head that binds it, ms. */
  get unsignedForMs(): number {
    const sinceMs = this.unboundSinceMs ?? this.lostHeads?.sinceMs;
    const unboundForMs = sinceMs === undefined ? 0 : this.options.clock.monotonicMs() - sinceMs;
    return Math.max(this.options.logs.unsignedForMs, unboundForMs);
  }

  private start(): void {
    if (this.timer === undefined) this.schedule(0);
  }

  /**
   * Ends signing with one last round, in which what is in memory becomes durable and signed. Nest calls it when the
   * consumer has stopped and the event log is still open.
   */
  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
    if (this.timer !== undefined) await this.tick();
  }

  private schedule(delayMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      const startedMs = this.options.clock.monotonicMs();
      this.running = this.tick().finally(() => {
        const tookMs = this.options.clock.monotonicMs() - startedMs;
        this.schedule(Math.max(0, this.options.intervalMs - tookMs));
      });
    }, delayMs);
    this.timer.unref();
  }

  /** One round. A failure is logged and mended by the next round; the age of the checkpoints shows how long it lasts. */
  async tick(): Promise<void> {
    const { grown, failed } = await this.options.logs.commitGrown();
    for (const { name, error } of failed) this.warn(error, { log: name }, 'a log could not be signed');
    try {
      await this.bind(grown.map(({ checkpoint }) => checkpoint));
    } catch (error) {
      this.warn(error, {}, 'the head of all logs could not be signed or announced');
      if (error instanceof MerkleLogError && error.code === 'stale-owner') this.letHeadsGo();
    }
  }

  private letHeadsGo(): void {
    if (this.heads === undefined) return;
    this.lostHeads = { heads: this.heads, sinceMs: this.unboundSinceMs ?? this.options.clock.monotonicMs() };
    this.heads = undefined;
    this.unboundSinceMs = undefined;
    this.lost(HEADS_FOLLOW);
  }

  private async bind(grown: readonly Checkpoint[]): Promise<void> {
    const heads = this.heads;
    if (heads === undefined) {
      this.ticks += 1;
      // Whoever was told may have been busy; one that does not own the partition leaves it alone.
      if (this.ticks % TICKS_PER_SWEEP === 0) this.lost(HEADS_FOLLOW);
      if ((await this.lostHeads?.heads.isContinued()) === true) this.lostHeads = undefined;
      return;
    }
    if (grown.length > 0) this.unboundSinceMs ??= this.options.clock.monotonicMs();
    const sweep = this.ticks % TICKS_PER_SWEEP === 0;
    const at = new Date(this.options.clock.now()).toISOString();
    const found = [...(sweep ? await this.allCheckpoints() : []), ...grown];
    const continuing = found.filter((head) => this.continues(heads, head));
    for (const head of heads.record(
      continuing.map((head) => ({ ...head, partitions: this.partitionsOf(head.origin) })),
      at,
    )) {
      this.unannounced.set(head.origin, head);
    }
    const prune = this.ticks % TICKS_PER_PRUNING === 0;
    if (prune) heads.record(await this.dueForPruning(heads), at);
    this.ticks += 1;
    await heads.commit();
    this.unboundSinceMs = undefined;
    // Asked for rather than what the commit answers: the answer of the last one may have been lost.
    const signed = await heads.signed();
    if (signed !== undefined && signed.size !== this.newest?.size) this.newest = { ...signed, at };
    if (prune) await this.prune(heads);
    this.options.witnesses?.offer(heads);
    if (this.newest !== undefined) await this.announce(heads.origin, this.newest);
  }

  /** Pruning can wait; signing cannot. */
  private async dueForPruning(heads: HeadLog): Promise<HeadToBind[]> {
    try {
      return (await this.options.retention?.due(heads)) ?? [];
    } catch (error) {
      this.warn(error, {}, 'it could not be seen which entries may go');
      return [];
    }
  }

  private async prune(heads: HeadLog): Promise<void> {
    try {
      await this.options.retention?.remove(heads);
    } catch (error) {
      this.warn(error, {}, 'entries that may go could not be removed');
    }
  }

  /** A head that is bound is never taken back: what a checkpoint says that went back behind it is not recorded. */
  private continues(heads: HeadLog, { origin, size, root }: Checkpoint): boolean {
    const bound = heads.bound(origin);
    if (bound === undefined || size > bound.size || (size === bound.size && sameHash(root, bound.root))) return true;
    const error = new MerkleLogError('log-damaged', `${origin} is not the log whose head was bound at ${bound.size}`);
    this.warn(error, { log: origin }, 'a checkpoint went back behind the head that binds its log');
    return false;
  }

  /** Partitions of the topic of a log. */
  private partitionsOf(origin: string): number {
    const name = origin.slice(originOf(this.options.around.origin, '').length);
    return this.options.partitionCount(name.slice(0, name.lastIndexOf('/')));
  }

  /** The checkpoint of every log, as its file says. */
  private async allCheckpoints(): Promise<Checkpoint[]> {
    const found: Checkpoint[] = [];
    for (const topic of LOGGED_TOPICS) {
      for (let partition = 0; partition < this.options.partitionCount(topic); partition += 1) {
        const head = await new LogFiles(this.options.around.store, logPrefix({ topic, partition })).head();
        if (head !== undefined) found.push(head);
      }
    }
    return found;
  }

  /** Appends the head, if its logs were not announced yet. The event names those that grew since the last one. */
  private async announce(origin: string, { size, note, at }: DatedHeads): Promise<void> {
    const announced = [...this.unannounced.values()];
    if (announced.length === 0) return;
    const event: AnyEvent = {
      id: deterministicId('audit-head', origin, String(size)),
      source: '/audit',
      type: 'audit.checkpoint-signed.v1',
      time: at,
      tenant: NO_TENANT,
      partitionKey: origin,
      dataSchema: dataSchemaOf('audit.checkpoint-signed.v1'),
      data: { origin, signedAt: at, note, logs: this.sizesAndRoots(announced) },
    };
    await this.options.appender.append([event]);
    for (const head of announced) {
      if (this.unannounced.get(head.origin) === head) this.unannounced.delete(head.origin);
    }
  }

  private sizesAndRoots(heads: readonly Checkpoint[]): Record<string, { size: number; root: string }> {
    const base = originOf(this.options.around.origin, '');
    return Object.fromEntries(
      heads.map(({ origin, size, root }) => {
        return [origin.slice(base.length), { size, root: Buffer.from(root).toString('base64') }];
      }),
    );
  }

  private warn(error: unknown, facts: object, message: string): void {
    const { code } = error as { code?: unknown };
    this.options.logger.warn({ ...facts, err: error, code }, message);
  }
}
