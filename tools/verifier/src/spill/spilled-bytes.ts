import type { TemporaryFile } from './temporary-file.ts';

/** Bytes that wait in memory before they go to the file; also the unit in which they are read back. */
const BLOCK_BYTES = 4_096;
const FIRST_BYTES = 64;

/**
 * A sequence of bytes that grows at its end and is read from front to back. Blocks that are full go to a temporary file,
 * which many sequences share; memory is one block, and 8 bytes for each block in the file.
 */
export class SpilledBytes {
  length = 0;
  private block = Buffer.alloc(FIRST_BYTES);
  /** Where the full blocks stand in the file. */
  private readonly blocks: number[] = [];

  constructor(private readonly file: TemporaryFile) {}

  /** @throws SpillError */
  push(byte: number): void {
    const at = this.length % BLOCK_BYTES;
    if (at === this.block.length) this.block = Buffer.concat([this.block], Math.min(BLOCK_BYTES, 2 * at));
    this.block[at] = byte;
    this.length += 1;
    if (this.length % BLOCK_BYTES > 0) return;
    this.blocks.push(this.file.length);
    this.file.append(this.block);
  }

  /** Reads from any position on; undefined behind the end. Keeps one block. @throws SpillError */
  reader(): (at: number) => number | undefined {
    let block: Buffer = Buffer.alloc(0);
    let held = -1;
    return (at) => {
      if (at >= this.length) return undefined;
      const wanted = Math.floor(at / BLOCK_BYTES);
      const position = this.blocks[wanted];
      if (position === undefined) return this.block[at % BLOCK_BYTES];
      if (held !== wanted) {
        block = Buffer.alloc(BLOCK_BYTES);
        this.file.read(block, position);
        held = wanted;
      }
      return block[at % BLOCK_BYTES];
    };
  }
}
