import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { formatAddCheckpoint, parseAddCheckpoint } from './add-checkpoint.ts';
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { cosignatureSigner, cosignatureVerifier } from './cosignature.ts';
import type { LogFormatCode } from './errors.ts';
import { leafHash } from './hashing.ts';
import { formatKeyStatement, openKeyStatement, statementName, statementPath } from './key-statement.ts';
import {
  COSIGNATURE,
  ed25519Signer,
  ed25519Verifier,
  formatVerifierKey,
  keyFingerprint,
  parseVerifierKey,
  rawPublicKey,
  readNote,
  signNote,
  verifiedSignatures,
} from './signed-note.ts';
import { parsePolicy } from './tlog-policy.ts';
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts';
import { TreeBuilder } from './tree-builder.ts';
import { verifyInclusion } from './verify-proofs.ts';

/** The vectors at the end of a page of docs/formats. */
function vectorsIn(page: string): unknown {
  const text = readFileSync(new URL(`../../../docs/formats/${page}`, import.meta.url), 'utf8');
  return JSON.parse(/```json\n([\s\S]+?)\n```/.exec(text)?.[1] ?? '');
}

interface Heads {
  fingerprints: { oldKey: string; newKey: string };
  oldKey: string;
  newKey: string;
  witness1: string;
  witness2: string;
  statementPath: string;
  statement: string;
  headEntries: string[];
  headsRoot: string;
  headsCheckpoint: string;
  policy: string;
}

interface Bundle {
  heads: string;
  logs: { entry: string; index: number; proof: string[] }[];
  records: { index: number; entry: string; proof: string[] }[];
}

const heads = vectorsIn('signed-heads.md') as Heads;
const proofs = vectorsIn('proofs.md') as {
  entriesHex: string[];
  recordProof: string;
  bindingProof: string;
  bundle: Bundle;
};
const failure = (code: LogFormatCode): Error => expect.objectContaining({ code }) as Error;
const bytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64');
const [oldKey, newKey, witness1, witness2] = [1, 2, 3, 4].map((byte) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, byte)]),
    format: 'der',
    type: 'pkcs8',
  }),
);
const HEADS = 'log.example/heads';

describe('the published vectors of signed heads', () => {
  it('are the keys of the seeds', () => {
    expect(formatVerifierKey(HEADS, rawPublicKey(oldKey!))).toBe(heads.oldKey);
    expect(formatVerifierKey(HEADS, rawPublicKey(newKey!))).toBe(heads.newKey);
    expect(formatVerifierKey('witness.example/w1', rawPublicKey(witness1!), COSIGNATURE)).toBe(heads.witness1);
    expect(formatVerifierKey('witness.example/w2', rawPublicKey(witness2!), COSIGNATURE)).toBe(heads.witness2);
    expect([oldKey!, newKey!].map((key) => keyFingerprint(rawPublicKey(key)))).toEqual(
      Object.values(heads.fingerprints),
    );
  });

  it('are the statement that both keys make', () => {
    const statement = { origin: 'log.example', fromHeadsSize: 3, oldKey: heads.oldKey, newKey: heads.newKey };
    const signers = [oldKey!, newKey!].map((key) => ed25519Signer(statementName('log.example'), key));
    expect(signNote(formatKeyStatement(statement), signers)).toBe(heads.statement);
    expect(openKeyStatement(Buffer.from(heads.statement))).toEqual(statement);
    expect(statementPath(statement)).toBe(heads.statementPath);
  });

  it('are the checkpoint that both keys and two witnesses sign', () => {
    const tree = new TreeBuilder();
    for (const entry of heads.headEntries) tree.append(leafHash(Buffer.from(entry)));
    expect(Buffer.from(tree.root()).toString('base64')).toBe(heads.headsRoot);
    const text = formatCheckpoint({ origin: HEADS, size: 3, root: tree.root(), extensions: [] });
    const note = signNote(text, [
      ed25519Signer(HEADS, oldKey!),
      ed25519Signer(HEADS, newKey!),
      cosignatureSigner('witness.example/w1', witness1!, () => 1_795_512_601),
      cosignatureSigner('witness.example/w2', witness2!, () => 1_795_512_602),
    ]);
    expect(note).toBe(heads.headsCheckpoint);
  });

  it('are a policy that the cosignatures satisfy', () => {
    const policy = parsePolicy(heads.policy);
    const { text, signatures } = readNote(Buffer.from(heads.headsCheckpoint));
    const cosigned = policy.witnesses.filter(({ keyName, publicKey }) => {
      return verifiedSignatures(text, signatures, [cosignatureVerifier(keyName, publicKey)]).length === 1;
    });
    expect(policy.isQuorum(new Set(cosigned.map(({ name }) => name)))).toBe(true);
    expect(policy.logs[0]?.verifierKey).toBe(heads.newKey);
  });
});

describe('a statement about a new key', () => {
  it.each([
    ['a size with a leading zero', '\n3\n', '\n03\n'],
    ['the size 0', '\n3\n', '\n0\n'],
    ['another name', 'log.example/keys\n3', 'other.example/keys\n3'],
    ['a further line', '\n\n—', '\nmore\n\n—'],
  ])('is refused with %s', (_, from, to) => {
    expect(() => openKeyStatement(Buffer.from(heads.statement.replace(from, to)))).toThrow();
  });

  it('needs both signatures', () => {
    const [first = '', second = ''] = heads.statement.split('\n').slice(-3, -1);
    for (const line of [first, second]) {
      const note = Buffer.from(heads.statement.replace(`${line}\n`, ''));
      expect(() => openKeyStatement(note)).toThrow(failure('note-not-signed-by-known-key'));
    }
  });
});

describe('the published vectors of proofs', () => {
  const keys = [heads.oldKey, heads.newKey].map((line) => parseVerifierKey(line).publicKey);
  const opened = (note: string, origin: string) =>
    openCheckpoint(
      Buffer.from(note),
      origin,
      keys.map((key) => ed25519Verifier(origin, key)),
    );

  it('prove a record and its binding', () => {
    const record = parseTlogProof(proofs.recordProof);
    const log = opened(record.checkpoint, 'log.example/consent.events/3');
    expect(Buffer.from(record.extra!).toString('hex')).toBe(proofs.entriesHex[1]);
    const included = { leaf: leafHash(record.extra!), index: record.index, proof: record.proof };
    expect(verifyInclusion({ ...included, size: log.size, root: log.root })).toBe(true);
    const binding = parseTlogProof(proofs.bindingProof);
    expect(binding.checkpoint).toBe(heads.headsCheckpoint);
    const bound = opened(binding.checkpoint, HEADS);
    const head = { leaf: leafHash(binding.extra!), index: binding.index, proof: binding.proof };
    expect(verifyInclusion({ ...head, size: bound.size, root: bound.root })).toBe(true);
    expect(parseCheckpoint(Buffer.from(binding.extra!).toString())).toMatchObject({ size: log.size, root: log.root });
  });

  it('prove the records of the bundle', () => {
    const { size, root } = opened(proofs.bundle.heads, HEADS);
    const [log] = proofs.bundle.logs;
    const entry = bytes(log!.entry);
    const proof = log!.proof.map(bytes);
    expect(verifyInclusion({ leaf: leafHash(entry), index: log!.index, size, root, proof })).toBe(true);
    const head = parseCheckpoint(Buffer.from(entry).toString());
    for (const record of proofs.bundle.records) {
      const leaf = leafHash(bytes(record.entry));
      const path = record.proof.map(bytes);
      expect(verifyInclusion({ leaf, index: record.index, size: head.size, root: head.root, proof: path })).toBe(true);
    }
  });
});

describe('a proof file', () => {
  const proof = parseTlogProof(proofs.recordProof);

  it('is written as it is read, with its extra data and without', () => {
    expect(formatTlogProof(proof)).toBe(proofs.recordProof);
    const { extra: _, ...bare } = proof;
    expect(parseTlogProof(formatTlogProof(bare))).toEqual(bare);
    const alone = { index: 0, proof: [], checkpoint: proof.checkpoint };
    expect(parseTlogProof(formatTlogProof(alone))).toEqual(alone);
  });

  it.each([
    ['another first line', (text: string) => text.replace('@v1', '@v2')],
    ['an index with a leading zero', (text: string) => text.replace('index 1', 'index 01')],
    ['no index', (text: string) => text.replace('index 1\n', '')],
    ['a hash that is too short', (text: string) => text.replace('7poS4+8/', '')],
    ['base64 that is not canonical', (text: string) => text.replace('F5Y=', 'F5Z=')],
    ['no empty line', (text: string) => text.replaceAll('\n\n', '\n')],
    ['a signature cut off', (text: string) => text.slice(0, -20)],
    ['64 hashes', (text: string) => text.replace('index 1\n', `index 1\n${`${'A'.repeat(43)}=\n`.repeat(62)}`)],
  ])('is refused with %s', (_, change) => {
    expect(() => parseTlogProof(change(proofs.recordProof))).toThrow();
  });

  it('of consistency is the body of a request to a witness', () => {
    const body = { oldSize: 2, proof: proof.proof.map((hash) => new Uint8Array(hash)), checkpoint: proof.checkpoint };
    expect(parseAddCheckpoint(formatAddCheckpoint(body))).toEqual(body);
    const text = formatAddCheckpoint(body);
    for (const changed of [
      text.replace('old 2', 'old 02'),
      text.replace('old 2', 'new 2'),
      text.replace('\n\n', '\n'),
    ]) {
      expect(() => parseAddCheckpoint(changed)).toThrow(failure('malformed-proof'));
    }
  });
});
