import { constants, open } from 'node:fs/promises';
import { parseHeadEntry } from '../check-heads/head-entry.ts';
import type { TrustedKeys } from '../check-keys/trusted-keys.ts';
import { KeyChain, type Pin } from '../check-keys/key-chain.ts';
import { openCheckpoint, type SignedCheckpoint, unsignedCheckpoint } from '../check-keys/signed-checkpoint.ts';
import type { Findings } from '../findings/findings.ts';
import { leafHash, sameBytes } from '../merkle/hashes.ts';
import { provesInclusion } from '../merkle/proofs.ts';
import { FormatError } from '../notes/format-error.ts';
import { NOTE_BYTES_MAX } from '../notes/signed-note.ts';
import { logNamed } from '../records/topics.ts';
import type { SeenCheckpoint } from '../remember/remembered.ts';
import { checkBundle, type ProvenBundle } from './proof-bundle.ts';
import { parseTlogProof, TLOG_PROOF } from './tlog-proof.ts';

/** Largest bundle that is read. */
const FILE_BYTES_MAX = 67_108_864;

/** A file that somebody kept: a signed checkpoint, a tlog-proof, or a bundle of proofs. */
export type KeptFile =
  | { readonly kind: 'checkpoint'; readonly log: string; readonly checkpoint: SignedCheckpoint }
  | {
      readonly kind: 'proof';
      readonly log: string;
      readonly checkpoint: SignedCheckpoint;
      readonly index: number;
      /** Undefined when the file does not have it, so that nothing but the checkpoint could be checked. */
      readonly entry: Uint8Array | undefined;
    }
  | { readonly kind: 'bundle'; readonly bundle: ProvenBundle };

/** @throws FormatError for a file that is none or too large */
export async function readKeptFile(path: string): Promise<Uint8Array> {
  const wrong = (what: string): FormatError => new FormatError(`${path}: ${what}`);
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw wrong('it is not a plain file');
      const { size } = facts;
      if (size > FILE_BYTES_MAX) throw wrong('it is too large');
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    const { code } = error as { code?: unknown };
    throw wrong(typeof code === 'string' ? `it cannot be read (${code})` : 'it cannot be read');
  }
}

/**
 * Checks a kept file against a chain of keys. A bundle brings keys of its own; `trusted` is the fingerprint they have to
 * lead to.
 * @throws FormatError with what does not hold
 */
export function checkKeptFile(bytes: Uint8Array, chain: KeyChain | undefined, trusted: string | undefined): KeptFile {
  const start = Buffer.from(bytes.subarray(0, TLOG_PROOF.length)).toString('latin1');
  if (start.trimStart().startsWith('{')) return { kind: 'bundle', bundle: checkBundle(bytes, trusted) };
  if (chain === undefined) throw new FormatError('it names no key: give the key line with --key');
  if (start !== TLOG_PROOF) return { kind: 'checkpoint', ...signedIn(bytes, chain) };
  const { extra, index, path, checkpoint: note } = parseTlogProof(bytes);
  const { log, checkpoint } = signedIn(note, chain);
  const { size, root } = checkpoint;
  if (extra !== undefined && !provesInclusion({ leaf: leafHash(extra), index, size, root, path }))
    throw new FormatError(`the entry is not leaf ${index} of ${log}`);
  return { kind: 'proof', log, checkpoint, index, entry: extra };
}

/**
 * Checks that a second proof, in the log of heads, binds the log in the state that the first one is about: docs/formats/
 * proofs.md, "Its binding". Answers the head that binds it.
 * @throws FormatError
 */
export function checkBinding(kept: KeptFile, binding: KeptFile, chain: KeyChain): SignedCheckpoint {
  if (kept.kind === 'bundle') throw new FormatError('a bundle brings its own heads, and needs no binding');
  if (binding.kind !== 'proof' || binding.log !== 'heads' || binding.entry === undefined)
    throw new FormatError('the binding is not the proof of a head in the log of heads');
  const head = parseHeadEntry(binding.entry, chain.origin);
  const { size, root } = kept.checkpoint;
  if (head.name !== kept.log || head.size !== size || !sameBytes(head.root, root))
    throw new FormatError(`the binding is of ${head.name} with ${head.size} leaves, not of this state of ${kept.log}`);
  return binding.checkpoint;
}

/** The chain that a key line alone makes, for the installation whose checkpoint is in a file. @throws FormatError */
export function chainOf(pin: Pin, bytes: Uint8Array): KeyChain | undefined {
  if (pin.key === undefined) return undefined;
  const start = Buffer.from(bytes.subarray(0, TLOG_PROOF.length)).toString('latin1');
  if (start.trimStart().startsWith('{')) return undefined;
  const note = start === TLOG_PROOF ? parseTlogProof(bytes).checkpoint : bytes;
  const origin = unsignedCheckpoint(note)?.origin ?? '';
  const [, base] = /^(.+?)\/(?:heads|[a-z.]+\/\d+)$/.exec(origin) ?? [];
  if (base === undefined) throw new FormatError('it is not about an audit log');
  return new KeyChain(base, [{ key: pin.key, fingerprint: pin.fingerprint, firstHeadsSize: 0 }], false);
}

function signedIn(bytes: Uint8Array, chain: KeyChain): { log: string; checkpoint: SignedCheckpoint } {
  if (bytes.length > NOTE_BYTES_MAX) throw new FormatError('it is too large for a note');
  const origin = unsignedCheckpoint(bytes)?.origin ?? '';
  const log = origin.startsWith(`${chain.origin}/`) ? origin.slice(chain.origin.length + 1) : '';
  if (log !== 'heads' && logNamed(log) === undefined)
    throw new FormatError('it is not about a log of this installation');
  return { log, checkpoint: openCheckpoint(bytes, log, chain) };
}

/** The states of logs that kept files show, once the files themselves were checked; a file that does not hold is a fault. */
export async function seenInFiles(
  paths: readonly string[],
  keys: TrustedKeys,
  findings: Findings,
): Promise<SeenCheckpoint[]> {
  const seen: SeenCheckpoint[] = [];
  for (const path of paths) {
    try {
      const kept = checkKeptFile(await readKeptFile(path), keys.chain, keys.chain.fingerprints[0]);
      if (kept.kind === 'bundle' && kept.bundle.chain.origin !== keys.chain.origin)
        throw new FormatError('it is about another installation');
      const states =
        kept.kind === 'bundle'
          ? [...kept.bundle.logs.map(({ name, size, root }) => ({ log: name, size, root })), headsOf(kept.bundle)]
          : [{ log: kept.log, size: kept.checkpoint.size, root: kept.checkpoint.root }];
      seen.push(...states.map((state) => ({ ...state, seen: path })));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      findings.fault('proof-invalid', { log: path }, error.message);
    }
  }
  return seen;
}

function headsOf({ heads }: ProvenBundle): { log: string; size: number; root: Uint8Array } {
  return { log: 'heads', size: heads.size, root: heads.root };
}
