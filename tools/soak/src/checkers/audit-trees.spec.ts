import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkAuditTrees, entryOf, leafHashOf, rootOf } from './audit-trees.ts';
import type { RawRecord } from './evidence.ts';

interface Vector {
  readonly note: string;
  readonly record: { topic: string; partition: number; offset: number; timestampMs: number; keyHex: string | null };
  readonly headers: readonly (readonly [string, string | null])[];
  readonly valueHex: string | null;
  readonly valueRepeat?: number;
  readonly entryHex?: string;
  readonly leafHash: string;
}

/** The published vectors are the ones that anyone would take. */
const PAGE = readFileSync(new URL('../../../../docs/formats/leaf-encoding.md', import.meta.url), 'utf8');
const VECTORS = JSON.parse(/```json\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? '[]') as readonly Vector[];
const bytesOf = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'));

function recordOf({ record, headers, valueHex, valueRepeat = 1 }: Vector): RawRecord {
  const { topic, partition, offset, timestampMs, keyHex } = record;
  const value = valueHex === null ? null : Buffer.from(valueHex.repeat(valueRepeat), 'hex');
  const bytes = {
    key: bytesOf(keyHex),
    headers: headers.map(([name, hex]) => [name, bytesOf(hex)] as const),
    value,
  };
  return { topic, partition, offset, recordedAtMs: timestampMs, key: undefined, headers: {}, data: undefined, bytes };
}

const log = (count: number): RawRecord[] =>
  Array.from({ length: count }, (_, offset) => ({
    topic: 'consent.events',
    partition: 3,
    offset,
    recordedAtMs: 1_000 + offset,
    key: 'k',
    headers: {},
    data: {},
    bytes: { key: Buffer.from('k'), headers: [], value: Buffer.from(`value ${offset}`) },
  }));

describe('the leaf of a record', () => {
  it.each(VECTORS.map((vector) => [vector.note, vector] as const))(
    'is that of the published vector: %s',
    (_, vector) => {
      const record = recordOf(vector);
      if (vector.entryHex !== undefined) expect(entryOf(record).toString('hex')).toBe(vector.entryHex);
      expect(leafHashOf(record).toString('hex')).toBe(vector.leafHash);
    },
  );

  it('has vectors', () => {
    expect(VECTORS.length).toBeGreaterThan(3);
  });
});

describe('the checker of audit trees', () => {
  const folder = mkdtempSync(join(tmpdir(), 'soak-audit-'));
  const records = log(11);
  const write = (size: number, root: Buffer): void => {
    mkdirSync(join(folder, 'logs', 'consent.events', '3'), { recursive: true });
    const note = `local/consent.events/3\n${size}\n${root.toString('base64')}\n\n— local sig\n`;
    writeFileSync(join(folder, 'logs', 'consent.events', '3', 'checkpoint'), note);
  };

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([1, 2, 3, 7, 8, 11])('has nothing against the root of the first %i records', (size) => {
    write(size, rootOf(records.slice(0, size)));
    expect(checkAuditTrees(folder, records)).toEqual({ violations: [], counts: { leavesProven: size } });
  });

  it('finds a record that is not the one in the tree', () => {
    write(11, rootOf(records));
    const changed = records.map((record) => (record.offset === 4 ? { ...record, recordedAtMs: 7 } : record));
    expect(checkAuditTrees(folder, changed).violations).toHaveLength(1);
  });

  it('finds a tree with more leaves than there are records', () => {
    write(12, rootOf(records));
    expect(checkAuditTrees(folder, records).violations).toHaveLength(1);
  });

  it('finds a checkpoint that can not be read', () => {
    write(Number.NaN, rootOf(records));
    expect(checkAuditTrees(folder, records).violations).toHaveLength(1);
  });
});
