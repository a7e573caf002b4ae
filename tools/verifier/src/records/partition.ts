const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/**
 * The partition that a key belongs to: Kafka's default partitioner, murmur2 over the key's bytes without its sign,
 * modulo the number of partitions (docs/formats/audit-folder.md).
 */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** 32-bit MurmurHash2 with Kafka's seed, signed as Kafka's vectors are. */
export function murmur2(key: Uint8Array): number {
  const length = key.length;
  const byte = (at: number): number => key[at] ?? 0;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const block = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    const mixed = Math.imul(block, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(mixed ^ (mixed >>> 24), MULTIPLIER);
  }
  if (at < length) {
    hash = Math.imul(hash ^ byte(at) ^ (byte(at + 1) << 8) ^ (byte(at + 2) << 16), MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}
