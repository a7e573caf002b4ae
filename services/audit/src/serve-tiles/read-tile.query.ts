import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { encodeBundle, hashesAtLevel, parseTilePath, TILE_WIDTH } from '@assent/merkle-log';
import { Problem } from '@assent/service-runtime';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { HEADS_PREFIX, keepsEntries } from '../merkle-logs/log-layout.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { PublishedLogs } from '../merkle-logs/published-logs.ts';
import { LOG_STORE } from '../tokens.ts';

/** Which log: one of a topic's, or the log of heads. */
export type AskedLog = { readonly topic: string; readonly partition: number } | 'heads';

/** A resource of C2SP tlog-tiles: `checkpoint`, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`. */
export class ReadTile {
  constructor(
    readonly log: AskedLog,
    readonly resource: string,
  ) {}
}

/**
 * Answers a resource's bytes. A partial tile that was replaced by a wider one is cut from that one, so every width that
 * was ever signed can be had.
 */
@QueryHandler(ReadTile)
export class ReadTileHandler implements IQueryHandler<ReadTile, Uint8Array> {
  constructor(
    @Inject(PublishedLogs) private readonly logs: PublishedLogs,
    @Inject(LOG_STORE) private readonly store: LogStore,
  ) {}

  async execute({ log, resource }: ReadTile): Promise<Uint8Array> {
    const { files, entries } = this.find(log);
    if (resource === 'checkpoint') return (await files.checkpoint()) ?? notThere('The log has no checkpoint yet.');
    const asked = parseTilePath(resource);
    if (asked === undefined) return notThere('This is not the path of a tile.');
    const size = (await files.head())?.size ?? 0;
    const level = asked.kind === 'tile' ? asked.level : 0;
    if (asked.index * TILE_WIDTH + asked.width > hashesAtLevel(size, level)) {
      return notThere('The signed tree does not reach this tile.');
    }
    if (asked.kind === 'tile') return files.tile(asked);
    if (!entries) return notThere('Of this topic only hashes are kept.');
    return encodeBundle(await files.bundle(asked.index, asked.width));
  }

  private find(log: AskedLog): { files: LogFiles; entries: boolean } {
    if (log === 'heads') return { files: new LogFiles(this.store, HEADS_PREFIX), entries: true };
    const { topic, files } = this.logs.files(log.topic, log.partition);
    return { files, entries: keepsEntries(topic) };
  }
}

function notThere(detail: string): never {
  throw new Problem({ status: 404, code: 'no-such-tile', title: 'There is no such tile', detail });
}
