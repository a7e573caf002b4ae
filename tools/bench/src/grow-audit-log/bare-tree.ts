import { createHash } from 'node:crypto';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

/** The least an RFC 6962 tree costs: one SHA-256 a leaf and one a pair, the right edge in memory. Answers the root. */
export function bareTree(entries: readonly Uint8Array[]): Buffer {
  const edge: Buffer[] = [];
  entries.forEach((entry, index) => {
    let hash: Buffer = createHash('sha256').update(LEAF).update(entry).digest();
    for (let complete = index + 1; complete % 2 === 0; complete /= 2) {
      hash = join(edge.pop() ?? hash, hash);
    }
    edge.push(hash);
  });
  return edge.reduceRight((right, left) => join(left, right));
}

function join(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(NODE).update(left).update(right).digest();
}
