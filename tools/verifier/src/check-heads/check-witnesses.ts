import type { KeyChain } from '../check-keys/key-chain.ts';
import { checkedCheckpoint, readNote, type SignedCheckpoint } from '../check-keys/signed-checkpoint.ts';
import type { SignedRoot } from '../check-tree/walk-leaves.ts';
import type { Findings } from '../findings/findings.ts';
import { sameBytes } from '../merkle/hashes.ts';
import { FormatError } from '../notes/format-error.ts';
import { signedBy, utf8Of } from '../notes/signed-note.ts';
import { parsePolicy, type WitnessPolicy } from '../notes/witness-policy.ts';
import type { Source } from '../sources/source.ts';

const POLICY_FILE = 'witness-policy';
const COSIGNED_FILE = 'cosigned-checkpoint';
const POLICY_BYTES_MAX = 65_536;

/** How far the witnesses have seen the log of heads. */
export interface Witnessed {
  /** The policy that counts, as its quorum is called. */
  readonly quorum: string;
  /** Heads that a quorum has seen; undefined when there is no quorum on any. */
  readonly size: number | undefined;
  /** Names of the witnesses whose cosignatures hold, by the policy. */
  readonly witnesses: readonly string[];
}

/**
 * Checks the cosignatures of the heads: docs/formats/signed-heads.md. Answers a root more that the log of heads has to
 * give, and how far witnesses have seen it, when the auditor has a policy.
 * @throws SourceError
 */
export async function checkWitnesses(
  source: Source,
  newest: SignedCheckpoint,
  chain: KeyChain,
  policy: WitnessPolicy | undefined,
  findings: Findings,
): Promise<{ roots: Map<number, SignedRoot>; witnessed: Witnessed | undefined }> {
  const operators = await operatorsPolicy(source, findings);
  const roots = new Map<number, SignedRoot>();
  const cosigned = await cosignedCheckpoint(source, newest, chain, roots, findings);
  countUnknown(newest, 'checkpoint', chain, [operators, policy], findings);
  if (cosigned !== undefined) countUnknown(cosigned, COSIGNED_FILE, chain, [operators, policy], findings);
  const policyChecked = policy ?? operators;
  if (policyChecked === undefined) return { roots, witnessed: undefined };
  const onNewest = cosignersOf(newest, 'checkpoint', policyChecked, findings);
  const onCosigned = cosigned && cosignersOf(cosigned, COSIGNED_FILE, policyChecked, findings);
  if (policy !== undefined && operators !== undefined) {
    // The operator's witnesses need not be the auditor's, but their cosignatures have to fit all the same.
    cosignersOf(newest, 'checkpoint', operators, findings, false);
    if (cosigned !== undefined) cosignersOf(cosigned, COSIGNED_FILE, operators, findings, false);
  }
  const seen = [
    { size: newest.size, names: onNewest },
    ...(cosigned === undefined || onCosigned === undefined ? [] : [{ size: cosigned.size, names: onCosigned }]),
  ].find(({ names }) => policyChecked.isEnough(names));
  if (policy === undefined && cosigned !== undefined && !policyChecked.isEnough(onCosigned ?? new Set())) {
    const text = 'it is published as the head that reached the operator’s own quorum, and does not have it';
    findings.fault('quorum-missing', { log: 'heads', file: COSIGNED_FILE }, text);
  }
  const { quorum } = policyChecked;
  const witnesses = [...(seen?.names ?? onNewest)];
  const witnessed = policy === undefined ? undefined : { quorum, size: seen?.size, witnesses };
  if (witnessed !== undefined) tell(witnessed, newest, findings);
  return { roots, witnessed };
}

function tell({ size, quorum, witnesses }: Witnessed, newest: SignedCheckpoint, findings: Findings): void {
  if (size === undefined) {
    const text = `neither this head nor an earlier one has the quorum "${quorum}" of your policy: ${witnesses.length} of its witnesses have signed`;
    findings.fault('quorum-missing', { log: 'heads', size: newest.size, file: 'checkpoint' }, text);
  } else if (size < newest.size) {
    findings.note(
      `heads ${size} to ${newest.size - 1} are signed but not witnessed: the quorum "${quorum}" has seen the first ${size}`,
    );
  }
}

async function operatorsPolicy(source: Source, findings: Findings): Promise<WitnessPolicy | undefined> {
  const bytes = await source.read(POLICY_FILE, POLICY_BYTES_MAX);
  if (bytes === undefined) return undefined;
  try {
    return parsePolicy(utf8Of(bytes));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault('policy-invalid', { log: POLICY_FILE }, error.message);
    return undefined;
  }
}

async function cosignedCheckpoint(
  source: Source,
  newest: SignedCheckpoint,
  chain: KeyChain,
  roots: Map<number, SignedRoot>,
  findings: Findings,
): Promise<SignedCheckpoint | undefined> {
  const bytes = await readNote(source, `heads/${COSIGNED_FILE}`);
  const cosigned = bytes && checkedCheckpoint(bytes, 'heads', chain, COSIGNED_FILE, findings);
  if (cosigned === undefined) return undefined;
  const place = { log: 'heads', size: cosigned.size, file: COSIGNED_FILE };
  if (cosigned.size > newest.size) {
    findings.fault('log-rewound', place, `witnesses have seen ${cosigned.size} heads, and there are ${newest.size}`);
  } else if (cosigned.size === newest.size && !sameBytes(cosigned.root, newest.root)) {
    findings.fault('history-differs', place, 'witnesses have seen another root of as many heads');
  } else if (cosigned.size < newest.size) {
    roots.set(cosigned.size, { root: cosigned.root, seen: `the head that witnesses have signed (${COSIGNED_FILE})` });
  }
  return cosigned;
}

/** The witnesses of a policy whose cosignatures hold. One that does not fit is a fault. */
function cosignersOf(
  { note }: SignedCheckpoint,
  file: string,
  policy: WitnessPolicy,
  findings: Findings,
  counts = true,
): Set<string> {
  const names = new Set<string>();
  for (const { name, key } of policy.witnesses) {
    const { is } = signedBy(note, key);
    if (is === 'valid') {
      names.add(name);
      if (counts) findings.checked.cosignatures += 1;
    }
    if (is === 'invalid') {
      const text = `the cosignature of ${key.name} does not fit the text`;
      findings.fault('cosignature-invalid', { log: 'heads', file }, text);
    }
  }
  return names;
}

/** Signatures by keys that nobody named are ignored, as the specification says, but not without a word. */
function countUnknown(
  { note }: SignedCheckpoint,
  file: string,
  chain: KeyChain,
  policies: readonly (WitnessPolicy | undefined)[],
  findings: Findings,
): void {
  const witnesses = policies.flatMap((policy) => policy?.witnesses.map(({ key }) => key) ?? []);
  const known = [...chain.under('heads'), ...witnesses].map(({ name, id }) => `${name} ${id}`);
  const unknown = note.signatures.filter(({ name, keyId }) => !known.includes(`${name} ${keyId}`));
  if (unknown.length > 0)
    findings.note(`heads ${file} has ${unknown.length} signatures by keys that neither it nor a policy names`);
}
