import { vectorsOf } from '../written-log/format-vectors.fixture.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { noteKey, parseKeyLine, parseNote, signedBy } from './signed-note.ts';
import { parsePolicy } from './witness-policy.ts';

interface HeadVectors {
  readonly headsCheckpoint: string;
  readonly witness1: string;
  readonly witness2: string;
  readonly oldKey: string;
  readonly policy: string;
}

const vectors = vectorsOf('signed-heads.md') as HeadVectors;
const note = parseNote(Buffer.from(vectors.headsCheckpoint));

describe('a note', () => {
  it('of Go’s sumdb/note package is verified (its documentation’s example)', () => {
    const key = parseKeyLine('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW');
    const text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const signature =
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
    expect(signedBy(parseNote(Buffer.from(`${text}\n${signature}`)), key)).toEqual({ is: 'valid' });
    const other = parseNote(Buffer.from(`${text.replace('think', 'thank')}\n${signature}`));
    expect(signedBy(other, key)).toEqual({ is: 'invalid' });
  });

  it('of docs/formats/signed-heads.md has two signatures and two cosignatures with their times', () => {
    expect(note.signatures).toHaveLength(4);
    expect(signedBy(note, parseKeyLine(vectors.oldKey))).toEqual({ is: 'valid' });
    expect(signedBy(note, parseKeyLine(vectors.witness1))).toEqual({ is: 'valid', time: 1795512601n });
    expect(signedBy(note, parseKeyLine(vectors.witness2))).toEqual({ is: 'valid', time: 1795512602n });
    const { name, publicKey } = parseKeyLine(vectors.witness1);
    expect(signedBy(note, noteKey('witness.example/w3', 'cosignature', publicKey))).toEqual({ is: 'absent' });
    expect(signedBy(note, noteKey(name, 'ed25519', publicKey))).toEqual({ is: 'absent' });
  });

  it.each<[string, string]>([
    ['without signatures', 'text\n'],
    ['without a last newline', 'text\n\n— a AAAAAAAA'],
    ['with a tab', 'te\txt\n\n— a AAAAAAAA\n'],
    ['with base64 that is not canonical', 'text\n\n— a AAAAAAAB=\n'],
    ['with a signature of nothing', 'text\n\n— a AAAAAA==\n'],
    ['with another dash', 'text\n\n- a AAAAAAAA\n'],
    ['with a hundred signatures', `text\n\n${'— a AAAAAAAA\n'.repeat(100)}`],
    ['that is too long', `${'x'.repeat(70_000)}\n\n— a AAAAAAAA\n`],
  ])('is none %s', (_, text) => {
    expect(() => parseNote(Buffer.from(text))).toThrow();
  });

  it('is none when it is not UTF-8', () => {
    expect(() => parseNote(Buffer.concat([Buffer.of(0xff), Buffer.from('\n\n— a AAAAAAAA\n')]))).toThrow('UTF-8');
  });
});

describe('a key line', () => {
  it.each([
    vectors.oldKey.replace('737493b5', '737493b6'),
    vectors.oldKey.replace('log.example', 'log example'),
    vectors.oldKey.replace('+AYqI', '+CIqI'),
    vectors.oldKey.slice(0, -1),
    `${vectors.oldKey}=`,
    '',
  ])('is not %s', (line) => {
    expect(() => parseKeyLine(line)).toThrow();
  });
});

describe('a checkpoint', () => {
  const root = Buffer.alloc(32, 1).toString('base64');

  it('has an origin, a size, a root, and extension lines', () => {
    expect(parseCheckpoint(`o\n7\n${root}\nmore\n`)).toMatchObject({ origin: 'o', size: 7, extensions: ['more'] });
  });

  it.each([
    `\n7\n${root}\n`,
    `o\n07\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n9007199254740993\n${root}\n`,
    `o\n7\n${root}`,
    `o\n7\n${root}\n\n`,
    `o\n7\n${root.replace('=', '')}\n`,
    `o\n7\n${root.slice(0, -2)}F=\n`,
    'o\n7\n',
  ])('is not %j', (text) => {
    expect(() => parseCheckpoint(text)).toThrow();
  });
});

describe('a witness policy', () => {
  const names = (...all: string[]): Set<string> => new Set(all);
  const witness = (name: string, n: 1 | 2): string =>
    `witness ${name} ${n === 1 ? vectors.witness1 : vectors.witness2}`;

  it('of docs/formats/signed-heads.md needs one of two', () => {
    const policy = parsePolicy(vectors.policy);
    expect([policy.isEnough(names()), policy.isEnough(names('two')), policy.quorum]).toEqual([
      false,
      true,
      'witnesses',
    ]);
    expect([policy.logs.length, policy.witnesses.length]).toEqual([1, 2]);
  });

  it('counts groups in groups', () => {
    const lines = [witness('a', 1), witness('b', 2), 'group one any a', 'group both 2 one b', '\tquorum  both ', ''];
    const policy = parsePolicy(lines.join('\n'));
    expect([names('a'), names('b'), names('a', 'b'), names('one', 'b')].map(policy.isEnough)).toEqual([
      false,
      false,
      true,
      false,
    ]);
    expect(parsePolicy('quorum none').isEnough(names())).toBe(true);
  });

  it.each<[string, string]>([
    ['line 1', 'quorum a'],
    ['has no quorum', witness('a', 1)],
    ['line 2', `${witness('a', 1)}\n${witness('b', 1)}\nquorum a`],
    ['line 2', `${witness('a', 1)}\n${witness('a', 2)}\nquorum a`],
    ['line 2', `${witness('a', 1)}\ngroup g 2 a\nquorum g`],
    ['line 2', `${witness('a', 1)}\ngroup g 0 a\nquorum g`],
    ['line 3', `${witness('a', 1)}\ngroup g any a\ngroup h any a\nquorum h`],
    ['line 2', `${witness('a', 1)}\ngroup g any none\nquorum g`],
    ['line 3', `${witness('a', 1)}\nquorum a\nquorum a`],
    ['line 1', `log ${vectors.witness1}\nquorum none`],
    ['line 1', 'nonsense'],
  ])('is none: %s', (message, text) => {
    expect(() => parsePolicy(text)).toThrow(message);
  });
});
