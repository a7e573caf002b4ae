import { createRequire } from 'node:module';
import fc from 'fast-check';
import { murmur2, partitionOf } from './partition.ts';

// The reference implementation the JavaScript world uses; it has no types, and only this test needs it.
const theirMurmur2 = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
  key: Buffer,
) => number;

describe('the partition of a key', () => {
  // Vectors of org.apache.kafka.common.utils.UtilsTest#testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes %j as Kafka’s own client does', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('hashes any bytes as another implementation does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(murmur2(bytes)).toBe(theirMurmur2(Buffer.from(bytes)));
      }),
    );
  });

  // Computed with org.apache.kafka.common.utils.Utils of kafka-clients 4.3.1.
  it.each([
    ['0b4b6e6c-7c8b-4d7b-9b52-0d8f7c1e1a11', 12, 4],
    ['sender:100000000000001', 12, 7],
    ['Zürich', 12, 1],
    ['', 12, 9],
  ])('of %j over %i partitions is %i', (key, partitions, expected) => {
    expect(partitionOf(Buffer.from(key), partitions)).toBe(expected);
  });
});
