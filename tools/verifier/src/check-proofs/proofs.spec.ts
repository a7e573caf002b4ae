import { chainKeys, type KeyChain, parsePin } from '../check-keys/key-chain.ts';
import { ifWellFormed } from '../notes/format-error.ts';
import { parseKeyLine } from '../notes/signed-note.ts';
import { vectorsOf } from '../written-log/format-vectors.fixture.ts';
import { chainOf, checkBinding, checkKeptFile } from './proof-file.ts';

interface ProofVectors {
  readonly recordProof: string;
  readonly bindingProof: string;
  readonly bundle: {
    readonly keys: readonly string[];
    readonly keyStatements: readonly string[];
    readonly heads: string;
    readonly logs: readonly Record<string, unknown>[];
    readonly records: readonly { readonly entry: string; readonly proof: readonly string[]; readonly index: number }[];
  };
}

const { recordProof, bindingProof, bundle } = vectorsOf('proofs.md') as ProofVectors;
const keys = bundle.keys.map(parseKeyLine);
const { chain } = chainKeys(
  'log.example',
  keys,
  bundle.keyStatements.map((note) => Buffer.from(note)),
  undefined,
);
const [trusted = ''] = chain.fingerprints;
const check = (file: string | object, by: KeyChain | undefined = chain, fingerprint = trusted) =>
  checkKeptFile(Buffer.from(typeof file === 'string' ? file : JSON.stringify(file)), by, fingerprint);

describe('the proofs of docs/formats/proofs.md', () => {
  it('hold: of one record, of its binding, and of a bundle', () => {
    expect(check(recordProof)).toMatchObject({ kind: 'proof', log: 'consent.events/3', index: 1 });
    expect(check(bindingProof)).toMatchObject({ kind: 'proof', log: 'heads', index: 2 });
    expect(check(bundle, undefined)).toMatchObject({
      kind: 'bundle',
      bundle: {
        heads: { size: 3 },
        records: [
          { log: 'consent.events/3', index: 1, offset: 1 },
          { log: 'consent.events/3', index: 2, offset: 2 },
        ],
      },
    });
  });

  it('show together that the log in that state is bound, and nothing else', () => {
    const [record, binding] = [check(recordProof), check(bindingProof)];
    expect(checkBinding(record, binding, chain)).toMatchObject({ size: 3 });
    const [, other = ''] = /\nextra (.+)\n/.exec(recordProof) ?? [];
    for (const [kept, by, message] of [
      [record, record, 'not the proof of a head'],
      [record, check(bindingProof.replace(/\nextra .+/, '')), 'not the proof of a head'],
      [binding, binding, 'is of consent.events/3 with 3 leaves'],
      [check(bundle, undefined), binding, 'needs no binding'],
    ] as const)
      expect(() => checkBinding(kept, by, chain)).toThrow(message);
    expect(() => check(bindingProof.replace(/\nextra .+/, `\nextra ${other}`))).toThrow('is not leaf 2 of heads');
  });

  it('hold with nothing but a key line', () => {
    const pin = parsePin(bundle.keys[0]!);
    const file = Buffer.from(recordProof);
    expect(checkKeptFile(file, chainOf(pin, file), pin.fingerprint)).toMatchObject({ kind: 'proof', index: 1 });
    expect(() => checkKeptFile(file, chainOf(parsePin(trusted), file), trusted)).toThrow('names no key');
  });

  it('do not hold with any character of theirs changed', () => {
    const survivors: string[] = [];
    for (const file of [recordProof, bindingProof]) {
      // Of several signatures one may be by nobody that is known.
      for (let i = 0; i < file.indexOf('— '); i += 1) {
        const changed = `${file.slice(0, i)}${file[i] === 'A' ? 'B' : 'A'}${file.slice(i + 1)}`;
        if (ifWellFormed(() => check(changed)) !== undefined) survivors.push(`${i}: ${changed.slice(i - 5, i + 5)}`);
      }
    }
    expect(survivors).toEqual([]);
  });

  const [first, second] = bundle.records;
  it.each<[string, object]>([
    ['not linked', { ...bundle, keyStatements: [] }],
    ['record 0', { ...bundle, records: [{ ...first, index: 0 }] }],
    ['record 0', { ...bundle, records: [{ ...first, proof: second?.proof }] }],
    ['record 0', { ...bundle, records: [{ ...first, entry: second?.entry }] }],
    ['not there', { ...bundle, logs: [] }],
    ['is of another log', { ...bundle, logs: [{ ...bundle.logs[0], name: 'consent.events/4' }] }],
    ['not proven', { ...bundle, logs: [{ ...bundle.logs[0], index: 1 }] }],
    ['does not fit', { ...bundle, heads: bundle.heads.replace('\n3\n', '\n4\n') }],
    ['records is not a list', { ...bundle, records: 'all' }],
    ['is not a text', { ...bundle, keyStatements: [{ toString: 1, valueOf: 1 }] }],
    ['receipt', { ...bundle, receipt: { eventId: '1', type: 'consent.granted.v1', position: 'consent.events/3@1' } }],
    ['assent-proof-bundle', { ...bundle, format: 'assent-proof-bundle/v2' }],
    ['another key', { ...bundle, keys: bundle.keys.slice(1), keyStatements: [] }],
  ])('do not hold when they lie: %s', (message, file) => {
    expect(() => check(file, undefined)).toThrow(message);
  });

  it('do not hold when they are nested as deep as no stack is', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    const file = JSON.stringify({ ...bundle, keyStatements: ['deep'] }).replace('"deep"', deep);
    expect(() => check(file, undefined)).toThrow('is not a text');
  });
});
