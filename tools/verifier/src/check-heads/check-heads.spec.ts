import { tmpdir } from 'node:os';
import { KeyChain } from '../check-keys/key-chain.ts';
import type { SignedCheckpoint } from '../check-keys/signed-checkpoint.ts';
import { Findings } from '../findings/findings.ts';
import { TemporaryFile } from '../spill/temporary-file.ts';
import { vectorsOf } from '../written-log/format-vectors.fixture.ts';
import { MemorySource } from '../written-log/memory-source.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { FilesInMemory, WrittenLog } from '../written-log/written-log.fixture.ts';
import { checkHeads, headsClaim, type HeadsLimits } from './check-heads.ts';
import { parseHeadEntry } from './head-entry.ts';

/** Reads a log of heads of these sizes; the roots are invented. */
async function read(heads: readonly (readonly [name: string, size: number])[], limits: HeadsLimits) {
  const sink = new FilesInMemory();
  const log = new WrittenLog({ origin: 'log.example', sink, key: new TestKey(1) });
  for (const [name, size] of heads) log.bindHead(name, size, Buffer.alloc(32, size));
  log.signHeads();
  const chain = new KeyChain('log.example', []);
  const checkpoint = { origin: 'log.example/heads', size: log.heads.size, root: log.heads.root() };
  const claim = headsClaim(new MemorySource(sink.files), checkpoint as SignedCheckpoint, new Map());
  const findings = new Findings();
  const file = new TemporaryFile(tmpdir());
  const found = await checkHeads(claim, chain, file, findings, limits);
  file.close();
  const faults = findings.faults.map(({ code, index, text }) => `${code} ${index} ${text}`);
  return { ...found, faults };
}

describe('a log of heads that says more than can be so', () => {
  it('is found out, and no more logs are kept, of known topics or not', async () => {
    const names = ['consent.events/0', 'invented/0', 'consent.events/1', 'invented/1', 'consent.events/0'];
    const { bound, faults } = await read(
      names.map((name, size) => [name, size]),
      { logs: 2, takenBack: 9 },
    );
    expect([...bound].map(([name, { size }]) => [name, size])).toEqual([
      ['consent.events/0', 4],
      ['invented/0', 1],
    ]);
    expect(faults.filter((fault) => fault.includes('more than 2 logs'))).toEqual([
      expect.stringMatching(/^head-invalid 2 /),
      expect.stringMatching(/^head-invalid 3 /),
    ]);
  });

  it('is found out for every head that takes something back; so many are compared with the leaves', async () => {
    const sizes = [5, 4, 3].flatMap((size) => [0, 1].map((n) => [`invented/${n}`, size] as const));
    const { takenBack, faults } = await read(sizes, { logs: 2, takenBack: 3 });
    expect([...takenBack.values()].map((heads) => [...heads.keys()])).toEqual([[4, 3], [4]]);
    expect(faults.filter((fault) => fault.startsWith('head-went-back'))).toHaveLength(4);
  });
});

describe('an entry that says how many partitions its topic has, of docs/formats/signed-heads.md', () => {
  const { headEntryWithPartitions } = vectorsOf('signed-heads.md') as { headEntryWithPartitions: string };
  const parsed = (text: string) => parseHeadEntry(Buffer.from(text), 'log.example');

  it('is read', () => {
    expect(parsed(headEntryWithPartitions)).toMatchObject({
      name: 'consent.events/3',
      size: 3,
      firstRetained: 0,
      partitions: 12,
    });
  });

  it.each(['partitions 0', 'partitions 12 ', 'partitions 12\npartitions 12', 'partitions x'])(
    'is no head with the line %j',
    (line) => {
      expect(() => parsed(headEntryWithPartitions.replace('partitions 12', line))).toThrow('not the head of a log');
    },
  );
});
