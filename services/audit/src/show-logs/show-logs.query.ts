import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Clock, CLOCK } from '@assent/service-runtime';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { HEADS_NAME, HEADS_PREFIX, keepsEntries, logName, originOf } from '../merkle-logs/log-layout.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { base64, keptForEver, PublishedLogs } from '../merkle-logs/published-logs.ts';
import { LOG_STORE } from '../tokens.ts';

export interface ShownLog {
  readonly name: string;
  readonly origin: string;
  readonly verifierKey: string;
  readonly size: number;
  /** base64 */
  readonly root: string;
  /** Time since the newest checkpoint was written, ms: an idle log's grows, which means nothing. */
  readonly checkpointAgeMs: number;
}

export interface ShownLogs {
  readonly origin: string;
  /** SHA-256 of the public key, hex; to be compared by another way than this one. */
  readonly keyFingerprint: string;
  readonly heads?: ShownLog;
  readonly logs: readonly (ShownLog & { keepsEntries: boolean; keptForEver: boolean })[];
}

/** The size and root of every log that has records. */
export class ShowLogs {
  readonly kind = 'show-logs';
}

@QueryHandler(ShowLogs)
export class ShowLogsHandler implements IQueryHandler<ShowLogs, ShownLogs> {
  constructor(
    @Inject(PublishedLogs) private readonly published: PublishedLogs,
    @Inject(LOG_STORE) private readonly store: LogStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute(): Promise<ShownLogs> {
    const heads = await this.show(HEADS_NAME, new LogFiles(this.store, HEADS_PREFIX));
    const logs: ShownLogs['logs'][number][] = [];
    for (const { topic, partition } of this.published.all()) {
      const shown = await this.show(logName({ topic, partition }), this.published.files(topic, partition).files);
      if (shown === undefined) continue;
      logs.push({ ...shown, keepsEntries: keepsEntries(topic), keptForEver: keptForEver(topic) });
    }
    return {
      origin: this.published.origin,
      keyFingerprint: this.published.keyFingerprint,
      ...(heads === undefined ? {} : { heads }),
      logs,
    };
  }

  private async show(name: string, files: LogFiles): Promise<ShownLog | undefined> {
    const [head, signedAtMs] = await Promise.all([files.head(), files.signedAtMs()]);
    if (head === undefined) return undefined;
    return {
      name,
      origin: originOf(this.published.origin, name),
      verifierKey: this.published.verifierKey(name),
      size: head.size,
      root: base64(head.root),
      checkpointAgeMs: Math.max(0, Math.round(this.clock.now() - (signedAtMs ?? this.clock.now()))),
    };
  }
}
