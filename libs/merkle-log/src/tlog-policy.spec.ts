import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { LogFormatCode } from './errors.ts';
import { COSIGNATURE, formatVerifierKey } from './signed-note.ts';
import { parsePolicy, POLICY_BYTES_MAX } from './tlog-policy.ts';

const failure = (code: LogFormatCode): Error => expect.objectContaining({ code }) as Error;
const keyOf = (name: string): Uint8Array => createHash('sha256').update(name).digest();
const witness = (name: string, url = ''): string =>
  `witness ${name} ${formatVerifierKey(`w.example/${name}`, keyOf(name), COSIGNATURE)} ${url}\n`;
const logKey = formatVerifierKey('log.example/heads', keyOf('log'));

const example = `# The example of the specification.
log ${logKey}

${witness('X1')}${witness('X2')}${witness('X3')}group X-witnesses 2 X1 X2 X3

${witness('Y1')}${witness('Y2', 'https://y2.example/')}${witness('Y3')}group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
\tquorum   X-and-Y
`;

describe('a trust policy', () => {
  it('names logs and witnesses', () => {
    const policy = parsePolicy(example);
    expect(policy.logs).toEqual([{ verifierKey: logKey }]);
    expect(policy.witnesses.map(({ name, url }) => [name, url])).toEqual([
      ['X1', undefined],
      ['X2', undefined],
      ['X3', undefined],
      ['Y1', undefined],
      ['Y2', 'https://y2.example/'],
      ['Y3', undefined],
    ]);
    expect(policy.witnesses[0]).toMatchObject({ keyName: 'w.example/X1', publicKey: new Uint8Array(keyOf('X1')) });
  });

  it.each([
    [['X1', 'X2', 'Y3'], true],
    [['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'], true],
    [['X1', 'X2', 'X3'], false],
    [['X1', 'Y1', 'Y2', 'Y3'], false],
    [[], false],
    [['X1', 'X1', 'Y1'], false],
  ])('says of %j whether they are enough: %s', (cosigned, enough) => {
    expect(parsePolicy(example).isQuorum(new Set(cosigned))).toBe(enough);
  });

  it('can ask for k of n', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(), fc.nat(), (n, a, b) => {
        const [k, cosigned] = [1 + (a % n), b % (n + 1)];
        const names = Array.from({ length: n }, (_, i) => `w${i}`);
        const lines = names.map((name) => witness(name)).join('');
        const policy = parsePolicy(`${lines}group g ${k} ${names.join(' ')}\nquorum g\n`);
        expect(policy.isQuorum(new Set(names.slice(0, cosigned)))).toBe(cosigned >= k);
      }),
      { numRuns: 50 },
    );
  });

  it('can ask for one witness, or for none', () => {
    expect(parsePolicy(`${witness('a')}quorum a\n`).isQuorum(new Set(['a']))).toBe(true);
    expect(parsePolicy('quorum none\n').isQuorum(new Set())).toBe(true);
  });

  it.each([
    ['no quorum', witness('a')],
    ['two quorums', `${witness('a')}quorum a\nquorum a\n`],
    ['a quorum of what is defined later', `quorum a\n${witness('a')}`],
    ['a group of what is defined later', `group g any a\n${witness('a')}quorum g\n`],
    ['a witness in two groups', `${witness('a')}group g any a\ngroup h any a\nquorum g\n`],
    ['a witness in a group twice', `${witness('a')}group g 2 a a\nquorum g\n`],
    ['a group without members', 'group g any\nquorum g\n'],
    ['a threshold of 0', `${witness('a')}group g 0 a\nquorum g\n`],
    ['a threshold above its members', `${witness('a')}group g 2 a\nquorum g\n`],
    ['a threshold with a leading zero', `${witness('a')}group g 01 a\nquorum g\n`],
    ['a name twice', `${witness('a')}${witness('b').replace('witness b', 'witness a')}quorum a\n`],
    ['a witness named none', `${witness('none')}quorum none\n`],
    ['a key twice', `${witness('a')}${witness('a').replace('witness a', 'witness b')}quorum a\n`],
    ['a log’s key for a witness', `witness a ${logKey}\nquorum a\n`],
    ['a witness’s key for a log', `log ${witness('a').split(' ')[2] ?? ''}\nquorum none\n`],
    ['a line of another kind', 'hello\nquorum none\n'],
    ['a carriage return', 'quorum none\r\n'],
    ['too many bytes', `${'#'.repeat(POLICY_BYTES_MAX)}\nquorum none\n`],
  ])('is refused with %s', (_, text) => {
    expect(() => parsePolicy(text)).toThrow(failure('malformed-policy'));
  });
});
