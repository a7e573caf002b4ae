import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  ed25519Signer,
  ed25519Verifier,
  formatVerifierKey,
  keyFingerprint,
  type NoteSigner,
  type NoteVerifier,
  rawPublicKey,
} from '@assent/merkle-log';
import { codeOf } from './folder-log-store.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** Permission bits that let anyone but the owner touch the key. */
const OTHERS = 0o077;

/** The key that signs the heads of all logs; each log has it under its own origin as the name. */
export class LogKey {
  private readonly publicKey: Uint8Array;

  constructor(private readonly privateKey: KeyObject) {
    this.publicKey = rawPublicKey(privateKey);
  }

  /** SHA-256 of the raw public key in lower-case hex: what an auditor compares by another way. */
  get fingerprint(): string {
    return keyFingerprint(this.publicKey);
  }

  /** The verifier key line of the log with this origin. */
  verifierKey(origin: string): string {
    return formatVerifierKey(origin, this.publicKey);
  }

  signer(origin: string): NoteSigner {
    return ed25519Signer(origin, this.privateKey);
  }

  verifier(origin: string): NoteVerifier {
    return ed25519Verifier(origin, this.publicKey);
  }

  /**
   * Reads the key from a PKCS #8 PEM file that only its owner can read. A missing file is made, durably and with mode
   * 0600, when `createIfMissing` says so: locally, never in production, where losing the key must be noticed.
   *
   * @throws MerkleLogError `signing-key-unusable`
   */
  static async load(path: string, createIfMissing: boolean): Promise<LogKey> {
    if (createIfMissing) await createKeyFile(path);
    const key = await readKeyFile(path);
    try {
      return new LogKey(key);
    } catch (error) {
      throw unusable('is not an Ed25519 key', error);
    }
  }
}

async function createKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await file.sync();
    await file.close();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

async function readKeyFile(path: string): Promise<KeyObject> {
  try {
    if (((await stat(path)).mode & OTHERS) !== 0) throw unusable('can be read by others; give it mode 0600');
    return createPrivateKey(await readFile(path));
  } catch (error) {
    if (error instanceof MerkleLogError) throw error;
    throw unusable('cannot be read as a PKCS #8 PEM file', error);
  }
}

function unusable(what: string, cause?: unknown): MerkleLogError {
  return new MerkleLogError('signing-key-unusable', `the file AUDIT_SIGNING_KEY_FILE ${what}`, cause);
}
