import type { Findings } from '../findings/findings.ts';
import { NOTE_BYTES_MAX } from '../notes/signed-note.ts';
import type { Source } from '../sources/source.ts';
import { chainKeys, type KeyChain, type Pin } from './key-chain.ts';
import { FOLDER_FORMAT, MANIFEST, readManifest } from './manifest.ts';

/** Whose signatures count, and where that knowledge comes from. */
export interface TrustedKeys {
  readonly chain: KeyChain;
  /** True when the caller said which key to trust; false when the folder itself did, which proves nothing by itself. */
  readonly pinned: boolean;
}

/**
 * Settles which keys count; undefined, and a fault, when the source does not say what it is.
 * @throws SourceError
 */
export async function readTrustedKeys(
  source: Source,
  pin: Pin | undefined,
  findings: Findings,
): Promise<TrustedKeys | undefined> {
  const manifest = await readManifest(source);
  if (manifest === undefined) {
    const text = `it is missing, or not the manifest of an ${FOLDER_FORMAT}`;
    findings.fault('manifest-invalid', { log: MANIFEST }, text);
    return undefined;
  }
  const { origin, keys } = manifest;
  const statements: (Uint8Array | undefined)[] = [];
  for (const { id } of keys.slice(1)) statements.push(await source.read(`keys/${id}.note`, NOTE_BYTES_MAX));
  const { chain, unlinked } = chainKeys(origin, keys, statements, pin?.fingerprint);
  for (const id of unlinked) {
    const text =
      'nothing that both keys signed says that this key follows the one before it; its signatures do not count';
    findings.fault('rotation-invalid', { log: `keys/${id}.note` }, text);
  }
  if (pin === undefined || chain.fingerprints.includes(pin.fingerprint)) return { chain, pinned: pin !== undefined };
  const text = 'it names another key than the one that was given; its signatures are checked with its own';
  findings.fault('key-not-pinned', { log: MANIFEST }, text);
  return { chain, pinned: false };
}
