import { type Checkpoint, type Hash, LogFormatError, parseCheckpoint, sameHash } from '@assent/merkle-log';
import type { AuditFolder } from './audit-folder.ts';
import { LogPieces } from './log-pieces.ts';
import type { TrustedKeys } from './trusted-key.ts';
import { readSignedCheckpoint } from './signed-checkpoint.ts';
import { verifyFiles } from './verify-files.ts';
import type { Findings } from './verify-result.ts';
import { type EntryReader, verifyTree } from './verify-tree.ts';

const HEADS = 'heads';

/** Every head that the log of heads binds, by log name: root by size, and the largest size. */
export type BoundHeads = ReadonlyMap<string, { readonly roots: Map<number, Hash>; size: number }>;

/** Verifies the log of heads and reads from it which heads of which logs are bound. */
export async function verifyHeads(folder: AuditFolder, keys: TrustedKeys, findings: Findings): Promise<BoundHeads> {
  const reader = new HeadReader(keys.origin, findings);
  const checkpoint = await readSignedCheckpoint(folder, HEADS, HEADS, keys, findings);
  if (checkpoint === undefined) return reader.bound;
  findings.checked.heads += 1;
  const { size, root } = checkpoint;
  const pieces = new LogPieces(folder, HEADS);
  const claim = { name: HEADS, pieces, size, keepsEntries: true };
  await verifyTree({ ...claim, roots: new Map([[size, root]]) }, reader, findings);
  await verifyFiles({ ...claim, valuesNamed: new Set() }, folder, findings);
  return reader.bound;
}

class HeadReader implements EntryReader {
  readonly bound = new Map<string, { roots: Map<number, Hash>; size: number }>();

  constructor(
    private readonly origin: string,
    private readonly findings: Findings,
  ) {}

  entry(entry: Uint8Array, index: number): Promise<void> {
    const where = `${HEADS} index ${index}`;
    const head = this.parse(entry);
    if (head === undefined) this.findings.fault(HEADS, 'head-invalid', where, 'the entry is not the head of a log');
    else this.bind(head.name, head.checkpoint, where);
    return Promise.resolve();
  }

  skipped(): Promise<void> {
    return Promise.resolve();
  }

  private parse(entry: Uint8Array): { name: string; checkpoint: Checkpoint } | undefined {
    try {
      const text = Buffer.from(entry).toString('utf8');
      if (!sameHash(Buffer.from(text, 'utf8'), entry)) return undefined;
      const checkpoint = parseCheckpoint(text);
      const { origin, extensions } = checkpoint;
      const isHead =
        origin.startsWith(`${this.origin}/`) && extensions.length > 0 && /^at \S+$/.test(extensions[0] ?? '');
      return isHead ? { name: origin.slice(this.origin.length + 1), checkpoint } : undefined;
    } catch (error) {
      if (error instanceof LogFormatError) return undefined;
      throw error;
    }
  }

  private bind(name: string, { size, root }: Checkpoint, where: string): void {
    const known = this.bound.get(name) ?? { roots: new Map<number, Hash>(), size: 0 };
    this.bound.set(name, known);
    if (size < known.size) {
      this.findings.fault(
        HEADS,
        'head-went-back',
        where,
        `${name} had ${known.size} leaves before and has ${size} here`,
      );
    }
    const before = known.roots.get(size);
    if (before !== undefined && !sameHash(before, root)) {
      this.findings.fault(HEADS, 'head-differs', where, `${name} had another root at ${size} leaves before`);
    }
    known.roots.set(size, root);
    known.size = Math.max(known.size, size);
  }
}
