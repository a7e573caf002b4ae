import { generateKeyPairSync } from 'node:crypto';
import { type AnyEvent, encodeEvent, type LogRecord } from '@assent/contracts';
import { decodeBundle, openCheckpoint, parseCheckpoint } from '@assent/merkle-log';
import { LogKey } from '../merkle-logs/log-key.ts';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { AuditLogs } from '../record-leaves/audit-logs.ts';
import { FollowedTopics } from '../record-leaves/followed-topics.ts';
import { CheckpointSigner } from './checkpoint-signer.ts';

const NOW_MS = Date.parse('2026-11-24T10:00:00.000Z');
const origin = 'log.example';
const key = new LogKey(generateKeyPairSync('ed25519').privateKey);
const everyPartition = (topics: readonly string[]) =>
  topics.flatMap((topic) => [0, 1].map((partition) => ({ topic, partition })));

/** One process of the audit service on a store that several may share. */
class Process {
  readonly announced: Extract<AnyEvent, { type: 'audit.checkpoint-signed.v1' }>[] = [];
  readonly warnings: unknown[] = [];
  kafkaIsDown = false;
  elapsedMs = 0;
  readonly logs: AuditLogs;
  readonly signer: CheckpointSigner;
  readonly topics: FollowedTopics;
  private readonly epochs = new Map<string, number>();

  constructor(readonly store: MemoryLogStore) {
    const clock = { now: () => NOW_MS, monotonicMs: () => this.elapsedMs };
    const around = { store, key, origin, clock };
    this.logs = new AuditLogs(around, () => undefined);
    this.signer = new CheckpointSigner({
      logs: this.logs,
      around,
      appender: {
        append: (events) => {
          if (this.kafkaIsDown) return Promise.reject(new Error('append-failed'));
          for (const event of events) {
            encodeEvent('audit.checkpoints', event);
            if (event.type === 'audit.checkpoint-signed.v1') this.announced.push(event);
          }
          return Promise.resolve([]);
        },
      },
      partitionCount: () => 2,
      clock,
      logger: { warn: (facts) => this.warnings.push(facts) },
      intervalMs: 3_600_000,
    });
    this.topics = new FollowedTopics(this.logs, this.signer, around);
  }

  async take(partitions = everyPartition(this.topics.topics)): Promise<Map<string, { next: number; epoch: number }>> {
    const taken = await this.topics.take(partitions);
    for (const [name, { epoch }] of taken) this.epochs.set(name, epoch);
    return taken;
  }

  async apply(topic: string, partition: number, from: number, count = 1): Promise<void> {
    const records: LogRecord[] = Array.from({ length: count }, (_, i) => ({
      topic,
      partition,
      offset: from + i,
      timestampMs: NOW_MS,
      key: null,
      headers: [],
      value: Buffer.from(`${topic} ${String(from + i)}`),
    }));
    const epoch = this.epochs.get(`${topic}/${String(partition)}`) ?? 0;
    const batch = { topic, partition, records, epoch, heartbeat: () => Promise.resolve(), isCurrent: () => true };
    await this.topics.apply(batch);
  }

  size(name: string): number {
    return checkpointIn(this.store, `public/logs/${name}`, `${origin}/${name}`)?.size ?? 0;
  }
}

function checkpointIn(store: MemoryLogStore, prefix: string, of: string) {
  const note = store.objects.get(`${prefix}/checkpoint`);
  return note && openCheckpoint(note, of, [key.verifier(of)]);
}

/** The heads that the log of heads binds, in order: log and size. */
function boundHeads(store: MemoryLogStore): [string, number][] {
  const size = checkpointIn(store, 'public/heads', `${origin}/heads`)?.size ?? 0;
  const bundle = store.objects.get(`public/heads/tile/entries/000.p/${String(size)}`);
  return decodeBundle(bundle ?? new Uint8Array()).map((entry) => {
    const head = parseCheckpoint(Buffer.from(entry).toString());
    return [head.origin.slice(origin.length + 1), head.size];
  });
}

describe('a round of signing', () => {
  it('signs the logs that grew, binds them in one head and announces it', async () => {
    const process = new Process(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0, 3);
    await process.apply('dispatch.events', 1, 0, 2);
    expect(process.size('consent.events/0')).toBe(0);
    await process.signer.tick();
    expect([process.size('consent.events/0'), process.size('dispatch.events/1')]).toEqual([3, 2]);
    expect(boundHeads(process.store).sort()).toEqual([
      ['consent.events/0', 3],
      ['dispatch.events/1', 2],
    ]);
    const [event] = process.announced;
    expect(Object.keys(event!.data.logs).sort()).toEqual(['consent.events/0', 'dispatch.events/1']);
    expect(event!.data.logs['consent.events/0']!.size).toBe(3);
    const of = `${origin}/heads`;
    expect(openCheckpoint(Buffer.from(event!.data.note), of, [key.verifier(of)]).size).toBe(2);
    expect(process.warnings).toEqual([]);
  });

  it('writes and announces nothing when nothing grew', async () => {
    const process = new Process(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0);
    await process.signer.tick();
    const before = process.store.copy().objects;
    for (let round = 0; round < 45; round += 1) await process.signer.tick();
    expect(process.store.objects).toEqual(before);
    expect(process.announced).toHaveLength(1);
  });

  it('names in a head only the logs that grew since the last', async () => {
    const process = new Process(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0);
    await process.apply('consent.events', 1, 0);
    await process.signer.tick();
    await process.apply('consent.events', 1, 1);
    await process.signer.tick();
    expect(process.announced.map(({ data }) => Object.keys(data.logs).sort())).toEqual([
      ['consent.events/0', 'consent.events/1'],
      ['consent.events/1'],
    ]);
  });

  it('announces after an outage of the broker what grew in it', async () => {
    const process = new Process(new MemoryLogStore());
    await process.take();
    process.kafkaIsDown = true;
    await process.apply('consent.events', 0, 0);
    await process.signer.tick();
    await process.apply('consent.events', 1, 0);
    await process.signer.tick();
    expect(process.size('consent.events/1')).toBe(1);
    process.kafkaIsDown = false;
    await process.signer.tick();
    expect(process.announced.map(({ data }) => Object.keys(data.logs).sort())).toEqual([
      ['consent.events/0', 'consent.events/1'],
    ]);
  });

  it('signs nothing that is not durable, says how long it waits, and catches up by itself', async () => {
    const process = new Process(new MemoryLogStore());
    await process.take();
    await process.apply('consent.events', 0, 0);
    process.store.failAfterObjects = 1;
    await process.signer.tick();
    expect(process.size('consent.events/0')).toBe(0);
    expect(boundHeads(process.store)).toEqual([]);
    expect(process.warnings).not.toEqual([]);
    process.elapsedMs = 7_000;
    expect(process.logs.unsignedForMs).toBe(7_000);
    process.store.failAfterObjects = Infinity;
    await process.signer.tick();
    expect(process.size('consent.events/0')).toBe(1);
    expect(process.logs.unsignedForMs).toBe(0);
    expect(boundHeads(process.store)).toEqual([['consent.events/0', 1]]);
  });
});

describe('a process that starts again', () => {
  it('goes on after its last signed leaves and restates every log in its first head', async () => {
    const first = new Process(new MemoryLogStore());
    await first.take();
    await first.apply('consent.events', 0, 0, 5);
    await first.signer.tick();
    await first.apply('consent.events', 0, 5, 2);
    const second = new Process(first.store.copy());
    const taken = await second.take();
    expect(taken.get('consent.events/0')?.next).toBe(5);
    expect((await second.topics.next([{ topic: 'consent.events', partition: 0 }])).get('consent.events/0')).toBe(5);
    await second.signer.tick();
    await second.apply('consent.events', 0, 5, 2);
    await second.signer.tick();
    expect(boundHeads(second.store)).toEqual([
      ['consent.events/0', 5],
      ['consent.events/0', 5],
      ['consent.events/0', 7],
    ]);
  });

  it('makes the same tree of records it is given twice', async () => {
    const once = new Process(new MemoryLogStore());
    await once.take();
    await once.apply('consent.events', 0, 0, 5);
    await once.signer.tick();
    const twice = new Process(new MemoryLogStore());
    await twice.take();
    await twice.apply('consent.events', 0, 0, 3);
    await twice.apply('consent.events', 0, 1, 4);
    await twice.signer.tick();
    const rootOf = ({ store }: Process) =>
      checkpointIn(store, 'public/logs/consent.events/0', `${origin}/consent.events/0`);
    expect(rootOf(twice)).toEqual(rootOf(once));
  });
});

describe('two processes on one folder', () => {
  it('write each log in turn: who lost it stops, and is told to take it anew', async () => {
    const old = new Process(new MemoryLogStore());
    await old.take();
    await old.apply('consent.events', 0, 0, 3);
    await old.signer.tick();
    await old.apply('consent.events', 0, 3, 1);
    const owner = new Process(old.store);
    await owner.take();
    await owner.apply('consent.events', 0, 3, 4);
    await owner.signer.tick();
    await old.signer.tick();
    expect(owner.size('consent.events/0')).toBe(7);
    await expect(old.apply('consent.events', 0, 4)).rejects.toMatchObject({ code: 'stale-owner' });
    expect(boundHeads(owner.store)).toEqual([
      ['consent.events/0', 3],
      ['consent.events/0', 7],
    ]);
    expect(old.announced).toHaveLength(1);
  });

  it('share the work: the one that keeps the log of heads binds the other’s logs too', async () => {
    const store = new MemoryLogStore();
    const [keeper, other] = [new Process(store), new Process(store)];
    await keeper.take([{ topic: 'consent.events', partition: 0 }]);
    await other.take([{ topic: 'consent.events', partition: 1 }]);
    await other.apply('consent.events', 1, 0, 2);
    await other.signer.tick();
    expect(other.announced).toEqual([]);
    for (let round = 0; round < 21; round += 1) await keeper.signer.tick();
    expect(boundHeads(store)).toEqual([['consent.events/1', 2]]);
    expect(keeper.announced).toHaveLength(1);
  });
});
