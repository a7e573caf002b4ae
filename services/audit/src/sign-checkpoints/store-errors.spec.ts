import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { AuditProcess } from './audit-process.fixture.ts';
import { SeenHeads } from './seen-heads.fixture.ts';

/** Each test goes through every operation there is; on a busy machine that takes a while. */
const TIMEOUT_MS = 60_000;

const LOGS = ['consent.events/0', 'dispatch.events/1'];
const PARTITIONS = [
  { topic: 'consent.events', partition: 0 },
  { topic: 'dispatch.events', partition: 1 },
];

/** When the answer is an error: before the operation took effect, or after it, the reply lost on its way. */
const MOMENTS = ['before', 'after'] as const;
type Moment = (typeof MOMENTS)[number];

/** Makes operation number `step` from now on, and so many after it, fail. Answers whether it came to that. */
function failAt(store: MemoryLogStore, moment: Moment, step: number, times = 1): () => boolean {
  let count = 0;
  store[moment] = (what, path) => {
    count += 1;
    if (count > step && count <= step + times) throw new Error(`503 at ${what} ${path}`);
  };
  return () => count > step;
}

function heal(store: MemoryLogStore): void {
  store.before = () => undefined;
  store.after = () => undefined;
}

/** Tries again as the consumer does. */
async function takeWithRetries(process: AuditProcess): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    if (tries > 20) throw new Error('the logs could not be taken in 20 tries');
    const taken = await process.take(PARTITIONS).catch(() => undefined);
    if (taken !== undefined) return taken.get('consent.events/0')!.next;
  }
}

/** A store with logs that are signed up to shortly before the end of a tile. */
async function signedStore(): Promise<MemoryLogStore> {
  const process = new AuditProcess(new MemoryLogStore());
  await process.take(PARTITIONS);
  await process.apply('consent.events', 0, 0, 250);
  await process.signer.tick();
  return process.store;
}

/** Everything is signed, bound and announced, and nothing that was ever seen is of another history. */
async function judge(process: AuditProcess<MemoryLogStore>, seen: SeenHeads, sizes: readonly number[]): Promise<void> {
  expect(await Promise.all(LOGS.map((log) => process.size(log)))).toEqual(sizes);
  expect(process.signer.unsignedForMs).toBe(0);
  const told = process.announced.flatMap(({ data }) => Object.entries(data.logs).map(([log, { size }]) => [log, size]));
  for (const [i, log] of LOGS.entries()) expect(told).toContainEqual([log, sizes[i]]);
  await seen.look(process.store.beside());
  seen.announced(process.announced);
  await seen.verify(process.store.beside());
}

/** The next process takes what is left to do, and `judge` has nothing to say about it. */
async function finish(next: AuditProcess<MemoryLogStore>, from: number, seen: SeenHeads): Promise<void> {
  await next.apply('consent.events', 0, from, 280 - from);
  await next.apply('dispatch.events', 1, 0, 2);
  await next.signer.tick();
  await judge(next, seen, [280, 2]);
}

describe.each(MOMENTS)('an object store that answers with an error %s an operation took effect', (moment) => {
  let signed: MemoryLogStore;
  beforeAll(async () => {
    signed = await signedStore();
  });

  /** A process that owns its logs, with records that wait for a signature: across the end of a tile. */
  async function processWithWork(): Promise<{ process: AuditProcess<MemoryLogStore>; seen: SeenHeads }> {
    const process = new AuditProcess(signed.copy());
    const seen = new SeenHeads(LOGS);
    await process.take(PARTITIONS);
    await process.apply('consent.events', 0, 250, 20);
    await process.apply('dispatch.events', 1, 0, 1);
    await seen.look(process.store.beside());
    return { process, seen };
  }

  it(
    'at any one of a round: the next round mends it, and forks, skips and claims nothing',
    async () => {
      for (let step = 0; ; step += 1) {
        const { process, seen } = await processWithWork();
        const isReached = failAt(process.store, moment, step);
        await process.signer.tick();
        heal(process.store);
        await seen.look(process.store.beside());
        process.elapsedMs += 1_000;
        await process.signer.tick();
        await judge(process, seen, [270, 1]);
        if (!isReached()) break;
      }
    },
    TIMEOUT_MS,
  );

  it(
    'for several in a row, while records go on coming: it catches up by itself',
    async () => {
      for (let step = 0; ; step += 5) {
        const { process, seen } = await processWithWork();
        const isReached = failAt(process.store, moment, step, 9);
        for (let round = 0; round < 4; round += 1) {
          await process.signer.tick();
          await process.apply('dispatch.events', 1, round + 1);
        }
        await seen.look(process.store.beside());
        heal(process.store);
        await process.signer.tick();
        await judge(process, seen, [270, 5]);
        if (!isReached()) break;
      }
    },
    TIMEOUT_MS,
  );

  it(
    'at any one of a round in which the process dies: the next process goes on from what is there',
    async () => {
      for (let step = 0; ; step += 1) {
        const { process, seen } = await processWithWork();
        const isReached = failAt(process.store, moment, step, Infinity);
        await process.signer.tick();
        heal(process.store);
        await seen.look(process.store.beside());
        seen.announced(process.announced);
        const next = new AuditProcess(process.store);
        const from = await takeWithRetries(next);
        await finish(next, from, seen);
        if (!isReached()) break;
      }
    },
    TIMEOUT_MS,
  );

  it(
    'at any one while the logs are taken: they are taken with the next try',
    async () => {
      for (let step = 0; ; step += 1) {
        const { process, seen } = await processWithWork();
        const next = new AuditProcess(process.store);
        const isReached = failAt(process.store, moment, step);
        const from = await takeWithRetries(next);
        heal(process.store);
        await finish(next, from, seen);
        if (!isReached()) break;
      }
    },
    TIMEOUT_MS,
  );
});
