import type { KeyChain, Pin } from '../check-keys/key-chain.ts';
import type { SignedCheckpoint } from '../check-keys/signed-checkpoint.ts';
import { chainOf, checkBinding, checkKeptFile, type KeptFile, readKeptFile } from '../check-proofs/proof-file.ts';
import { printable } from '../findings/findings.ts';
import { FormatError } from '../notes/format-error.ts';
import { signedBy } from '../notes/signed-note.ts';
import type { WitnessPolicy } from '../notes/witness-policy.ts';
import { painter } from '../report/summary.ts';
import { VERIFY_EXIT } from './exit-codes.ts';
import type { VerifyIo } from './verify-io.ts';

interface ProofOptions {
  readonly pin: Pin | undefined;
  readonly policy: WitnessPolicy | undefined;
  readonly json: boolean;
  /** The proof, in the log of heads, of the head that the file is about. */
  readonly binding: string | undefined;
}

/** Verifies one file: a proof of a record, a bundle or receipt, or a signed checkpoint. Answers the exit code. */
export async function verifyProof(
  path: string,
  { pin, policy, json, binding }: ProofOptions,
  io: VerifyIo,
): Promise<number> {
  const bytes = await readKeptFile(path);
  const paint = painter(io.isTty);
  try {
    const chain = pin && chainOf(pin, bytes);
    const kept = checkKeptFile(bytes, chain, pin?.fingerprint);
    const heads = binding === undefined ? headsIn(kept) : await headThatBinds(kept, binding, chain);
    const bound =
      binding === undefined || heads === undefined
        ? []
        : [`that state of ${logOf(kept)} is bound by head ${heads.size}`];
    const lines = [...linesOf(kept), ...bound, ...witnessLines(heads, policy)].map(printable);
    if (json) io.stdout(`${JSON.stringify({ ok: true, file: path, kind: kept.kind, says: lines }, undefined, 2)}\n`);
    else io.stdout(`${lines.join('\n')}\n${keyLine(kept, pin)}\n${paint('good', 'OK: it holds')}\n`);
    return VERIFY_EXIT.ok;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const message = printable(error.message);
    if (json) io.stdout(`${JSON.stringify({ ok: false, file: path, says: [message] }, undefined, 2)}\n`);
    else io.stdout(`${paint('bad', 'fail')} proof-invalid  ${path}\n     ${message}\n`);
    return VERIFY_EXIT.faults;
  }
}

function linesOf(kept: KeptFile): string[] {
  if (kept.kind === 'checkpoint') return [`${kept.log} had ${kept.checkpoint.size} leaves when this was signed`];
  if (kept.kind === 'proof') {
    const { log, index, checkpoint, entry } = kept;
    if (entry === undefined)
      return [
        `the checkpoint is signed; the file does not have the entry, so that it is leaf ${index} of ${log} could not be checked`,
      ];
    return [`the entry is leaf ${index} of ${log}, which had ${checkpoint.size} leaves when this was signed`];
  }
  const { records, heads, notShown } = kept.bundle;
  return [
    ...records.map(({ log, index, offset, event }) => {
      const what = event === undefined ? 'a record whose content is not shown' : `${event.type}, event ${event.id}`;
      return `${log}${offset === undefined ? '' : `@${offset}`} (leaf ${index}): ${what}`;
    }),
    ...(notShown > 0 ? [`${notShown} more records were left out of the file`] : []),
    `all of it is bound by head ${heads.size}`,
  ];
}

/** The head of all logs that is in a file itself. */
function headsIn(kept: KeptFile): SignedCheckpoint | undefined {
  if (kept.kind === 'bundle') return kept.bundle.heads;
  return kept.log === 'heads' ? kept.checkpoint : undefined;
}

/** @throws FormatError */
async function headThatBinds(kept: KeptFile, path: string, chain: KeyChain | undefined): Promise<SignedCheckpoint> {
  if (chain === undefined) throw new FormatError('a bundle brings its own heads, and needs no binding');
  return checkBinding(kept, checkKeptFile(await readKeptFile(path), chain, undefined), chain);
}

function logOf(kept: KeptFile): string {
  return kept.kind === 'bundle' ? '' : kept.log;
}

/** @throws FormatError when a policy was given and the heads do not have its quorum */
function witnessLines(heads: SignedCheckpoint | undefined, policy: WitnessPolicy | undefined): string[] {
  if (policy === undefined) return [];
  if (heads === undefined)
    throw new FormatError('it has no head of all logs, so no witness can have signed it: give its binding too');
  const names = new Set(
    policy.witnesses.filter(({ key }) => signedBy(heads.note, key).is === 'valid').map(({ name }) => name),
  );
  if (!policy.isEnough(names)) throw new FormatError(`its head does not have the quorum "${policy.quorum}"`);
  return [`the quorum "${policy.quorum}" has seen that head (${[...names].join(', ')})`];
}

function keyLine(kept: KeptFile, pin: Pin | undefined): string {
  if (pin !== undefined) return 'It is signed by the key you gave.';
  const prints = kept.kind === 'bundle' ? kept.bundle.chain.fingerprints : [];
  return `key ${prints.join(', ')}\nThis key comes from the file itself: compare the fingerprint with one you got another way, or give it with --key.`;
}
