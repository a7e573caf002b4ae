import { createRequire } from 'node:module';
import fc from 'fast-check';
import { murmur2, partitionOfKey } from './murmur2.ts';

// The reference implementation the JavaScript world uses; it has no types, and only this test needs it.
const theirMurmur2 = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
  key: Buffer,
) => number;

describe('murmur2', () => {
  // Vectors of org.apache.kafka.common.utils.UtilsTest#testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])("hashes %j as Kafka's own client does", (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash);
  });

  it('agrees with the other JavaScript implementation on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(murmur2(bytes)).toBe(theirMurmur2(Buffer.from(bytes)));
      }),
    );
  });

  it('hashes a view into a larger buffer by its own bytes only', () => {
    const whole = Buffer.from('xxfoobarxx');
    expect(murmur2(whole.subarray(2, 8))).toBe(-790332482);
  });
});

describe('the partition of a key', () => {
  // Computed with org.apache.kafka.common.utils.Utils of kafka-clients 4.3.1.
  it.each([
    ['0b4b6e6c-7c8b-4d7b-9b52-0d8f7c1e1a11', 12, 4],
    ['sender:100000000000001', 12, 7],
    ['Zürich', 12, 1],
    ['', 12, 9],
  ])('of %j over %i partitions is %i, for ever', (key, partitions, expected) => {
    expect(partitionOfKey(key, partitions)).toBe(expected);
  });

  it('lies inside the topic for any key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 200 }), (key, partitions) => {
        const partition = partitionOfKey(key, partitions);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(partitions);
      }),
    );
  });
});
