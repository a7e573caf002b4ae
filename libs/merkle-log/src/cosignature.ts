import { type KeyObject, sign, verify } from 'node:crypto';
import { LogFormatError } from './errors.ts';
import {
  checkName,
  COSIGNATURE,
  ed25519PublicKey,
  keyIdOf,
  type NoteSigner,
  type NoteVerifier,
  rawPublicKey,
} from './signed-note.ts';

const TIMESTAMP_BYTES = 8;
const SIGNATURE_BYTES = 64;

/**
 * Signs checkpoints as a witness does: a timestamped Ed25519 cosignature of C2SP tlog-cosignature, type 0x04.
 *
 * @param nowS POSIX seconds, asked at each signature
 * @throws LogFormatError `malformed-key` for another kind of key, or for a name with a space or a plus
 */
export function cosignatureSigner(name: string, privateKey: KeyObject, nowS: () => number): NoteSigner {
  checkName(name);
  return {
    name,
    keyId: keyIdOf(name, rawPublicKey(privateKey), COSIGNATURE),
    sign: (text) => {
      const timeS = nowS();
      const timestamp = Buffer.alloc(TIMESTAMP_BYTES);
      timestamp.writeBigUInt64BE(BigInt(timeS));
      return Buffer.concat([timestamp, sign(null, cosignedMessage(timeS, text), privateKey)]);
    },
  };
}

/**
 * Verifies a witness's cosignatures with its raw 32-byte Ed25519 public key.
 * @throws LogFormatError `malformed-key`
 */
export function cosignatureVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  checkName(name);
  const key = ed25519PublicKey(publicKey);
  return {
    name,
    keyId: keyIdOf(name, publicKey, COSIGNATURE),
    verify: (text, signature) =>
      signature.length === TIMESTAMP_BYTES + SIGNATURE_BYTES &&
      verify(null, cosignedMessage(timeOf(signature), text), key, signature.subarray(TIMESTAMP_BYTES)),
  };
}

/**
 * When a cosignature was made, POSIX seconds.
 * @throws LogFormatError `malformed-note` when it is not a cosignature
 */
export function cosignatureTimeS(signature: Uint8Array): number {
  if (signature.length !== TIMESTAMP_BYTES + SIGNATURE_BYTES) {
    throw new LogFormatError('malformed-note', 'this is not a timestamped cosignature');
  }
  return Number(timeOf(signature));
}

function timeOf(signature: Uint8Array): bigint {
  return Buffer.from(signature).readBigUInt64BE(0);
}

/** Two lines, then the whole text of the checkpoint. */
function cosignedMessage(timeS: number | bigint, text: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`cosignature/v1\ntime ${timeS}\n`, 'utf8'), text]);
}
