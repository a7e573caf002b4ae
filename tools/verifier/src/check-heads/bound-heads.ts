import { type Hash, hexOf, sha256 } from '../merkle/hashes.ts';
import { SpilledBytes } from '../spill/spilled-bytes.ts';
import type { TemporaryFile } from '../spill/temporary-file.ts';

/** Where somebody stands who goes through the bound sizes in order. */
export interface SavedCursor {
  readonly read: number;
  readonly size: number;
  readonly chain: string;
}

/**
 * Every head of one log that the log of heads binds: the sizes, in two or three bytes each that are on disk where they are
 * many, and one hash over all sizes and roots in order. So whether all of them come out of the leaves is one comparison;
 * which of them does not is worth a second look only when that fails.
 */
export class BoundHeads {
  /** Of the newest head. */
  size = 0;
  root: Hash | undefined;
  /** First leaf whose entry has to be there still, as the newest head says. */
  firstRetained = 0;
  chain: Hash = sha256(new Uint8Array());
  private readonly steps: SpilledBytes;

  /** @param file shared by many logs */
  constructor(file: TemporaryFile) {
    this.steps = new SpilledBytes(file);
  }

  /** Adds a head that is larger than the ones before (or the first). */
  add(size: number, root: Hash): void {
    let step = size - this.size;
    for (; step >= 128; step = Math.floor(step / 128)) this.steps.push(128 + (step % 128));
    this.steps.push(step);
    this.chain = chained(this.chain, size, root);
    this.size = size;
    this.root = root;
  }

  /** Goes through the sizes, from the start or from where a cursor stood. */
  cursor(saved?: SavedCursor): HeadCursor {
    return new HeadCursor(this.steps.reader(), saved);
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
    /** The byte at a position. */
    private readonly stepAt: (at: number) => number | undefined,
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
    let byte = this.stepAt(at);
    for (; byte !== undefined && byte >= 128; byte = this.stepAt(at)) {
      step += (byte - 128) * factor;
      factor *= 128;
      at += 1;
    }
    this.next = byte === undefined ? Infinity : this.size + step + byte * factor;
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
