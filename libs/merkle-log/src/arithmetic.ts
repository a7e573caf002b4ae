/** Largest power of two below n, for n of 2 and more: where RFC 6962 splits a tree of n leaves. */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** k when n is 2^k, else undefined. */
export function exactLog2(n: number): number | undefined {
  const k = Math.round(Math.log2(n));
  return 2 ** k === n ? k : undefined;
}

/**
 * Hashes of the inclusion proof of leaf `index` in a tree of `size` leaves:
 * bitlen(index xor (size − 1)) + popcount(index >> that). Works on numbers up to 2^53, beyond the 32 bits of `^`.
 */
export function inclusionProofLength(index: number, size: number): number {
  const last = BigInt(size - 1);
  const inner = bitLength(BigInt(index) ^ last);
  return inner + popCount(BigInt(index) >> BigInt(inner));
}

function bitLength(n: bigint): number {
  return n === 0n ? 0 : n.toString(2).length;
}

function popCount(n: bigint): number {
  return n.toString(2).replaceAll('0', '').length;
}
