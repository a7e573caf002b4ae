import fc from 'fast-check';
import type { LogFormatCode } from './errors.ts';
import { inclusionProofLength } from './arithmetic.ts';
import { leafHash, nodeHash, type Hash } from './hashing.ts';
import {
  plainPath,
  plainProof,
  plainRoot,
  publishedEntries,
  publishedProofOfFirstInEight,
  publishedRoots,
} from './rfc6962.fixture.ts';
import { TileTree } from './tile-tree.ts';
import { tilePath, tilesOf, TILE_WIDTH } from './tiles.ts';
import { TreeBuilder } from './tree-builder.ts';
import { verifyConsistency, verifyInclusion } from './verify-proofs.ts';

const failure = (code: LogFormatCode): Error => expect.objectContaining({ code }) as Error;

const entriesOf = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => Buffer.from(`entry ${i}`));

/** A tree over the tiles that a builder wrote, its partial tiles taken at each size in `takenAt` too. */
function treeOf(entries: readonly Uint8Array[], takenAt: readonly number[] = []): TileTree {
  const tiles = new Map<string, Uint8Array>();
  const builder = new TreeBuilder();
  const take = (): void => {
    for (const { tile, bytes } of builder.takeChangedTiles()) tiles.set(tilePath(tile), bytes);
  };
  for (const entry of entries) {
    builder.append(leafHash(entry));
    if (takenAt.includes(builder.size)) take();
  }
  take();
  return new TileTree(entries.length, async (tile) => {
    const bytes = tiles.get(tilePath(tile));
    if (bytes === undefined) throw new Error(`no tile ${tilePath(tile)}`);
    return bytes;
  });
}

const EQUAL_LEAF = leafHash(Buffer.from('the same'));
/** Roots of full trees of 2^level equal leaves. */
const equalSubtrees = Array.from({ length: 54 }).reduce<Hash[]>(
  (levels) => [...levels, levels.length === 0 ? EQUAL_LEAF : nodeHash(levels.at(-1)!, levels.at(-1)!)],
  [],
);

/** A tree of any size whose leaves are all the same, so that its tiles need not be kept. */
function treeOfEqualLeaves(size: number): TileTree {
  return new TileTree(size, ({ level, width }) =>
    Promise.resolve(Buffer.concat(Array.from({ length: width }, () => equalSubtrees[8 * level]!))),
  );
}

/** MTH of equal leaves, as RFC 6962 defines it. */
function rootOfEqualLeaves(size: number): Hash {
  const level = BigInt(size).toString(2).length - 1;
  if (2 ** level === size) return equalSubtrees[level]!;
  return nodeHash(equalSubtrees[level]!, rootOfEqualLeaves(size - 2 ** level));
}

const flipped = (hash: Hash): Hash => Uint8Array.from(hash, (byte, i) => (i === 7 ? byte ^ 1 : byte));
const hex = (hashes: readonly Hash[]): string[] => hashes.map((hash) => Buffer.from(hash).toString('hex'));
const LEAVES_MAX = 300;
/** One proof in so many is tried on a wrong hash too; that proofs hold for nothing else has tests of its own. */
const FLIPPED_EVERY = 16;

describe('a tree read from its tiles', () => {
  it('has the published roots', async () => {
    for (const [size, root] of publishedRoots.entries()) {
      const tree = treeOf(publishedEntries.slice(0, size));
      expect(hex([await tree.root()])).toEqual(hex([root]));
    }
  });

  it('gives the published proofs', async () => {
    const tree = treeOf(publishedEntries);
    expect(hex(await tree.inclusionProof(0))).toEqual(hex(publishedProofOfFirstInEight));
    expect(hex(await tree.consistencyProof(1))).toEqual(hex(publishedProofOfFirstInEight));
  });

  it('agrees with RFC 6962 word for word on roots and proofs of every tree of up to 33 leaves', async () => {
    const tree = treeOf(entriesOf(33));
    for (let size = 1; size <= 33; size += 1) {
      const entries = entriesOf(size);
      expect(hex([await tree.root(size)])).toEqual(hex([plainRoot(entries)]));
      for (let m = 0; m < size; m += 1) {
        expect(hex(await tree.inclusionProof(m, size))).toEqual(hex(plainPath(m, entries)));
        if (m > 0) expect(hex(await tree.consistencyProof(m, size))).toEqual(hex(plainProof(m, entries)));
      }
    }
  });

  it('proves every leaf in every tree of up to 300 leaves, each proof exactly as long as the formula says', async () => {
    const leaves = entriesOf(LEAVES_MAX).map(leafHash);
    const tree = treeOf(entriesOf(LEAVES_MAX));
    for (let size = 1; size <= LEAVES_MAX; size += 1) {
      const root = await tree.root(size);
      const wrong: number[] = [];
      for (let index = 0; index < size; index += 1) {
        const proof = await tree.inclusionProof(index, size);
        const leaf = leaves[index]!;
        const holds =
          proof.length === inclusionProofLength(index, size) &&
          verifyInclusion({ leaf, index, size, root, proof }) &&
          (index % FLIPPED_EVERY > 0 || !verifyInclusion({ leaf: flipped(leaf), index, size, root, proof }));
        if (!holds) wrong.push(index);
      }
      expect({ size, wrong }).toEqual({ size, wrong: [] });
    }
  });

  it('proves every smaller tree of up to 300 leaves to be a prefix', async () => {
    const tree = treeOf(entriesOf(LEAVES_MAX));
    const roots = await Promise.all(Array.from({ length: LEAVES_MAX + 1 }, (_, size) => tree.root(size)));
    for (let size = 0; size <= LEAVES_MAX; size += 1) {
      const wrong: number[] = [];
      for (let oldSize = 0; oldSize <= size; oldSize += 1) {
        const proof = await tree.consistencyProof(oldSize, size);
        const claim = { oldSize, oldRoot: roots[oldSize]!, size, root: roots[size]!, proof };
        const refusesAnother =
          oldSize % FLIPPED_EVERY !== 1 || !verifyConsistency({ ...claim, oldRoot: flipped(claim.oldRoot) });
        if (!verifyConsistency(claim) || !refusesAnother) wrong.push(oldSize);
      }
      expect({ size, wrong }).toEqual({ size, wrong: [] });
    }
  });

  it('gives the same answers over several tile levels, wherever the partial tiles were written on the way', async () => {
    const entries = entriesOf(TILE_WIDTH * 3 + 17);
    const tree = treeOf(entries, [1, 255, 256, 300, 511, 700]);
    for (const size of [1, 255, 256, 257, 512, 768, 785]) {
      expect(hex([await tree.root(size)])).toEqual(hex([plainRoot(entries.slice(0, size))]));
      const index = Math.floor(size / 2);
      expect(hex(await tree.inclusionProof(index, size))).toEqual(hex(plainPath(index, entries.slice(0, size))));
    }
    expect(hex(await tree.consistencyProof(257))).toEqual(hex(plainProof(257, entries)));
  });

  it('proves leaves and smaller trees of trees of any size, each proof exactly as long as the formula says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), async (a, b, c) => {
        const size = Math.max(a, 1);
        const [index, oldSize] = [b % size, 1 + (c % size)];
        const tree = treeOfEqualLeaves(size);
        const root = rootOfEqualLeaves(size);
        expect(hex([await tree.root()])).toEqual(hex([root]));
        const proof = await tree.inclusionProof(index);
        expect(proof).toHaveLength(inclusionProofLength(index, size));
        expect(verifyInclusion({ leaf: EQUAL_LEAF, index, size, root, proof })).toBe(true);
        const consistency = { oldSize, oldRoot: rootOfEqualLeaves(oldSize), size, root };
        expect(verifyConsistency({ ...consistency, proof: await tree.consistencyProof(oldSize) })).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses leaves and sizes it does not have', async () => {
    const tree = treeOf(entriesOf(5));
    await expect(tree.inclusionProof(5)).rejects.toMatchObject({ code: 'range-outside-tree' });
    await expect(tree.root(6)).rejects.toMatchObject({ code: 'range-outside-tree' });
    await expect(tree.consistencyProof(4, 6)).rejects.toMatchObject({ code: 'range-outside-tree' });
    await expect(tree.leaf(5)).rejects.toMatchObject({ code: 'range-outside-tree' });
  });

  it('refuses a tile that holds fewer hashes than the size needs', async () => {
    const tree = new TileTree(5, async () => Buffer.alloc(4 * 32));
    await expect(tree.root()).rejects.toMatchObject({ code: 'malformed-tile' });
  });
});

describe('a proof', () => {
  it('holds for nothing else: other index, other size, hash changed, dropped, added or moved', async () => {
    const entries = entriesOf(100);
    const tree = treeOf(entries);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 100 }), fc.nat(), fc.nat(), async (size, a, b) => {
        const index = a % size;
        const proof = await tree.inclusionProof(index, size);
        const claim = { leaf: leafHash(entries[index]!), index, size, root: await tree.root(size), proof };
        const at = b % proof.length;
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, index: (index + 1) % size })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.with(at, flipped(proof[at]!)) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.toSpliced(at, 1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [...proof, proof[at]!] })).toBe(false);
        if (proof.length > 1) expect(verifyInclusion({ ...claim, proof: [...proof].reverse() })).toBe(false);
        expect(verifyInclusion({ ...claim, index: size })).toBe(false);
        expect(verifyInclusion({ ...claim, index: -1 })).toBe(false);
        expect(verifyInclusion({ ...claim, leaf: claim.root, proof: [] })).toBe(false);
      }),
    );
  });

  it('of consistency holds for nothing else either', async () => {
    const tree = treeOf(entriesOf(100));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 100 }), fc.nat(), fc.nat(), async (size, a, b) => {
        const oldSize = 1 + (a % (size - 1));
        const proof = await tree.consistencyProof(oldSize, size);
        const [oldRoot, root] = await Promise.all([tree.root(oldSize), tree.root(size)]);
        const claim = { oldSize, oldRoot, size, root, proof };
        const at = b % proof.length;
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, root: flipped(root) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: proof.with(at, flipped(proof[at]!)) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: proof.toSpliced(at, 1) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, proof[at]!] })).toBe(false);
        expect(verifyConsistency({ ...claim, oldSize: size, size: oldSize })).toBe(false);
      }),
    );
  });

  it('of equal sizes is empty and needs equal roots', async () => {
    const tree = treeOf(entriesOf(9));
    const root = await tree.root();
    const claim = { oldSize: 9, oldRoot: root, size: 9, root, proof: [] };
    expect(verifyConsistency(claim)).toBe(true);
    expect(verifyConsistency({ ...claim, oldRoot: flipped(root) })).toBe(false);
    expect(verifyConsistency({ ...claim, proof: [root] })).toBe(false);
  });

  it('is as long as the formula says for sizes beyond 32 bits', () => {
    expect(inclusionProofLength(0, 1)).toBe(0);
    expect(inclusionProofLength(0, 2 ** 40)).toBe(40);
    expect(inclusionProofLength(2 ** 40, 2 ** 40 + 1)).toBe(1);
    expect(inclusionProofLength(6, 7)).toBe(2);
  });
});

describe('a builder', () => {
  it('resumed from its partial tiles goes on as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 300 }), (before, after) => {
        const leaves = entriesOf(before + after).map(leafHash);
        const whole = new TreeBuilder();
        for (const leaf of leaves.slice(0, before)) whole.append(leaf);
        const edges = new Map(whole.takeChangedTiles().map(({ tile, bytes }) => [tilePath(tile), bytes]));
        const resumed = TreeBuilder.resume(before, (level) => {
          const tile = [...tilesOf(before)].find((t) => t.level === level && t.width < TILE_WIDTH);
          const bytes = edges.get(tilePath(tile!))!;
          return Array.from({ length: tile!.width }, (_, i) => bytes.subarray(i * 32, (i + 1) * 32));
        });
        for (const leaf of leaves.slice(before)) {
          whole.append(leaf);
          resumed.append(leaf);
        }
        expect(resumed.size).toBe(before + after);
        expect(hex([resumed.root()])).toEqual(hex([whole.root()]));
        expect(resumed.takeChangedTiles()).toEqual(whole.takeChangedTiles());
      }),
      { numRuns: 15 },
    );
  });

  it('refuses an edge that is narrower than the size says', () => {
    expect(() => TreeBuilder.resume(5, () => [])).toThrow(failure('malformed-tile'));
  });

  it('gives a changed tile once', () => {
    const builder = new TreeBuilder();
    builder.append(leafHash(Buffer.from('a')));
    expect(builder.takeChangedTiles()).toHaveLength(1);
    expect(builder.takeChangedTiles()).toHaveLength(0);
  });
});
