import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { LogFormatError } from './errors.ts';
import { sha256 } from './hashing.ts';

/** Signature type of plain Ed25519 in C2SP signed-note. */
const ED25519 = 0x01;
/** Signature type of a timestamped Ed25519 cosignature in C2SP tlog-cosignature. */
export const COSIGNATURE = 0x04;
const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
/** Bytes before the raw key in the DER form of an Ed25519 public key (RFC 8410, section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
/** Largest note that is read: a checkpoint with a good many cosignatures is a few kilobytes. */
export const NOTE_BYTES_MAX = 65_536;
/** The specification asks verifiers to take at least 16 signatures and to have a limit. */
const SIGNATURES_MAX = 64;

const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;
// eslint-disable-next-line no-control-regex -- the specification forbids control characters other than newline
const CONTROL_CHARACTER = /[\u0000-\u0009\u000b-\u001f]/;

/** Signs notes under one name. `keyId` is the first four bytes of SHA-256(name ‖ 0x0a ‖ type ‖ public key). */
export interface NoteSigner {
  readonly name: string;
  readonly keyId: Uint8Array;
  sign(text: Uint8Array): Uint8Array;
}

/** Knows one key under one name. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: Uint8Array;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

/** Raw 32 bytes of an Ed25519 key (public, or the public half of a private one). */
export function rawPublicKey(key: KeyObject): Uint8Array {
  const der = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
  if (key.asymmetricKeyType !== 'ed25519') throw new LogFormatError('malformed-key', 'the key is not an Ed25519 key');
  return der.subarray(SPKI_PREFIX.length);
}

/** The number an auditor compares by another way: lower-case hex of SHA-256 of the raw 32-byte key. */
export function keyFingerprint(publicKey: Uint8Array): string {
  return Buffer.from(sha256(publicKey)).toString('hex');
}

/** The first four bytes of SHA-256(name ‖ 0x0a ‖ signature type ‖ public key). */
export function keyIdOf(name: string, publicKey: Uint8Array, type = ED25519): Uint8Array {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.from([type]), publicKey]);
  return sha256(bytes).subarray(0, KEY_ID_BYTES);
}

/**
 * The key object of a raw 32-byte Ed25519 public key.
 * @throws LogFormatError `malformed-key`
 */
export function ed25519PublicKey(publicKey: Uint8Array): KeyObject {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new LogFormatError('malformed-key', 'the key is not 32 bytes long');
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
}

/**
 * Signs with an Ed25519 private key under `name`.
 * @throws LogFormatError `malformed-key` for another kind of key, or for a name with a space or a plus
 */
export function ed25519Signer(name: string, privateKey: KeyObject): NoteSigner {
  checkName(name);
  const publicKey = rawPublicKey(privateKey);
  return { name, keyId: keyIdOf(name, publicKey), sign: (text) => sign(null, text, privateKey) };
}

/**
 * Verifies with a raw 32-byte Ed25519 public key under `name`.
 * @throws LogFormatError `malformed-key`
 */
export function ed25519Verifier(name: string, publicKey: Uint8Array): NoteVerifier {
  checkName(name);
  const key = ed25519PublicKey(publicKey);
  return { name, keyId: keyIdOf(name, publicKey), verify: (text, signature) => verify(null, text, key, signature) };
}

/** @throws LogFormatError `malformed-key` */
export function checkName(name: string): void {
  if (!/^[^\s+]+$/u.test(name)) throw new LogFormatError('malformed-key', 'a key name is empty or has a space or plus');
}

/**
 * A verifier key as one line, `name+hex(key id)+base64(type ‖ key)`: the form Go's note package reads. The type is that
 * of a log's own signatures, or `COSIGNATURE` for a witness.
 */
export function formatVerifierKey(name: string, publicKey: Uint8Array, type = ED25519): string {
  const typed = Buffer.concat([Buffer.from([type]), publicKey]);
  return `${name}+${Buffer.from(keyIdOf(name, publicKey, type)).toString('hex')}+${typed.toString('base64')}`;
}

/**
 * Reads a verifier key line of the given signature type.
 * @throws LogFormatError `malformed-key` also when the key id is not the one of that name and key
 */
export function parseVerifierKey(line: string, type = ED25519): { name: string; publicKey: Uint8Array } {
  const [name = '', , encoded = ''] = /^([^+]+)\+([^+]+)\+(.+)$/.exec(line)?.slice(1) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  const publicKey = new Uint8Array(typed.subarray(1));
  if (typed[0] !== type || publicKey.length !== PUBLIC_KEY_BYTES || formatVerifierKey(name, publicKey, type) !== line) {
    throw new LogFormatError('malformed-key', 'this is not an Ed25519 verifier key line');
  }
  checkName(name);
  return { name, publicKey };
}

/** One signature of a note: who, under which key, and the signature's own bytes without the key id. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

/** A signature as a line of a note, its newline included. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  return `— ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`;
}

/**
 * The note of a text and its signatures: text, empty line, one line for each signature.
 * @throws LogFormatError `malformed-note` when the text does not end in a newline or has a control character
 */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!text.endsWith('\n') || CONTROL_CHARACTER.test(text)) {
    throw new LogFormatError('malformed-note', 'a note ends in a newline and has no other control character');
  }
  return `${text}\n${signatures.map(formatSignature).join('')}`;
}

/**
 * Signs a text with each of the signers.
 * @throws LogFormatError as `formatNote` does
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const bytes = Buffer.from(text, 'utf8');
  return formatNote(
    text,
    signers.map((signer) => ({ name: signer.name, keyId: signer.keyId, signature: signer.sign(bytes) })),
  );
}

/**
 * Reads a note and checks it: at least one signature by a known key, and none by a known key that is wrong. Signatures
 * of unknown keys are ignored, as the specification says. Base64 that is not the canonical form is refused, so that no
 * bit of a note can change unnoticed.
 *
 * @throws LogFormatError `malformed-note`, `note-signature-invalid`, `note-not-signed-by-known-key`
 */
export function openNote(bytes: Uint8Array, verifiers: readonly NoteVerifier[]): { text: string; signedBy: string[] } {
  const { text, signatures } = readNote(bytes);
  const verified = verifiedSignatures(text, signatures, verifiers);
  if (verified.length === 0) {
    throw new LogFormatError('note-not-signed-by-known-key', 'no signature is by a key that is known');
  }
  return { text, signedBy: verified.map(({ name }) => name) };
}

/**
 * The signatures that are by a known key; those of unknown keys are left out.
 * @throws LogFormatError `note-signature-invalid` when a known key's signature does not fit the text
 */
export function verifiedSignatures(
  text: string,
  signatures: readonly NoteSignature[],
  verifiers: readonly NoteVerifier[],
): NoteSignature[] {
  const bytes = Buffer.from(text, 'utf8');
  return signatures.filter(({ name, keyId, signature }) => {
    const known = verifiers.find((v) => v.name === name && Buffer.compare(v.keyId, keyId) === 0);
    if (known === undefined) return false;
    if (known.verify(bytes, signature)) return true;
    throw new LogFormatError('note-signature-invalid', `the signature of ${name} does not fit the text`);
  });
}

/**
 * Reads a note without checking who signed it.
 * @throws LogFormatError `malformed-note`
 */
export function readNote(bytes: Uint8Array): { text: string; signatures: NoteSignature[] } {
  if (bytes.length > NOTE_BYTES_MAX) throw malformedNote(`it is longer than ${NOTE_BYTES_MAX} bytes`);
  const note = decodeText(bytes);
  const separator = note.lastIndexOf('\n\n');
  if (separator < 0 || CONTROL_CHARACTER.test(note) || !note.endsWith('\n')) {
    throw malformedNote('it has no text followed by an empty line and signatures');
  }
  return { text: note.slice(0, separator + 1), signatures: readSignatures(note.slice(separator + 2)) };
}

/**
 * Reads the signature lines of a note, or of a witness's answer.
 * @throws LogFormatError `malformed-note`
 */
export function readSignatures(lines: string): NoteSignature[] {
  const each = lines.slice(0, -1).split('\n');
  if (!lines.endsWith('\n') || each.length > SIGNATURES_MAX) {
    throw malformedNote(`it has not 1 to ${SIGNATURES_MAX} signatures on lines of their own`);
  }
  return each.map(parseSignature);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformedNote('it is not UTF-8');
  }
}

function parseSignature(line: string): NoteSignature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || encoded === undefined) throw malformedNote('a signature line is not well formed');
  const decoded = Buffer.from(encoded, 'base64');
  if (decoded.toString('base64') !== encoded || decoded.length <= KEY_ID_BYTES) {
    throw malformedNote('a signature is not canonical base64');
  }
  return { name, keyId: decoded.subarray(0, KEY_ID_BYTES), signature: decoded.subarray(KEY_ID_BYTES) };
}

function malformedNote(what: string): LogFormatError {
  return new LogFormatError('malformed-note', `this is not a signed note: ${what}`);
}
