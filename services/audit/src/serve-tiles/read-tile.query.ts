import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { encodeBundle, hashesAtLevel, parseIndexedPath, parseTilePath, TILE_WIDTH } from '@assent/merkle-log';
import { Problem } from '@assent/service-runtime';
import { encodeOffsets, LogFiles } from '../merkle-logs/log-files.ts';
import { HEADS_PREFIX, keepsEntries } from '../merkle-logs/log-layout.ts';
import type { LogStore } from '../merkle-logs/log-store.ts';
import { PublishedLogs } from '../merkle-logs/published-logs.ts';
import { LOG_STORE } from '../tokens.ts';

/** Which log: one of a topic's, or the log of heads. */
export type AskedLog = { readonly topic: string; readonly partition: number } | 'heads';

/**
 * A resource of C2SP tlog-tiles, `checkpoint`, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, or one that the
 * folder has besides: `cosigned-checkpoint`, `offsets/<N>[.p/<W>]`, `value/<SHA-256>`.
 */
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
    if (resource === 'cosigned-checkpoint' && log === 'heads') {
      return (await files.cosignedCheckpoint()) ?? notThere('No head has reached the quorum of witnesses yet.');
    }
    const value = /^value\/([0-9a-f]{64})$/.exec(resource)?.[1];
    if (value !== undefined) {
      return (await files.value(Buffer.from(value, 'hex'))) ?? notThere('There is no value with this hash.');
    }
    const size = (await files.head())?.size ?? 0;
    if (resource.startsWith('offsets/')) return offsets(files, size, resource.slice('offsets/'.length));
    const asked = parseTilePath(resource);
    if (asked === undefined) return notThere('This is not the path of a tile.');
    assertReached(asked, size, asked.kind === 'tile' ? asked.level : 0);
    if (asked.kind === 'tile') return files.tile(asked);
    if (!entries) return notThere('Of this topic only hashes are kept.');
    if ((asked.index + 1) * TILE_WIDTH <= size && !(await files.hasBundle(asked.index))) {
      return notThere('These entries were removed by the retention policy of their topic; their hashes are kept.');
    }
    return encodeBundle(await files.bundle(asked.index, asked.width));
  }

  private find(log: AskedLog): { files: LogFiles; entries: boolean } {
    if (log === 'heads') return { files: new LogFiles(this.store, HEADS_PREFIX), entries: true };
    const { topic, files } = this.logs.files(log.topic, log.partition);
    return { files, entries: keepsEntries(topic) };
  }
}

async function offsets(files: LogFiles, size: number, path: string): Promise<Uint8Array> {
  const asked = parseIndexedPath(path);
  if (asked === undefined) return notThere('This is not the path of a piece of the offset index.');
  assertReached(asked, size, 0);
  return encodeOffsets(await files.offsets(asked.index, asked.width));
}

function assertReached(asked: { index: number; width: number }, size: number, level: number): void {
  if (asked.index * TILE_WIDTH + asked.width <= hashesAtLevel(size, level)) return;
  notThere('The signed tree does not reach this tile.');
}

function notThere(detail: string): never {
  throw new Problem({ status: 404, code: 'no-such-tile', title: 'There is no such tile', detail });
}
