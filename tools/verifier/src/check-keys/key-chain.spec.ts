import { ifWellFormed } from '../notes/format-error.ts';
import { parseKeyLine } from '../notes/signed-note.ts';
import { vectorsOf } from '../written-log/format-vectors.fixture.ts';
import { checkpointText } from '../written-log/written-log.fixture.ts';
import { TestKey } from '../written-log/note-signing.fixture.ts';
import { chainKeys, type ChainFound } from './key-chain.ts';
import { openCheckpoint } from './signed-checkpoint.ts';

interface HeadVectors {
  readonly fingerprints: { readonly oldKey: string; readonly newKey: string };
  readonly oldKey: string;
  readonly newKey: string;
  readonly statement: string;
  readonly headsCheckpoint: string;
}

const vectors = vectorsOf('signed-heads.md') as HeadVectors;
const [oldKey, newKey, stranger] = [new TestKey(1), new TestKey(2), new TestKey(9)];
const ORIGIN = 'log.example';
const root = Buffer.alloc(32, 5);

function chained(trusted?: string, statement = vectors.statement): ChainFound {
  const keys = [vectors.oldKey, vectors.newKey].map(parseKeyLine);
  return chainKeys(ORIGIN, keys, [Buffer.from(statement)], trusted);
}

/** A head of a size, signed by these keys. */
function head(size: number, ...signers: TestKey[]): Buffer {
  const text = checkpointText(`${ORIGIN}/heads`, size, root);
  return Buffer.from(`${text}\n${signers.map((key) => key.signature(`${ORIGIN}/heads`, text)).join('')}`);
}

const opens = (bytes: Buffer, { chain }: ChainFound): boolean =>
  ifWellFormed(() => openCheckpoint(bytes, 'heads', chain)) !== undefined;

describe('keys that follow each other, of docs/formats/signed-heads.md', () => {
  it('are one chain, whichever of them is trusted', () => {
    for (const trusted of [undefined, vectors.fingerprints.oldKey, vectors.fingerprints.newKey]) {
      const { chain, unlinked } = chained(trusted);
      expect(unlinked).toEqual([]);
      expect(chain.fingerprints).toEqual([vectors.fingerprints.oldKey, vectors.fingerprints.newKey]);
      expect(chain.keys.map(({ firstHeadsSize }) => firstHeadsSize)).toEqual([0, 3]);
      expect(openCheckpoint(Buffer.from(vectors.headsCheckpoint), 'heads', chain).size).toBe(3);
    }
  });

  it('sign each from its size on: an old key alone signs no larger head, a new one none before', () => {
    const found = chained();
    expect(opens(head(2, oldKey), found)).toBe(true);
    expect(opens(head(2, newKey), found)).toBe(false);
    expect(opens(head(3, oldKey), found)).toBe(false);
    expect(opens(head(3, newKey), found)).toBe(true);
    expect(opens(head(3, oldKey, newKey), found)).toBe(true);
    expect(opens(head(3, stranger), found)).toBe(false);
    // Under the log's own name nobody else signs: a line like that is one of ours that was changed.
    expect(opens(head(3, newKey, stranger), found)).toBe(false);
  });

  it('make a head invalid by one signature that does not fit, whatever the other says', () => {
    const [good, other] = [head(3, oldKey, newKey).toString(), head(4, oldKey).toString()];
    const [, wrong = ''] = /\n(— .*\n)$/.exec(other) ?? [];
    const mixed = good.replace(/— .*\n/, () => wrong);
    expect(opens(Buffer.from(mixed), chained())).toBe(false);
  });

  it.each<[string, (text: string) => string]>([
    ['of another origin', (text) => text.replace('log.example/keys', 'log.example/kays')],
    ['with another size', (text) => text.replace('\n3\n', '\n4\n')],
    ['with size 0', (text) => text.replace('\n3\n', '\n0\n')],
    ['signed by the old key only', (text) => text.replace(/— .*\n$/, '')],
    ['signed by the new key only', (text) => text.replace(/\n— .*\n/, '\n')],
    ['with a line more', (text) => text.replace('\n\n', '\nmore\n\n')],
    ['that is nothing', () => ''],
  ])('are not linked by a statement %s; then only the run of the trusted one counts', (_, change) => {
    const statement = change(vectors.statement);
    expect(chained(undefined, statement)).toMatchObject({ unlinked: ['8eb4365c'] });
    expect(chained(undefined, statement).chain.fingerprints).toEqual([vectors.fingerprints.oldKey]);
    expect(chained(vectors.fingerprints.newKey, statement).chain.fingerprints).toEqual([vectors.fingerprints.newKey]);
  });
});
