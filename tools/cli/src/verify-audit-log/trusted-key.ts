import {
  ed25519Verifier,
  keyFingerprint,
  LogFormatError,
  type NoteVerifier,
  parseVerifierKey,
} from '@assent/merkle-log';
import type { AuditFolder } from './audit-folder.ts';
import type { Findings } from './verify-result.ts';

/** The layout this verifier knows. */
const FOLDER_FORMAT = 'assent-audit-folder/v1';
const MANIFEST = 'manifest.json';
const MANIFEST_BYTES_MAX = 65_536;
const KEYS_MAX = 16;

/** Whose signatures count, and where that knowledge comes from. */
export interface TrustedKeys {
  /** Base of the logs' origins. */
  readonly origin: string;
  readonly keys: readonly Uint8Array[];
  readonly fingerprints: readonly string[];
  /** True when the caller said which key to trust; false when the folder itself did, which proves nothing by itself. */
  readonly pinned: boolean;
}

/** A key given by the caller: a verifier key line, or the fingerprint of one. */
type Pin = { readonly key: Uint8Array } | { readonly fingerprint: string };

/**
 * Reads what a caller trusts: `name+id+base64` or `[sha256:]<64 hex digits>`.
 * @throws LogFormatError `malformed-key`
 */
export function parsePin(text: string): Pin {
  const fingerprint = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(text.trim())?.[1];
  return fingerprint === undefined
    ? { key: parseVerifierKey(text.trim()).publicKey }
    : { fingerprint: fingerprint.toLowerCase() };
}

/** Reads the manifest and settles which keys count; undefined when the folder does not say what it is. */
export async function readTrustedKeys(
  folder: AuditFolder,
  pinText: string | undefined,
  findings: Findings,
): Promise<TrustedKeys | undefined> {
  const manifest = parseManifest(await folder.read(MANIFEST, MANIFEST_BYTES_MAX));
  if (manifest === undefined) {
    findings.fault(MANIFEST, 'manifest-invalid', MANIFEST, `it is missing, or not the manifest of an ${FOLDER_FORMAT}`);
    return undefined;
  }
  const pin = pinText === undefined ? undefined : parsePin(pinText);
  const keys = trusted(manifest.keys, pin);
  if (keys === undefined) {
    const text =
      'the folder names another key than the one that was given; its signatures are checked with the folder’s own';
    findings.fault(MANIFEST, 'key-not-pinned', MANIFEST, text);
  }
  const used = keys ?? manifest.keys;
  return {
    origin: manifest.origin,
    keys: used,
    fingerprints: used.map(keyFingerprint),
    pinned: keys !== undefined && pin !== undefined,
  };
}

/** The keys that count; undefined when the pinned one is not among those of the folder and only known by fingerprint. */
function trusted(offered: readonly Uint8Array[], pin: Pin | undefined): readonly Uint8Array[] | undefined {
  if (pin === undefined) return offered;
  const fingerprint = 'key' in pin ? keyFingerprint(pin.key) : pin.fingerprint;
  const matching = offered.filter((key) => keyFingerprint(key) === fingerprint);
  return matching.length === 0 ? undefined : matching;
}

/** The verifiers of a log: every trusted key under the log's origin. */
export function verifiersOf(keys: TrustedKeys, origin: string): NoteVerifier[] {
  return keys.keys.map((key) => ed25519Verifier(origin, key));
}

function parseManifest(bytes: Uint8Array | undefined): { origin: string; keys: Uint8Array[] } | undefined {
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString('utf8');
  try {
    const manifest = JSON.parse(text) as { format?: unknown; origin?: unknown; keys?: unknown };
    const { format, origin, keys } = manifest;
    // One spelling only: then no bit of the file can change without a word about it.
    const canonical = `${JSON.stringify({ format, origin, keys }, undefined, 2)}\n`;
    if (format !== FOLDER_FORMAT || typeof origin !== 'string' || !isKeyList(keys) || canonical !== text)
      return undefined;
    return { origin, keys: keys.map((line) => parseKeyOf(line, origin)) };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof LogFormatError) return undefined;
    throw error;
  }
}

function isKeyList(keys: unknown): keys is string[] {
  return (
    Array.isArray(keys) && keys.length > 0 && keys.length <= KEYS_MAX && keys.every((key) => typeof key === 'string')
  );
}

function parseKeyOf(line: string, origin: string): Uint8Array {
  const { name, publicKey } = parseVerifierKey(line);
  if (name !== `${origin}/heads`)
    throw new LogFormatError('malformed-key', 'the key is not the one of the log of heads');
  return publicKey;
}
