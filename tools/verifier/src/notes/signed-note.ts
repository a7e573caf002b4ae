import { isUtf8 } from 'node:buffer';
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { hexOf, sha256 } from '../merkle/hashes.ts';
import { FormatError } from './format-error.ts';

/** Signature types of C2SP signed-note that count here. */
export type SignatureType = 'ed25519' | 'cosignature';
const TYPE_BYTES: Readonly<Record<SignatureType, number>> = { ed25519: 0x01, cosignature: 0x04 };

const KEY_ID_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
const TIMESTAMP_BYTES = 8;
/** Largest note that is read: a checkpoint with a good many cosignatures is a few kilobytes. */
export const NOTE_BYTES_MAX = 65_536;
const SIGNATURES_MAX = 64;

/** A key that signs notes under one name. */
export interface NoteKey {
  readonly name: string;
  readonly type: SignatureType;
  readonly publicKey: Uint8Array;
  /** First four bytes of SHA-256(name ‖ 0x0a ‖ type ‖ key), hex. */
  readonly id: string;
  readonly object: KeyObject;
}

/** @throws FormatError for a name with white space or a plus, or a key that is not 32 bytes long */
export function noteKey(name: string, type: SignatureType, publicKey: Uint8Array): NoteKey {
  if (!/^[^\s+]+$/u.test(name)) throw new FormatError('a key name is empty, or has a space or a plus');
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw new FormatError('the key is not 32 bytes long');
  const typed = Buffer.concat([Buffer.of(TYPE_BYTES[type]), publicKey]);
  const id = hexOf(sha256(Buffer.concat([Buffer.from(`${name}\n`), typed])).subarray(0, KEY_ID_BYTES));
  const x = Buffer.from(publicKey).toString('base64url');
  const object = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return { name, type, publicKey, id, object };
}

/**
 * Reads a verifier key line, `name+key id+base64(type ‖ key)`.
 * @throws FormatError also when the key id is not the one of that name and key
 */
export function parseKeyLine(line: string): NoteKey {
  const [, name = '', id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  const type =
    typed[0] === TYPE_BYTES.ed25519 ? 'ed25519' : typed[0] === TYPE_BYTES.cosignature ? 'cosignature' : undefined;
  if (type === undefined || typed.toString('base64') !== encoded)
    throw new FormatError('this is not a verifier key line of an Ed25519 key');
  const key = noteKey(name, type, typed.subarray(1));
  if (key.id !== id) throw new FormatError('the key id is not the one of this name and key');
  return key;
}

/** The same key under another name. */
export function renamed({ type, publicKey }: NoteKey, name: string): NoteKey {
  return noteKey(name, type, publicKey);
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  readonly bytes: Uint8Array;
}

/** A note whose signatures were not checked yet. */
export interface Note {
  /** With its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/**
 * Reads a note: text, an empty line, signature lines. One spelling only, so that no bit of a known signature can change
 * unnoticed: base64 has to be canonical.
 * @throws FormatError
 */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX) throw new FormatError('the note is too long');
  const note = utf8Of(bytes);
  const separator = note.lastIndexOf('\n\n');
  // eslint-disable-next-line no-control-regex -- the specification forbids control characters other than newline
  if (separator < 0 || !note.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f]/.test(note))
    throw new FormatError('it has no text followed by an empty line and signatures');
  const lines = note.slice(separator + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) throw new FormatError('it has too many signatures');
  return { text: note.slice(0, separator + 1), signatures: lines.map(signatureOf) };
}

function signatureOf(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
  const blob = Buffer.from(encoded ?? '', 'base64');
  if (name === undefined || blob.toString('base64') !== encoded || blob.length <= KEY_ID_BYTES)
    throw new FormatError('a signature line is not well formed');
  return { name, keyId: hexOf(blob.subarray(0, KEY_ID_BYTES)), bytes: blob.subarray(KEY_ID_BYTES) };
}

/** What a note says under a key. `time` of a cosignature, seconds since 1970. */
export type Signed = { readonly is: 'valid'; readonly time?: bigint } | { readonly is: 'absent' | 'invalid' };

/** Checks every signature of a note that claims to be by this key. */
export function signedBy(note: Note, key: NoteKey): Signed {
  let found: Signed = { is: 'absent' };
  for (const signature of note.signatures) {
    if (signature.name !== key.name || signature.keyId !== key.id) continue;
    const checked = check(note.text, signature.bytes, key);
    if (checked.is === 'invalid') return checked;
    found = checked;
  }
  return found;
}

function check(text: string, signature: Uint8Array, key: NoteKey): Signed {
  if (key.type === 'ed25519')
    return { is: verify(null, Buffer.from(text), key.object, signature) ? 'valid' : 'invalid' };
  if (signature.length <= TIMESTAMP_BYTES) return { is: 'invalid' };
  const time = Buffer.from(signature.subarray(0, TIMESTAMP_BYTES)).readBigUInt64BE();
  const message = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
  return verify(null, message, key.object, signature.subarray(TIMESTAMP_BYTES))
    ? { is: 'valid', time }
    : { is: 'invalid' };
}

/** Text of UTF-8 bytes. @throws FormatError */
export function utf8Of(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new FormatError('it is not UTF-8');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
