import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkHeads, headEntriesOf, headsIn, newestBound, publishedHead, wentBack } from './audit-heads.ts';
import { leafHashOfEntry, rootOf } from './audit-trees.ts';
import type { RawRecord } from './evidence.ts';
import { noteOf, rootOfLeaves, writeLog } from './written-log.fixture.ts';

const LOG = 'consent.events/3';

function record(topic: string, partition: number, offset: number, part: Partial<RawRecord> = {}): RawRecord {
  const bytes = { key: Buffer.from('k'), headers: [], value: Buffer.from(`value ${offset}`) };
  return {
    topic,
    partition,
    offset,
    recordedAtMs: offset,
    key: 'k',
    headers: {},
    data: {},
    bytes,
    ...part,
  };
}

const records = Array.from({ length: 9 }, (_, offset) => record('consent.events', 3, offset));
const rootAt = (size: number): Buffer => rootOf(records.slice(0, size));
const entryOf = (size: number, root = rootAt(size)): Buffer =>
  Buffer.from(`local/${LOG}\n${size}\n${root.toString('base64')}\nat 2026-11-24T09:30:00.123Z\nfirst-retained 0\n`);
const entries = [entryOf(2), entryOf(5), entryOf(5), entryOf(9)];
const headsRootAt = (size: number): Buffer => rootOfLeaves(entries.slice(0, size).map(leafHashOfEntry));
const heads = { size: entries.length, entries };

const seen = (log: string, size: number, root: Buffer) => ({ log, size, root, seen: 'somewhere' });
const announcement = (headsSize: number, logSize: number, root = rootAt(logSize)): RawRecord =>
  record('audit.checkpoints', 0, 0, {
    headers: { ce_type: 'audit.checkpoint-signed.v1' },
    data: {
      note: noteOf('heads', headsSize, headsRootAt(headsSize)),
      logs: { [LOG]: { size: logSize, root: root.toString('base64') } },
    },
  });
const whats = (o: Partial<Parameters<typeof checkHeads>[0]>): string[] =>
  checkHeads({ published: [], records, heads, ...o }).violations.map(({ what }) => what);

describe('the checker of heads', () => {
  it('has nothing against heads of one history', () => {
    const published = [seen(LOG, 1, rootAt(1)), seen(LOG, 7, rootAt(7)), seen('heads', 3, headsRootAt(3))];
    expect(checkHeads({ published, records: [...records, announcement(2, 5)], heads })).toEqual({
      violations: [],
      counts: { headsCompared: 4, boundHeadsCompared: 4 },
    });
  });

  it('finds a head of another history, of a topic’s log and of the log of heads', () => {
    expect(whats({ published: [seen(LOG, 7, rootAt(6))] })).toEqual([expect.stringContaining('another root')]);
    expect(whats({ published: [seen('heads', 3, headsRootAt(2))] })).toEqual([expect.stringContaining('another root')]);
  });

  it('finds a head with more leaves than there are', () => {
    expect(whats({ published: [seen(LOG, 10, rootAt(9))] })).toEqual([expect.stringContaining('only 9 leaves')]);
  });

  it('finds a bound head that its records do not give, and one that goes back', () => {
    const forked = { size: 1, entries: [entryOf(5, rootAt(4))] };
    expect(whats({ heads: forked })).toEqual([expect.stringContaining('bound by entry 0')]);
    const back = { size: 2, entries: [entryOf(5), entryOf(2)] };
    expect(whats({ heads: back })).toEqual([expect.stringContaining('went back from 5 to 2')]);
  });

  it('finds an announced head that has not bound what it is said to', () => {
    expect(whats({ records: [...records, announcement(3, 9)] })).toEqual([
      expect.stringContaining(`is said to bind ${LOG} at 9, and does not`),
    ]);
    expect(whats({ records: [...records, announcement(4, 5, rootAt(4))] })).toHaveLength(2);
  });

  it('finds a checkpoint file that went back', () => {
    const back = [seen(LOG, 5, rootAt(5)), seen('heads', 1, rootAt(1)), seen(LOG, 4, rootAt(4))];
    expect(wentBack(back)).toHaveLength(1);
    expect(wentBack(back.slice(0, 2))).toEqual([]);
  });

  it('reads the log of heads and every checkpoint from a folder', () => {
    const folder = mkdtempSync(join(tmpdir(), 'soak-heads-'));
    expect(headEntriesOf(folder)).toEqual({ size: 0, entries: [] });
    writeLog(folder, 'heads', entries);
    writeLog(folder, `logs/${LOG}`, [Buffer.from('one')]);
    expect(headEntriesOf(folder)).toEqual(heads);
    expect(newestBound(headEntriesOf(folder)).get(LOG)?.size).toBe(9);
    expect(headsIn(folder, 'here').map(({ log, size }) => [log, size])).toEqual([
      ['heads', 4],
      [LOG, 1],
    ]);
    rmSync(folder, { recursive: true });
  });

  it('knows a log by the origin of its notes', () => {
    const root = rootAt(1);
    expect(publishedHead(noteOf('heads', 1, root), 'x')).toMatchObject({ log: 'heads', size: 1, root });
    expect(publishedHead(noteOf('dispatch.policy/12', 1, root), 'x')).toMatchObject({ log: 'dispatch.policy/12' });
    expect(publishedHead('<html>', 'x')).toBeUndefined();
  });
});
