import fc from 'fast-check';
import { GrowingTree, rootOf, type SavedTree } from './growing-tree.ts';
import { EMPTY_ROOT, type Hash, hexOf, leafHash, nodeHash, sha256 } from './hashes.ts';
import { provesConsistency, provesInclusion } from './proofs.ts';

/** Leaves and roots that the certificate transparency code bases share as test data. */
const RFC6962_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => leafHash(Buffer.from(hex, 'hex')));
const RFC6962_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** The definitions of RFC 6962, sections 2.1, 2.1.1 and 2.1.2, word for word, at whatever price. */
const split = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));

function treeHash(leaves: readonly Hash[]): Hash {
  const [only] = leaves;
  if (only === undefined) return sha256(new Uint8Array());
  if (leaves.length === 1) return only;
  const k = split(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

function inclusionPath(m: number, leaves: readonly Hash[]): Hash[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...inclusionPath(m, leaves.slice(0, k)), treeHash(leaves.slice(k))]
    : [...inclusionPath(m - k, leaves.slice(k)), treeHash(leaves.slice(0, k))];
}

function consistencyPath(m: number, leaves: readonly Hash[], isWhole = true): Hash[] {
  if (m === leaves.length) return isWhole ? [] : [treeHash(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...consistencyPath(m, leaves.slice(0, k), isWhole), treeHash(leaves.slice(k))]
    : [...consistencyPath(m - k, leaves.slice(k), false), treeHash(leaves.slice(0, k))];
}

const leaves = Array.from({ length: 300 }, (_, n) => leafHash(Buffer.from(`leaf ${n}`)));
/** Hashing the same subtrees again and again is most of the price. */
const known = new Map<string, Hash>();
function rangeHash(from: number, to: number): Hash {
  const key = `${from} ${to}`;
  const hash = known.get(key) ?? (to - from === 1 ? leaves[from]! : splitHash(from, to));
  known.set(key, hash);
  return hash;
}
function splitHash(from: number, to: number): Hash {
  const middle = from + split(to - from);
  return nodeHash(rangeHash(from, middle), rangeHash(middle, to));
}
function rangeInclusion(m: number, from: number, to: number): Hash[] {
  if (to - from === 1) return [];
  const middle = from + split(to - from);
  return m < middle
    ? [...rangeInclusion(m, from, middle), rangeHash(middle, to)]
    : [...rangeInclusion(m, middle, to), rangeHash(from, middle)];
}
function rangeConsistency(m: number, from: number, to: number, isWhole = true): Hash[] {
  if (m === to) return isWhole ? [] : [rangeHash(from, to)];
  const middle = from + split(to - from);
  return m <= middle
    ? [...rangeConsistency(m, from, middle, isWhole), rangeHash(middle, to)]
    : [...rangeConsistency(m, middle, to, false), rangeHash(from, middle)];
}

describe('the tree', () => {
  it('has the roots of RFC 6962’s test data', () => {
    expect(hexOf(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(RFC6962_LEAVES.map((_, n) => hexOf(rootOf(RFC6962_LEAVES.slice(0, n + 1))))).toEqual(RFC6962_ROOTS);
  });

  it('has the root that the definition gives, for 0 to 300 leaves', () => {
    const tree = GrowingTree.empty();
    expect(tree.root()).toEqual(treeHash([]));
    for (const [n, leaf] of leaves.entries()) {
      tree.append(leaf);
      expect(hexOf(tree.root())).toBe(hexOf(rangeHash(0, n + 1)));
    }
  });

  it('tells of each perfect subtree of 256 leaves, and goes on from where it was saved', () => {
    const told: string[] = [];
    const tell = (level: number, hash: Hash): void => {
      told.push(`${level} ${hexOf(hash)}`);
    };
    const whole = GrowingTree.empty(tell);
    for (const leaf of leaves) whole.append(leaf);
    expect(told).toEqual([`1 ${hexOf(rangeHash(0, 256))}`]);
    const first = GrowingTree.empty();
    for (const leaf of leaves.slice(0, 100)) first.append(leaf);
    const saved = GrowingTree.restore(JSON.parse(JSON.stringify(first.save())) as SavedTree, tell);
    for (const leaf of leaves.slice(100)) saved.append(leaf);
    expect(saved.root()).toEqual(whole.root());
    expect(told).toHaveLength(2);
  });
});

describe('proofs of trees of 1 to 300 leaves', () => {
  it('hold for every leaf, as long as RFC 6962 makes them, and not with another leaf or place', () => {
    for (let size = 1; size <= leaves.length; size += 1) {
      const root = rangeHash(0, size);
      for (let index = 0; index < size; index += 1) {
        const path = rangeInclusion(index, 0, size);
        const claim = { leaf: leaves[index]!, index, size, root, path };
        const inner = (index ^ (size - 1)).toString(2).replace(/^0$/, '').length;
        const outer = (index >> inner).toString(2).replaceAll('0', '').length;
        if (!provesInclusion(claim) || path.length !== inner + outer) throw new Error(`leaf ${index} of ${size}`);
        // A lie about every tenth is enough: hashing is the price.
        if ((index + size) % 10 > 0) continue;
        const isElsewhere = provesInclusion({ ...claim, index: (index + 1) % size });
        const isLonger = provesInclusion({ ...claim, path: [...path, root] });
        const isShorter = path.length > 0 && provesInclusion({ ...claim, path: path.slice(0, -1) });
        if ((size > 1 && isElsewhere) || isLonger || isShorter) throw new Error(`leaf ${index} of ${size} elsewhere`);
      }
    }
  });

  it('hold between any two sizes, and not with another root', () => {
    for (let size = 1; size <= leaves.length; size += 1) {
      for (let oldSize = 1; oldSize <= size; oldSize += 1) {
        const path = rangeConsistency(oldSize, 0, size);
        const claim = { oldSize, oldRoot: rangeHash(0, oldSize), size, root: rangeHash(0, size), path };
        if (!provesConsistency(claim)) throw new Error(`${oldSize} to ${size}`);
        if ((oldSize + size) % 10 > 0) continue;
        const lies = [
          { ...claim, oldRoot: EMPTY_ROOT },
          { ...claim, root: EMPTY_ROOT },
          { ...claim, path: [...path, EMPTY_ROOT] },
        ];
        if (lies.some(provesConsistency)) throw new Error(`${oldSize} to ${size} with a lie`);
      }
    }
  });

  it('are those of the definitions (spot checks of the faster ones above)', () => {
    for (const size of [1, 2, 7, 64, 255, 256, 300]) {
      const some = leaves.slice(0, size);
      for (const m of [0, Math.floor(size / 3), size - 1]) {
        expect(rangeInclusion(m, 0, size)).toEqual(inclusionPath(m, some));
        if (m > 0) expect(rangeConsistency(m, 0, size)).toEqual(consistencyPath(m, some));
      }
    }
  });
});

describe('proofs of trees of any size', () => {
  /** A tree of 2^k equal leaves has k different hashes, so that huge ones can be had. */
  const perfect = [leafHash(Buffer.from('same'))];
  for (let k = 1; k < 53; k += 1) perfect.push(nodeHash(perfect[k - 1]!, perfect[k - 1]!));
  const equalLeaves = (n: number): Hash => {
    const k = Math.floor(Math.log2(n));
    return n === 2 ** k ? perfect[k]! : nodeHash(perfect[k]!, equalLeaves(n - 2 ** k));
  };
  const pathOf = (m: number, n: number): Hash[] => {
    if (n === 1) return [];
    const k = split(n);
    return m < k ? [...pathOf(m, k), equalLeaves(n - k)] : [...pathOf(m - k, n - k), equalLeaves(k)];
  };

  it('hold up to 2^53 leaves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 48 }),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (size, part) => {
          const index = Math.floor(size * part);
          const path = pathOf(index, size);
          return provesInclusion({ leaf: perfect[0]!, index, size, root: equalLeaves(size), path });
        },
      ),
      { numRuns: 300, seed: 6962 },
    );
  });

  it('are refused for numbers that are none', () => {
    const claim = { leaf: leaves[0]!, index: 0, size: 1, root: leaves[0]!, path: [] };
    expect(provesInclusion(claim)).toBe(true);
    for (const wrong of [{ index: -1 }, { index: 1 }, { index: 0.5 }, { size: 0 }, { size: Number.NaN }])
      expect(provesInclusion({ ...claim, ...wrong })).toBe(false);
    // The root is no leaf, whatever it hashes to.
    expect(provesInclusion({ leaf: EMPTY_ROOT, index: 0, size: 2, root: EMPTY_ROOT, path: [] })).toBe(false);
    expect(provesConsistency({ oldSize: 2, oldRoot: EMPTY_ROOT, size: 1, root: EMPTY_ROOT, path: [] })).toBe(false);
    expect(provesConsistency({ oldSize: 0, oldRoot: EMPTY_ROOT, size: 1, root: leaves[0]!, path: [] })).toBe(true);
  });
});
