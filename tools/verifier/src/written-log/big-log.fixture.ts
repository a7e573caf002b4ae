import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AnyEvent, encodeEvent, topicOf } from '@assent/contracts';
import { exampleEvent, exampleSubjectId } from '../../../../libs/contracts/src/examples.fixture.ts';
import { uuid } from './events.fixture.ts';
import { TestKey } from './note-signing.fixture.ts';
import { type AppendedRecord, type FileSink, WrittenLog } from './written-log.fixture.ts';

/** Leaves of one person's story: a grant, a decision, an attempt, its outcome. */
const STORY_LEAVES = 4;

export interface BigLogOptions {
  /** About so many leaves: a whole number of stories. */
  readonly leaves: number;
  /** Partitions of consent.events and dispatch.events. */
  readonly partitions?: number;
  /** Stories between two rounds of signing. */
  readonly storiesPerHead?: number;
}

/** A folder on a disk; folders are made once. */
class FolderSink implements FileSink {
  private readonly made = new Set<string>();

  constructor(private readonly folder: string) {}

  write(path: string, bytes: Uint8Array): void {
    const parent = dirname(path);
    if (!this.made.has(parent)) mkdirSync(join(this.folder, parent), { recursive: true });
    this.made.add(parent);
    writeFileSync(join(this.folder, path), bytes);
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { force: true });
  }
}

/**
 * Writes an audit folder of any size for measurements: valid events of realistic length (about 1 KB a leaf), in memory
 * only what is not full yet. Answers how many leaves it has. About 25 µs a leaf.
 */
export function writeBigLog(folder: string, options: BigLogOptions): number {
  const { leaves, partitions = 12, storiesPerHead = 1_000 } = options;
  const log = new WrittenLog({ origin: 'log.example', sink: new FolderSink(folder), key: new TestKey(1) });
  const stories = Math.max(1, Math.round(leaves / STORY_LEAVES));
  const [grant, ...decisions] = [
    template(exampleEvent('consent.granted.v1')),
    template(exampleEvent('dispatch.accepted.v1')),
    template(exampleEvent('dispatch.attempt-intended.v1')),
    template(exampleEvent('dispatch.attempt-sent.v1')),
  ];
  for (let story = 0; story < stories; story += 1) {
    const partition = story % partitions;
    log.append(`consent.events/${partition}`, [grant(story, partition)]);
    log.append(
      `dispatch.events/${partition}`,
      decisions.map((record) => record(story, partition)),
    );
    if (story % storiesPerHead === 0) log.sign();
  }
  log.sign();
  return stories * STORY_LEAVES;
}

/** A record of the type of an event, for the person and the partition of a story. */
function template(event: AnyEvent): (story: number, partition: number) => AppendedRecord {
  const { dispatchId, attemptId } = exampleEvent('dispatch.attempt-intended.v1').data;
  const { headers, value } = encodeEvent(topicOf(event.type), event);
  const text = Buffer.from(value).toString().replaceAll('consent.events/3', 'consent.events/PARTITION');
  return (story, partition) => {
    const who = Buffer.from(uuid(story));
    const data = text
      .replaceAll(exampleSubjectId, uuid(story))
      .replaceAll(dispatchId, uuid(10 ** 9 + story))
      .replaceAll(attemptId, uuid(2 * 10 ** 9 + story))
      .replaceAll('PARTITION', String(partition));
    return {
      key: who,
      headers: headers.map(({ name, value: bytes }) => [name, name === 'ce_partitionkey' ? who : bytes] as const),
      value: Buffer.from(data),
    };
  };
}
