import type { GateInputs, Reason } from '@assent/contracts';
import {
  ed25519Verifier,
  type Hash,
  openCheckpoint,
  parseVerifierKey,
  sameHash,
  verifyInclusion,
} from '@assent/merkle-log';

export type ShownProof =
  | {
      readonly state: 'proven';
      readonly topic: string;
      readonly partition: number;
      readonly index: number;
      readonly size: number;
      readonly leafHash: string;
      readonly root: string;
      readonly proof: readonly string[];
    }
  | { readonly state: 'pending' }
  | { readonly state: 'not-in-log' };

export interface ShownEvent {
  readonly position: string;
  readonly type?: string;
  readonly time?: string;
  readonly says?: string;
  readonly proof: ShownProof;
}

/** What `GET /v1/explanations/{dispatchId}` of the audit service answers, as far as it is used here. */
export interface Explanation {
  readonly dispatchId: string;
  readonly decision?: {
    readonly verdict: string;
    readonly at: string;
    readonly reasons: readonly Reason[];
    readonly gate?: GateInputs;
  };
  readonly events: readonly ShownEvent[];
  readonly reliedOn: readonly ShownEvent[];
  readonly checkpoints: Readonly<Record<string, { readonly note: string; readonly verifierKey: string }>>;
  readonly keyFingerprint: string;
}

/** `proven`: the proof was checked here and leads to a signed root. */
export type CheckedProof = 'proven' | 'pending' | 'wrong';

/**
 * Checks a proof of an explanation: the leaf hash leads to the root, and the root and size are those of a checkpoint
 * signed by the key that came with it. Whose key that is, its fingerprint tells, compared by another way. Pure.
 */
export function checkProof({ proof }: ShownEvent, { checkpoints }: Explanation): CheckedProof {
  if (proof.state !== 'proven') return proof.state === 'pending' ? 'pending' : 'wrong';
  const signed = checkpoints[`${proof.topic}/${proof.partition}`];
  if (signed === undefined) return 'wrong';
  try {
    const { name, publicKey } = parseVerifierKey(signed.verifierKey);
    const head = openCheckpoint(Buffer.from(signed.note), name, [ed25519Verifier(name, publicKey)]);
    const { index, size } = proof;
    const [leaf, root] = [hashOf(proof.leafHash), hashOf(proof.root)];
    const isSigned = head.size === size && sameHash(head.root, root);
    const leads = verifyInclusion({ leaf, index, size, root, proof: proof.proof.map(hashOf) });
    return isSigned && leads ? 'proven' : 'wrong';
  } catch {
    return 'wrong';
  }
}

function hashOf(base64: string): Hash {
  return Buffer.from(base64, 'base64');
}
