import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type LogFormatCode, LogFormatError } from './errors.ts';
import { leafHash, sha256 } from './hashing.ts';
import { decodeLeaf, encodeLeaf, ENTRY_BYTES_MAX, type KafkaRecord, valueKeptApart } from './leaf-encoding.ts';

const failure = (code: LogFormatCode): Error => expect.objectContaining({ code }) as Error;

const record = (part: Partial<KafkaRecord> = {}): KafkaRecord => ({
  topic: 'consent.events',
  partition: 3,
  offset: 1234,
  timestampMs: 1_795_500_000_123,
  key: Buffer.from('k'),
  headers: [{ name: 'ce_id', value: Buffer.from('1') }],
  value: Buffer.from('{}'),
  ...part,
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const someBytes = fc.uint8Array({ maxLength: 20 });
const aRecord: fc.Arbitrary<KafkaRecord> = fc.record({
  topic: fc.string({ unit: 'grapheme', maxLength: 12 }),
  partition: fc.nat(),
  offset: fc.maxSafeNat(),
  timestampMs: fc.maxSafeInteger(),
  key: fc.option(someBytes),
  headers: fc.array(fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 4 }), value: fc.option(someBytes) }), {
    maxLength: 6,
  }),
  value: fc.option(someBytes),
});

const inOrder = (r: KafkaRecord): KafkaRecord => ({
  ...r,
  headers: [...r.headers].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))),
});

/** The record a leaf stands for, its value inline. */
function roundTrip(r: KafkaRecord): KafkaRecord {
  const { value, ...rest } = decodeLeaf(encodeLeaf(r));
  if (value.form === 'by-hash') throw new Error('unexpected');
  const plain = (bytes: Uint8Array | null): Uint8Array | null => (bytes === null ? null : Uint8Array.from(bytes));
  return {
    ...rest,
    key: plain(rest.key),
    headers: rest.headers.map((h) => ({ name: h.name, value: plain(h.value) })),
    value: value.form === 'null' ? null : plain(value.bytes),
  };
}

describe('the leaf of a record', () => {
  it('is the bytes that docs/formats/leaf-encoding.md shows', () => {
    const page = readFileSync(new URL('../../../docs/formats/leaf-encoding.md', import.meta.url), 'utf8');
    const [vectors] = /```json\n([\s\S]*?)```/.exec(page)?.slice(1) ?? [];
    const published = JSON.parse(vectors!) as {
      record: { topic: string; partition: number; offset: number; timestampMs: number; keyHex: string | null };
      headers: [string, string | null][];
      valueHex: string | null;
      valueRepeat?: number;
      entryHex?: string;
      entrySha256?: string;
      leafHash: string;
    }[];
    expect(published.length).toBeGreaterThanOrEqual(4);
    const bytes = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text, 'hex'));
    for (const vector of published) {
      const entry = encodeLeaf({
        ...vector.record,
        key: bytes(vector.record.keyHex),
        headers: vector.headers.map(([name, value]) => ({ name, value: bytes(value) })),
        value: bytes(vector.valueHex?.repeat(vector.valueRepeat ?? 1) ?? null),
      });
      if (vector.entryHex !== undefined) expect(hex(entry)).toBe(vector.entryHex);
      if (vector.entrySha256 !== undefined) expect(hex(sha256(entry))).toBe(vector.entrySha256);
      expect(hex(leafHash(entry))).toBe(vector.leafHash);
    }
  });

  it('gives the record back, its headers sorted by name and repeats in their order', () => {
    fc.assert(
      fc.property(aRecord, (r) => {
        expect(roundTrip(r)).toEqual(inOrder(r));
      }),
    );
  });

  it('is the same whatever the order of header names, and another when repeats of a name swap', () => {
    const [a, b, c] = ['a', 'b', 'b'].map((name, i) => ({ name, value: Buffer.from([i]) }));
    const entry = encodeLeaf(record({ headers: [a!, b!, c!] }));
    expect(encodeLeaf(record({ headers: [b!, a!, c!] }))).toEqual(entry);
    expect(encodeLeaf(record({ headers: [b!, c!, a!] }))).toEqual(entry);
    expect(encodeLeaf(record({ headers: [a!, c!, b!] }))).not.toEqual(entry);
  });

  it('sorts header names by bytes, not by UTF-16 code units', () => {
    const entry = decodeLeaf(
      encodeLeaf(record({ headers: ['\u{1F600}', '\uFF5E'].map((name) => ({ name, value: null })) })),
    );
    expect(entry.headers.map((h) => h.name)).toEqual(['\uFF5E', '\u{1F600}']);
  });

  it('tells nothing from empty in key, header and value', () => {
    const empty = Buffer.alloc(0);
    const leaves = [
      record({ key: null }),
      record({ key: empty }),
      record({ value: null }),
      record({ value: empty }),
      record({ headers: [{ name: 'h', value: null }] }),
      record({ headers: [{ name: 'h', value: empty }] }),
      record({ headers: [] }),
    ].map((r) => hex(encodeLeaf(r)));
    expect(new Set(leaves).size).toBe(leaves.length);
  });

  it('differs when any field differs', () => {
    fc.assert(
      fc.property(aRecord, aRecord, (a, b) => {
        const same = JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b));
        expect(hex(encodeLeaf(a)) === hex(encodeLeaf(b))).toBe(same);
      }),
    );
  });

  it('holds the value as long as the whole fits an entry bundle, and its hash beyond', () => {
    const room = ENTRY_BYTES_MAX - encodeLeaf(record({ value: Buffer.alloc(0) })).length;
    const fits = record({ value: Buffer.alloc(room, 1) });
    const tooLong = record({ value: Buffer.alloc(room + 1, 1) });
    expect(encodeLeaf(fits)).toHaveLength(ENTRY_BYTES_MAX);
    expect(valueKeptApart(fits)).toBeUndefined();
    expect(decodeLeaf(encodeLeaf(tooLong)).value).toEqual({
      form: 'by-hash',
      length: room + 1,
      sha256: sha256(tooLong.value!),
    });
    expect(valueKeptApart(tooLong)).toBe(tooLong.value);
    expect(valueKeptApart(record({ value: null }))).toBeUndefined();
  });

  it.each([
    { partition: -1 },
    { partition: 2 ** 32 },
    { offset: -1 },
    { offset: 2 ** 53 },
    { offset: 1.5 },
    { timestampMs: Number.NaN },
  ])('is not made of numbers out of range: %j', (part) => {
    expect(() => encodeLeaf(record(part))).toThrow(failure('malformed-leaf'));
  });
});

describe('bytes that claim to be a leaf', () => {
  const entry = encodeLeaf(record({ headers: ['a', 'b'].map((name) => ({ name, value: Buffer.from(name) })) }));
  const refused = (bytes: Uint8Array): void => {
    expect(() => decodeLeaf(bytes)).toThrow(failure('malformed-leaf'));
  };

  it('are refused when cut off anywhere or with a byte too many', () => {
    for (let length = 0; length < entry.length; length += 1) refused(entry.subarray(0, length));
    refused(Buffer.concat([entry, Buffer.from([0])]));
  });

  it('are refused with another version', () => {
    refused(Buffer.concat([Buffer.from([2]), entry.subarray(1)]));
  });

  it('are refused with headers out of order', () => {
    const swapped = Buffer.from(
      hex(entry)
        .replace('01610100000001' + '61', 'X')
        .replace('01620100000001' + '62', '01610100000001' + '61')
        .replace('X', '01620100000001' + '62'),
      'hex',
    );
    expect(swapped).toHaveLength(entry.length);
    refused(swapped);
  });

  it('are refused with a name that is not UTF-8', () => {
    const broken = Buffer.from(entry);
    broken[5] = 0xff;
    refused(broken);
  });

  it('are refused with a hash in place of a value that fits', () => {
    const value = Buffer.concat([Buffer.from([2, 0, 0, 0, 2]), sha256(Buffer.from('{}'))]);
    refused(Buffer.concat([entry.subarray(0, entry.length - 7), value]));
  });

  it('never decode to a record with another encoding', () => {
    fc.assert(
      fc.property(fc.nat(entry.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(entry);
        bytes[at] = bytes[at]! ^ change;
        try {
          const { value, ...rest } = decodeLeaf(bytes);
          if (value.form === 'by-hash') return;
          expect(hex(encodeLeaf({ ...rest, value: value.form === 'null' ? null : value.bytes }))).toBe(hex(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(LogFormatError);
        }
      }),
    );
  });
});
