import { hexOf, leafHash, sha256 } from '../merkle/hashes.ts';
import { vectorsOf } from '../written-log/format-vectors.fixture.ts';
import { leafBytes, type WrittenRecord } from '../written-log/leaf-bytes.fixture.ts';
import { parseLeaf } from './leaf.ts';

interface Vector {
  readonly note: string;
  readonly record: { topic: string; partition: number; offset: number; timestampMs: number; keyHex: string | null };
  readonly headers: readonly (readonly [string, string | null])[];
  readonly valueHex: string | null;
  readonly valueRepeat?: number;
  readonly entryHex?: string;
  readonly entrySha256?: string;
  readonly leafHash: string;
}

const bytesOf = (hex: string | null): Buffer | null => (hex === null ? null : Buffer.from(hex, 'hex'));

function recordOf({ record, headers, valueHex, valueRepeat = 1 }: Vector): WrittenRecord {
  const { keyHex, ...rest } = record;
  const value = valueHex === null ? null : Buffer.from(valueHex.repeat(valueRepeat), 'hex');
  const inline = {
    ...rest,
    key: bytesOf(keyHex),
    headers: headers.map(([name, hex]) => [name, bytesOf(hex)] as const),
  };
  if (value === null || leafBytes({ ...inline, value }).length <= 0xffff) return { ...inline, value };
  return { ...inline, value: { length: value.length, sha256: sha256(value) } };
}

describe('a leaf of docs/formats/leaf-encoding.md', () => {
  it.each((vectorsOf('leaf-encoding.md') as Vector[]).map((vector) => [vector.note, vector] as const))(
    'is read: %s',
    (_, vector) => {
      const record = recordOf(vector);
      const entry = leafBytes(record);
      if (vector.entryHex !== undefined) expect(hexOf(entry)).toBe(vector.entryHex);
      if (vector.entrySha256 !== undefined) expect(hexOf(sha256(entry))).toBe(vector.entrySha256);
      expect(hexOf(leafHash(entry))).toBe(vector.leafHash);
      const leaf = parseLeaf(entry);
      expect({ ...leaf, headers: leaf.headers.map(({ name }) => name).sort() }).toMatchObject({
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        timestampMs: record.timestampMs,
        headers: record.headers.map(([name]) => name).sort(),
      });
      expect(leaf.key === null ? null : hexOf(leaf.key)).toBe(vector.record.keyHex);
    },
  );
});

describe('bytes that are no leaf', () => {
  const good = leafBytes({
    topic: 't',
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: null,
    headers: [],
    value: Buffer.of(1),
  });
  const hex = good.toString('hex');
  const patched = (from: string, to: string): Buffer => Buffer.from(hex.replace(from, to), 'hex');
  const header = (name: string): string => `0000000${name.length}${Buffer.from(name).toString('hex')}00`;

  it.each<[string, Buffer]>([
    ['it is of another version', patched('01', '02')],
    ['it ends too early', good.subarray(0, -1)],
    ['it ends too early', Buffer.from('01ffffffff', 'hex')],
    ['bytes are left over', Buffer.concat([good, Buffer.of(0)])],
    ['it is not UTF-8', patched('74', 'ff')],
    ['its offset is 2^63 or more', Buffer.from(`01000000017400000000ffffffffffffffff${'00'.repeat(20)}`, 'hex')],
    ['a number is beyond 2^53', Buffer.from(`010000000174000000000020000000000000${'00'.repeat(20)}`, 'hex')],
    ['it has more headers than fit', Buffer.from(`010000000174${'00'.repeat(21)}ffffffff00`, 'hex')],
    [
      'its headers are not sorted',
      Buffer.from(`010000000174${'00'.repeat(21)}00000002${header('b')}${header('a')}00`, 'hex'),
    ],
    ['it is neither there nor absent', Buffer.from(`010000000174${'00'.repeat(20)}02`, 'hex')],
    ['its value is of an unknown form', Buffer.from(`010000000174${'00'.repeat(25)}03`, 'hex')],
    [
      'its value would have fitted and is given by hash',
      Buffer.from(`010000000174${'00'.repeat(25)}0200000001${'11'.repeat(32)}`, 'hex'),
    ],
  ])('are refused: %s', (message, bytes) => {
    expect(() => parseLeaf(bytes)).toThrow(message);
  });
});
