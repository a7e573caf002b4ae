import { generateKeyPairSync } from 'node:crypto';
import { ed25519Signer, formatVerifierKey, leafHash, nodeHash, rawPublicKey, signCheckpoint } from '@assent/merkle-log';
import { explanationLines } from './explain-dispatch.ts';
import { checkProof, type Explanation, type ShownEvent } from './explanation.ts';

const ORIGIN = 'assent.local/dispatch.events/3';
const { privateKey } = generateKeyPairSync('ed25519');
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** An explanation of one event, the first of a log of two records. */
function explained(change: { proof?: object; note?: string } = {}): { event: ShownEvent; explanation: Explanation } {
  const [leaf, sibling] = [leafHash(Buffer.from('first')), leafHash(Buffer.from('second'))];
  const root = nodeHash(leaf, sibling);
  const head = { origin: ORIGIN, size: 2, root, extensions: [] };
  const note = change.note ?? signCheckpoint(head, [ed25519Signer(ORIGIN, privateKey)]);
  const proven = { state: 'proven', topic: 'dispatch.events', partition: 3, index: 0, size: 2 } as const;
  const proof = { ...proven, leafHash: base64(leaf), root: base64(root), proof: [base64(sibling)], ...change.proof };
  const event = {
    position: 'dispatch.events/3@0',
    type: 'dispatch.accepted.v1',
    says: 'Accepted.',
    proof,
  } as ShownEvent;
  const verifierKey = formatVerifierKey(ORIGIN, rawPublicKey(privateKey));
  const checkpoints = { 'dispatch.events/3': { note, verifierKey } };
  return { event, explanation: { dispatchId: 'd', events: [event], reliedOn: [], checkpoints, keyFingerprint: 'f' } };
}

function outcome(change: Parameters<typeof explained>[0]): string {
  const { event, explanation } = explained(change);
  return checkProof(event, explanation);
}

describe('the proof of an explained event', () => {
  it('holds when it leads to a signed root', () => {
    expect(outcome({})).toBe('proven');
  });

  it.each([
    ['another leaf', { leafHash: base64(leafHash(Buffer.from('changed'))) }],
    ['another place', { index: 1 }],
    ['a root that was not signed', { root: base64(leafHash(Buffer.from('other'))) }],
    ['a size that was not signed', { size: 3 }],
    ['no proof', { proof: [] }],
    ['a log without a checkpoint', { partition: 4 }],
  ])('is wrong for %s', (_, proof) => {
    expect(outcome({ proof })).toBe('wrong');
  });

  it('is wrong when the checkpoint is signed by another key', () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    const [leaf, sibling] = [leafHash(Buffer.from('first')), leafHash(Buffer.from('second'))];
    const head = { origin: ORIGIN, size: 2, root: nodeHash(leaf, sibling), extensions: [] };
    expect(outcome({ note: signCheckpoint(head, [ed25519Signer(ORIGIN, other)]) })).toBe('wrong');
  });

  it('is pending as long as the record is not signed, and wrong when the log has no such record', () => {
    const { event, explanation } = explained();
    expect(checkProof({ ...event, proof: { state: 'pending' } }, explanation)).toBe('pending');
    expect(checkProof({ ...event, proof: { state: 'not-in-log' } }, explanation)).toBe('wrong');
  });
});

describe('an explanation in words', () => {
  it('marks each event by what its proof is worth', () => {
    const good = explained();
    expect(explanationLines(good.explanation)).toContain('  ✓ dispatch.events/3@0  dispatch.accepted.v1');
    const bad = explained({ proof: { index: 1 } });
    expect(explanationLines(bad.explanation)).toContain('  ✗ dispatch.events/3@0  dispatch.accepted.v1');
  });
});
