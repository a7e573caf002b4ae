import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Clock, CLOCK } from '@assent/service-runtime';
import type { WitnessState, Witnesses } from '../ask-witnesses/witnesses.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import {
  HEADS_NAME,
  HEADS_PREFIX,
  keepsEntries,
  logName,
  originOf,
  WITNESS_POLICY_PATH,
} from '../merkle-logs/log-layout.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { base64, keptForEver, PublishedLogs } from '../merkle-logs/published-logs.ts';
import { LOG_STORE, WITNESSES } from '../tokens.ts';

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
  /** Verifier key lines of all keys, in the order in which they followed each other. */
  readonly keys: readonly string[];
  readonly heads?: ShownLog;
  readonly witnesses: ShownWitnesses;
  readonly logs: readonly (ShownLog & {
    keepsEntries: boolean;
    keptForEver: boolean;
    /** Number of the first leaf whose entry is kept, as the newest head says. */
    firstRetained: number;
  })[];
}

/** How far witnesses have seen the logs. */
export interface ShownWitnesses {
  /** `none-asked`, or whether the newest head has reached the quorum of the operator's policy. */
  readonly quorum: 'none-asked' | 'reached' | 'not-reached';
  /** Entries of the newest head that reached the quorum; 0 for none. */
  readonly cosignedHeadsSize: number;
  /** Entries of the log of heads that no quorum of witnesses has seen. */
  readonly entriesNotCosigned: number;
  /** What came of asking, where this process asks. */
  readonly each: readonly WitnessState[];
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
    @Inject(WITNESSES) private readonly asked: Witnesses | undefined,
  ) {}

  async execute(): Promise<ShownLogs> {
    const heads = await this.show(HEADS_NAME, new LogFiles(this.store, HEADS_PREFIX));
    const { keys } = await this.published.succession();
    const logs: ShownLogs['logs'][number][] = [];
    for (const { topic, partition } of this.published.all()) {
      const shown = await this.show(logName({ topic, partition }), this.published.files(topic, partition).files);
      if (shown === undefined) continue;
      const firstRetained = await this.published.firstRetained(shown.name);
      logs.push({ ...shown, keepsEntries: keepsEntries(topic), keptForEver: keptForEver(topic), firstRetained });
    }
    return {
      origin: this.published.origin,
      keyFingerprint: this.published.keyFingerprint,
      keys,
      witnesses: await this.witnesses(heads?.size ?? 0),
      ...(heads === undefined ? {} : { heads }),
      logs,
    };
  }

  private async witnesses(headsSize: number): Promise<ShownWitnesses> {
    const policy = await this.store.modifiedAtMs(WITNESS_POLICY_PATH);
    const cosignedHeadsSize = (await this.published.heads.cosignedHead())?.size ?? 0;
    const reached = cosignedHeadsSize >= headsSize && headsSize > 0;
    return {
      quorum: policy === undefined ? 'none-asked' : reached ? 'reached' : 'not-reached',
      cosignedHeadsSize,
      entriesNotCosigned: Math.max(0, headsSize - cosignedHeadsSize),
      each: this.asked?.states ?? [],
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
