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
  signNote,
} from '@assent/merkle-log';
import { codeOf } from './folder-log-store.ts';
import { MerkleLogError } from './merkle-logs.errors.ts';

/** Permission bits that let anyone but the owner touch the key. */
const OTHERS = 0o077;

/** One Ed25519 key that signs: from a file here, in a key management system elsewhere. */
export interface SigningKey {
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The note of a text, signed under a name. Rejects when the key cannot be reached; nothing is signed then. */
  signNote(name: string, text: string): Promise<string>;
}

/** The keys under which logs are signed and read; each log has them under its own origin as the name. */
export interface LogKeys {
  /** SHA-256 of the newest raw public key in lower-case hex: what an auditor compares by another way. */
  readonly fingerprint: string;
  /** The keys that sign now, the older first: one, or two while one follows the other. */
  readonly signing: readonly SigningKey[];
  /** The verifier key line of the newest key that signs, under the origin of a log. */
  verifierKey(origin: string): string;
  /** Every key of the succession that is known, retired ones included. */
  verifiers(origin: string): readonly NoteVerifier[];
  /** A text signed under a log's origin by every key that signs now. */
  signNote(origin: string, text: string): Promise<string>;
}

/** One key held in memory, and the keys of a log that has only this one. */
export class LogKey implements SigningKey, LogKeys {
  readonly publicKey: Uint8Array;

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

  get signing(): readonly SigningKey[] {
    return [this];
  }

  signer(origin: string): NoteSigner {
    return ed25519Signer(origin, this.privateKey);
  }

  signNote(name: string, text: string): Promise<string> {
    return Promise.resolve(signNote(text, [this.signer(name)]));
  }

  verifiers(origin: string): readonly NoteVerifier[] {
    return [this.verifier(origin)];
  }

  verifier(origin: string): NoteVerifier {
    return ed25519Verifier(origin, this.publicKey);
  }

  /** Makes a key file with mode 0600, durably, unless there is a file; answers whether it made one. */
  static create(path: string): Promise<boolean> {
    return createKeyFile(path);
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

async function createKeyFile(path: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await file.sync();
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
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
  return new MerkleLogError('signing-key-unusable', `the file of a signing key ${what}`, cause);
}
