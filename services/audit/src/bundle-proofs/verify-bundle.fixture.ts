import {
  type Checkpoint,
  decodeLeaf,
  ed25519Verifier,
  type KafkaRecord,
  leafHash,
  openCheckpoint,
  parseCheckpoint,
  parseVerifierKey,
  sha256,
  verifyInclusion,
} from '@assent/merkle-log';
import type { ProofBundle } from './proof-bundle.ts';

const bytes = (base64: string): Uint8Array => Buffer.from(base64, 'base64');

/** Checks a bundle as docs/formats/proofs.md says; answers its records, decoded. Throws at the first thing that is wrong. */
export function verifiedRecords(bundle: ProofBundle): (Omit<KafkaRecord, 'value'> | undefined)[] {
  const name = `${bundle.origin}/heads`;
  const verifiers = bundle.keys.map((line) => ed25519Verifier(name, parseVerifierKey(line).publicKey));
  const heads = openCheckpoint(Buffer.from(bundle.heads), name, verifiers);
  const logs = new Map<string, Checkpoint>();
  for (const log of bundle.logs) {
    const entry = bytes(log.entry);
    const included = { leaf: leafHash(entry), index: log.index, proof: log.proof.map(bytes) };
    const head = parseCheckpoint(Buffer.from(entry).toString());
    if (!verifyInclusion({ ...included, size: heads.size, root: heads.root })) throw new Error(`${log.name} not bound`);
    if (head.origin !== `${bundle.origin}/${log.name}`) throw new Error(`${log.name} is another log`);
    logs.set(log.name, head);
  }
  return bundle.records.map((record) => {
    const log = logs.get(record.log);
    if (log === undefined) throw new Error(`${record.log} is not among the logs`);
    const { size, root } = log;
    const leaf = record.entry === undefined ? bytes(record.leafHash ?? '') : leafHash(bytes(record.entry));
    const proof = record.proof.map(bytes);
    if (!verifyInclusion({ leaf, index: record.index, size, root, proof }))
      throw new Error('a record is not in its log');
    const decoded = record.entry === undefined ? undefined : decodeLeaf(bytes(record.entry));
    if (decoded?.value.form === 'by-hash' && record.value !== undefined) {
      if (Buffer.compare(sha256(bytes(record.value)), decoded.value.sha256) !== 0) throw new Error('another value');
    }
    return decoded;
  });
}
