import { type Hash, hexOf, sha256 } from '../merkle/hashes.ts';

/** Bytes of a number in seven-bit groups: 2^53 needs eight. */
const NUMBER_BYTES_MAX = 8;

/** Where somebody stands who goes through the bound sizes in order. */
export interface SavedCursor {
  readonly read: number;
  readonly size: number;
  readonly chain: string;
}

/**
 * Every head of one log that the log of heads binds: the sizes, and one hash over all sizes and roots in order. So a
 * head costs two or three bytes of memory instead of forty, and whether all of them come out of the leaves is one
 * comparison; which of them does not is worth a second look only when that fails.
 */
export class BoundHeads {
  /** Of the newest head. */
  size = 0;
  root: Hash | undefined;
  /** First leaf whose entry has to be there still, as the newest head says. */
  firstRetained = 0;
  chain: Hash = sha256(new Uint8Array());
  private steps = Buffer.alloc(64);
  private length = 0;

  /** Adds a head that is larger than the ones before (or the first). */
  add(size: number, root: Hash): void {
    if (this.length + NUMBER_BYTES_MAX > this.steps.length) {
      this.steps = Buffer.concat([this.steps, Buffer.alloc(this.steps.length)]);
    }
    let step = size - this.size;
    for (; step >= 128; step = Math.floor(step / 128)) {
      this.steps[this.length] = 128 + (step % 128);
      this.length += 1;
    }
    this.steps[this.length] = step;
    this.length += 1;
    this.chain = chained(this.chain, size, root);
    this.size = size;
    this.root = root;
  }

  /** Goes through the sizes, from the start or from where a cursor stood. */
  cursor(saved?: SavedCursor): HeadCursor {
    return new HeadCursor(this.steps.subarray(0, this.length), saved);
  }
}

/** Goes through the bound sizes of a log and computes the hash over what the leaves really give. */
export class HeadCursor {
  chain: Hash;
  private size: number;
  private read: number;
  private readAfter = 0;
  /** The next bound size; Infinity after the last. */
  next = Infinity;

  constructor(
    private readonly steps: Uint8Array,
    saved: SavedCursor | undefined,
  ) {
    this.chain = saved === undefined ? sha256(new Uint8Array()) : Buffer.from(saved.chain, 'hex');
    this.size = saved?.size ?? 0;
    this.read = saved?.read ?? 0;
    this.look();
  }

  /** The leaves give this root at the size `next`. */
  pass(root: Hash): void {
    this.chain = chained(this.chain, this.next, root);
    this.size = this.next;
    this.read = this.readAfter;
    this.look();
  }

  save(): SavedCursor {
    return { read: this.read, size: this.size, chain: hexOf(this.chain) };
  }

  private look(): void {
    let [step, factor, at] = [0, 1, this.read];
    for (; (this.steps[at] ?? 0) >= 128; at += 1) {
      step += ((this.steps[at] ?? 0) - 128) * factor;
      factor *= 128;
    }
    const last = this.steps[at];
    this.next = last === undefined ? Infinity : this.size + step + last * factor;
    this.readAfter = at + 1;
  }
}

function chained(chain: Hash, size: number, root: Hash): Hash {
  const bytes = Buffer.alloc(32 + 8 + 32);
  bytes.set(chain, 0);
  bytes.writeBigUInt64BE(BigInt(size), 32);
  bytes.set(root, 40);
  return sha256(bytes);
}
