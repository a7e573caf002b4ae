import { encodeLeaf, leafHash, valueKeptApart } from '@assent/merkle-log';
import { LogFiles } from '../merkle-logs/log-files.ts';
import { LogWriter } from '../merkle-logs/log-writer.ts';
import { MemoryLogStore } from '../merkle-logs/memory-log-store.fixture.ts';
import { key, NOW_MS, origin } from '../sign-checkpoints/audit-process.fixture.ts';
import { HeadLog } from '../sign-checkpoints/head-log.ts';
import { EntryRetention, type EntryRetentionOptions } from './entry-retention.ts';

const DAY_MS = 86_400_000;
const PREFIX = 'public/logs/whatsapp.inbound/0';
const LOG = `${origin}/whatsapp.inbound/0`;
const AT = '2026-11-24T10:00:00.000Z';

/** One record every quarter of a day; those at `large` have a value of 70,000 bytes that is given by hash. */
async function logOf(records: number, large: Readonly<Record<number, string>> = {}): Promise<MemoryLogStore> {
  const store = new MemoryLogStore();
  const options = { store, prefix: PREFIX, origin: LOG, key, keepsEntries: true, keepsOffsets: true };
  const writer = await LogWriter.open(options);
  for (let offset = 0; offset < records; offset += 1) {
    const timestampMs = NOW_MS - (records - 1 - offset) * (DAY_MS / 4);
    const value = Buffer.from((large[offset] ?? '').repeat(70_000));
    const record = { topic: 'whatsapp.inbound', partition: 0, offset, timestampMs, key: null, headers: [], value };
    const entry = encodeLeaf(record);
    const apart = valueKeptApart(record);
    writer.add({ hash: leafHash(entry), entry, offset, ...(apart === undefined ? {} : { valueKeptApart: apart }) });
  }
  await writer.commit();
  return store;
}

const retentionOf = (store: MemoryLogStore, part: Partial<EntryRetentionOptions> = {}): EntryRetention =>
  new EntryRetention({
    store,
    origin,
    days: { 'whatsapp.inbound': 90 },
    partitionCount: () => 1,
    now: () => NOW_MS,
    ...part,
  });

/** Binds what is due; answers what the heads say then. */
async function bindDue(store: MemoryLogStore, retention: EntryRetention): Promise<HeadLog> {
  const heads = await HeadLog.take(store, key, origin);
  heads.record(await retention.due(heads), AT);
  await heads.commit();
  return heads;
}

const paths = (store: MemoryLogStore, below: string): string[] =>
  [...store.objects.keys()].filter((path) => path.startsWith(`${PREFIX}/${below}`)).sort();

describe('entries of a topic with limited life', () => {
  it('go by whole bundles once all their records are older than the policy, hashes and offsets stay', async () => {
    const store = await logOf(1_000);
    const before = paths(store, '');
    const retention = retentionOf(store);
    const heads = await bindDue(store, retention);
    expect(heads.bound(LOG)).toMatchObject({ size: 1_000, firstRetained: 512 });
    expect(paths(store, '')).toEqual(before);
    expect(await retention.remove(heads)).toBe(2);
    expect(before.filter((path) => !store.objects.has(path))).toEqual(
      ['tile/entries/000', 'tile/entries/001'].map((path) => `${PREFIX}/${path}`),
    );
    const files = new LogFiles(store, PREFIX);
    expect(await files.tree(1_000).inclusionProof(3)).toHaveLength(10);
    expect((await files.indexOf(700, 1_000))!).toBe(700);
  });

  it('stay until the head that says so is signed', async () => {
    const store = await logOf(600);
    const retention = retentionOf(store, { days: { 'whatsapp.inbound': 1 } });
    const heads = await HeadLog.take(store, key, origin);
    heads.record(await retention.due(heads), AT);
    store.failAfterObjects = 0;
    await expect(heads.commit()).rejects.toThrow('no space left');
    const restarted = await HeadLog.take(store, key, origin);
    expect(await retention.remove(restarted)).toBe(0);
    expect(paths(store, 'tile/entries/')).toHaveLength(3);
  });

  it('go after a crash that left them, and what is bound never falls, whoever owns the heads', async () => {
    const store = await logOf(1_000);
    const retention = retentionOf(store);
    await bindDue(store, retention);
    store.before = (step, path) => {
      if (step === 'remove' && path.endsWith('/001')) throw new Error('died');
    };
    await expect(retention.remove(await HeadLog.take(store, key, origin))).rejects.toThrow('died');
    store.before = () => undefined;
    const restarted = await HeadLog.take(store, key, origin);
    expect(restarted.bound(LOG)?.firstRetained).toBe(512);
    expect(await retention.remove(restarted)).toBe(1);
    const lenient = retentionOf(store, { days: { 'whatsapp.inbound': 200 } });
    restarted.record([{ ...(await new LogFiles(store, PREFIX).head())! }], AT);
    expect(await lenient.due(restarted)).toEqual([]);
    expect(restarted.bound(LOG)?.firstRetained).toBe(512);
  });

  it('take the values with them that no other entry names', async () => {
    const store = await logOf(600, { 3: 'a', 5: 'b', 300: 'b' });
    expect(paths(store, 'value/')).toHaveLength(2);
    const retention = retentionOf(store, { days: { 'whatsapp.inbound': 80 } });
    expect(await retention.remove(await bindDue(store, retention))).toBe(1);
    expect(paths(store, 'value/')).toHaveLength(1);
  });

  it('do not go because a clock jumped ahead', async () => {
    const store = await logOf(600);
    const retention = retentionOf(store, { days: { 'whatsapp.inbound': 365 }, now: () => NOW_MS + 10_000 * DAY_MS });
    expect(await retention.due(await HeadLog.take(store, key, origin))).toEqual([]);
  });

  it('of topics that are kept for ever cannot be given to a policy', async () => {
    expect(() => retentionOf(new MemoryLogStore(), { days: { 'consent.events': 90 } })).toThrow('consent.events');
    expect(() => retentionOf(new MemoryLogStore(), { days: { 'dispatch.requests': 90 } })).toThrow('dispatch.requests');
  });
});
