import {
  ed25519Verifier,
  formatNote,
  formatVerifierKey,
  keyFingerprint,
  type NoteVerifier,
  readNote,
} from '@assent/merkle-log';
import type { LogKeys, SigningKey } from './log-key.ts';
import { type KeySuccession, publicKeysOf } from './key-succession.ts';

/**
 * The keys of the logs while one follows another: the present one and the next sign together, and what retired ones
 * signed can still be read.
 */
export class KeyRing implements LogKeys {
  private readonly known: readonly Uint8Array[];

  /**
   * @param signing the keys that sign, the older first
   * @param earlier the succession that the folder had when this process started
   */
  constructor(
    readonly signing: readonly [SigningKey, ...SigningKey[]],
    earlier: KeySuccession,
  ) {
    const all = [...publicKeysOf(earlier), ...signing.map(({ publicKey }) => publicKey)];
    this.known = [...new Map(all.map((key) => [Buffer.from(key).toString('hex'), key])).values()];
  }

  private get newest(): SigningKey {
    return this.signing.at(-1) ?? this.signing[0];
  }

  get fingerprint(): string {
    return keyFingerprint(this.newest.publicKey);
  }

  verifierKey(origin: string): string {
    return formatVerifierKey(origin, this.newest.publicKey);
  }

  verifiers(origin: string): readonly NoteVerifier[] {
    return this.known.map((key) => ed25519Verifier(origin, key));
  }

  async signNote(origin: string, text: string): Promise<string> {
    const notes = await Promise.all(this.signing.map((key) => key.signNote(origin, text)));
    const signatures = notes.flatMap((note) => readNote(Buffer.from(note, 'utf8')).signatures);
    return formatNote(text, signatures);
  }
}
