import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AnyEvent, topicOf } from '@assent/contracts';
import { exampleEvent, exampleSubjectId } from '../../../../libs/contracts/src/examples.fixture.ts';
import { partitionOf } from '../records/partition.ts';
import { recordOf, uuid } from './events.fixture.ts';
import { leafBytes } from './leaf-bytes.fixture.ts';
import { TestKey } from './note-signing.fixture.ts';
import { type FileSink, WrittenLog } from './written-log.fixture.ts';

/** When the first record of each log was stored. */
const T0 = Date.parse('2026-11-24T09:30:00.000Z');

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

/** A person's story: who, which dispatch and which attempt. */
interface Story {
  readonly subjectId: string;
  readonly dispatchId: string;
  readonly attemptId: string;
}

/**
 * Writes an audit folder of any size for measurements: valid events of realistic length (about 1 KB a leaf), in memory
 * only what is not full yet. Answers how many leaves it has. Some 10 µs a leaf.
 */
export function writeBigLog(folder: string, options: BigLogOptions): number {
  const { leaves, partitions = 12, storiesPerHead = 1_000 } = options;
  const log = new WrittenLog({
    origin: 'log.example',
    sink: new FolderSink(folder),
    key: new TestKey(1),
    partitions: { 'consent.events': partitions, 'dispatch.events': partitions },
  });
  const stories = Math.max(1, Math.round(leaves / STORY_LEAVES));
  const leavesOf = Array.from({ length: partitions }, (_, partition) => storyLeaves(partition));
  for (let n = 0; n < stories; n += 1) {
    const story = { subjectId: uuid(n), dispatchId: uuid(10 ** 9 + n), attemptId: uuid(2 * 10 ** 9 + n) };
    for (const { name, leaf } of leavesOf[partitionOf(Buffer.from(story.subjectId), partitions)] ?? []) {
      const offset = log.size(name);
      log.appendEntry(name, leaf(story, offset), offset);
    }
    if (n % storiesPerHead === 0) log.sign();
  }
  log.sign();
  return stories * STORY_LEAVES;
}

interface StoryLeaf {
  /** The log it goes to. */
  readonly name: string;
  readonly leaf: (story: Story, offset: number) => Buffer;
}

/** The leaves of a story of a person in a partition, in the order they are written. */
function storyLeaves(partition: number): StoryLeaf[] {
  return [
    template(exampleEvent('consent.granted.v1'), partition),
    template(exampleEvent('dispatch.accepted.v1'), partition),
    template(exampleEvent('dispatch.attempt-intended.v1'), partition),
    template(exampleEvent('dispatch.attempt-sent.v1'), partition),
  ];
}

/** The leaf of an event, encoded once: what differs from story to story is as long in each and written over. */
function template(event: AnyEvent, partition: number): StoryLeaf {
  const { dispatchId, attemptId } = exampleEvent('dispatch.attempt-intended.v1').data;
  const topic = topicOf(event.type);
  const record = recordOf(event);
  const text = Buffer.from(record.value as Uint8Array).toString();
  const value = Buffer.from(text.replaceAll('consent.events/3', `consent.events/${partition}`));
  const bytes = leafBytes({ ...record, value, topic, partition, offset: 0, timestampMs: T0 });
  const places: readonly (readonly [keyof Story, readonly number[]])[] = [
    ['subjectId', placesOf(exampleSubjectId, bytes)],
    ['dispatchId', placesOf(dispatchId, bytes)],
    ['attemptId', placesOf(attemptId, bytes)],
  ];
  const offsetAt = 1 + 4 + topic.length + 4;
  return {
    name: `${topic}/${partition}`,
    leaf: (story, offset) => {
      const leaf = Buffer.from(bytes);
      leaf.writeUIntBE(offset, offsetAt + 2, 6);
      leaf.writeUIntBE(T0 + offset, offsetAt + 10, 6);
      for (const [id, at] of places) for (const place of at) leaf.write(story[id], place, 'latin1');
      return leaf;
    },
  };
}

function placesOf(text: string, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) places.push(at);
  return places;
}
