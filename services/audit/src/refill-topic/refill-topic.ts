import type { LogRecord, TopicName } from '@assent/contracts';
import { type DeclaredTopic, type KafkaSettings, restoreTopic } from '@assent/event-log';
import {
  type Checkpoint,
  decodeLeaf,
  ed25519Verifier,
  leafHash,
  openCheckpoint,
  sameHash,
  sha256,
  TILE_WIDTH,
  TreeBuilder,
} from '@assent/merkle-log';
import { publicKeysOf, readSuccession } from '../merkle-logs/key-succession.ts';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { keepsEntries, LOGGED_TOPICS, logName, logPrefix, originOf } from '../merkle-logs/log-layout.ts';
import type { LogReader } from '../merkle-logs/log-store.ts';

/** Why a topic cannot be filled from its logs. The message is for the operator. */
export class RefillError extends Error {
  override readonly name = 'RefillError';
  constructor(
    readonly code: 'topic-not-refillable' | 'log-incomplete' | 'log-damaged',
    message: string,
  ) {
    super(message);
  }
}

export interface RefillOptions {
  readonly store: LogReader;
  readonly origin: string;
  readonly kafka: KafkaSettings;
  readonly topic: DeclaredTopic;
}

/** One log, verified: its signed size, and its records from the entries. */
interface VerifiedLog {
  readonly partition: number;
  readonly files: LogFiles;
  readonly size: number;
}

/**
 * Fills an empty topic with what its logs hold, when Kafka has lost it. Every log is verified first, leaf by leaf against
 * its signed checkpoint, so nothing comes back that was not there; afterwards the topic gives the same leaves again.
 * Answers the number of records.
 *
 * @throws RefillError for `dispatch.requests` (of which no entries are kept), pruned or incomplete logs, damaged ones
 * @throws RestoreError when the topic is not empty
 */
export async function refillTopic({ store, origin, kafka, topic }: RefillOptions): Promise<number> {
  const name = LOGGED_TOPICS.find((logged) => logged === topic.name);
  if (name === undefined || !keepsEntries(name)) {
    throw new RefillError(
      'topic-not-refillable',
      `of ${topic.name} no entries are kept, so there is nothing to fill it with`,
    );
  }
  const logs: VerifiedLog[] = [];
  for (let partition = 0; partition < topic.partitions; partition += 1) {
    logs.push(await verified(store, origin, { topic: name, partition }));
  }
  return restoreTopic(
    kafka,
    topic,
    logs.map((log) => () => recordsOf(log)),
  );
}

async function verified(
  store: LogReader,
  base: string,
  log: { topic: TopicName; partition: number },
): Promise<VerifiedLog> {
  const files = new LogFiles(store, logPrefix(log));
  const name = logName(log);
  const note = await files.checkpoint();
  if (note === undefined) return { partition: log.partition, files, size: 0 };
  const keys = publicKeysOf(await readSuccession(store));
  const origin = originOf(base, name);
  const verifiers = keys.map((key) => ed25519Verifier(origin, key));
  const checkpoint: Checkpoint = openCheckpoint(note, origin, verifiers);
  const tree = new TreeBuilder();
  for await (const { entry, offset } of entriesOf(files, checkpoint.size, name)) {
    if (offset !== tree.size) {
      throw new RefillError(
        'log-incomplete',
        `${name} has offset ${offset} as leaf ${tree.size}: records are missing before it`,
      );
    }
    const { value } = decodeLeaf(entry);
    if (value.form === 'by-hash') await keptApart(files, value.sha256);
    tree.append(leafHash(entry));
  }
  if (!sameHash(tree.root(), checkpoint.root)) {
    throw new RefillError('log-damaged', `the entries of ${name} do not give the root that was signed`);
  }
  return { partition: log.partition, files, size: checkpoint.size };
}

async function* entriesOf(files: LogFiles, size: number, name: string) {
  for (let bundle = 0; bundle * TILE_WIDTH < size; bundle += 1) {
    const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
    if (width === TILE_WIDTH && !(await files.hasBundle(bundle))) {
      throw new RefillError(
        'log-incomplete',
        `entries of ${name} were pruned: leaf ${bundle * TILE_WIDTH} is not kept`,
      );
    }
    for (const entry of await files.bundle(bundle, width)) yield { entry, offset: decodeLeaf(entry).offset };
  }
}

async function* recordsOf({ files, size, partition }: VerifiedLog): AsyncGenerator<LogRecord> {
  for await (const { entry } of entriesOf(files, size, `partition ${partition}`)) {
    const { value, headers, ...leaf } = decodeLeaf(entry);
    yield {
      ...leaf,
      headers: headers.map((header) => ({ name: header.name, value: header.value ?? new Uint8Array() })),
      value:
        value.form === 'null' ? null : value.form === 'inline' ? value.bytes : await keptApart(files, value.sha256),
    };
  }
}

async function keptApart(files: LogFiles, hash: Uint8Array): Promise<Uint8Array> {
  const value = await files.value(hash);
  if (value !== undefined && sameHash(sha256(value), hash)) return value;
  throw new RefillError('log-damaged', `the value ${Buffer.from(hash).toString('hex')} is missing or another one`);
}
