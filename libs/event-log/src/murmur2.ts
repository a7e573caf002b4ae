/**
 * The partitioner of the log: murmur2 over the key's bytes with Kafka's seed, sign bit cleared, modulo the number of
 * partitions. It is our own so that the partition of a subject can never change with a client library; the vectors in
 * the spec are Kafka's.
 */
const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/** 32-bit murmur2 of `bytes`, as a signed integer like Kafka's `Utils.murmur2`. */
export function murmur2(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = bytes.byteLength & ~3;
  let hash = SEED ^ bytes.byteLength;
  for (let at = 0; at < tail; at += 4) {
    let word = Math.imul(view.getInt32(at, true), MULTIPLIER);
    word ^= word >>> SHIFT;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const left = bytes.byteLength - tail;
  if (left > 0) {
    for (let at = left - 1; at >= 0; at -= 1) hash ^= view.getUint8(tail + at) << (8 * at);
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Partition (0 to `partitions` - 1) of a key; the key's UTF-8 bytes are hashed. */
export function partitionOfKey(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}
