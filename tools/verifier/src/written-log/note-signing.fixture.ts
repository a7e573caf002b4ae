import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { fingerprintOf } from '../merkle/hashes.ts';
import { noteKey, type SignatureType } from '../notes/signed-note.ts';

/** A key for tests, from a seed of 32 equal bytes, as in the vectors of docs/formats/signed-heads.md. */
export class TestKey {
  readonly publicKey: Uint8Array;
  private readonly privateKey: KeyObject;

  constructor(seed: number) {
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)]);
    this.privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const { x = '' } = createPublicKey(this.privateKey).export({ format: 'jwk' });
    this.publicKey = Buffer.from(x, 'base64url');
  }

  get fingerprint(): string {
    return fingerprintOf(this.publicKey);
  }

  id(name: string, type: SignatureType = 'ed25519'): string {
    return noteKey(name, type, this.publicKey).id;
  }

  /** The verifier key line under a name. */
  line(name: string, type: SignatureType = 'ed25519'): string {
    const typed = Buffer.concat([Buffer.of(type === 'ed25519' ? 1 : 4), this.publicKey]);
    return `${name}+${this.id(name, type)}+${typed.toString('base64')}`;
  }

  /** A signature line of a note. */
  signature(name: string, text: string): string {
    const blob = Buffer.concat([Buffer.from(this.id(name), 'hex'), sign(null, Buffer.from(text), this.privateKey)]);
    return `— ${name} ${blob.toString('base64')}\n`;
  }

  /** A timestamped cosignature line. */
  cosignature(name: string, text: string, timeS: number): string {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(timeS));
    const signed = sign(null, Buffer.from(`cosignature/v1\ntime ${timeS}\n${text}`), this.privateKey);
    const blob = Buffer.concat([Buffer.from(this.id(name, 'cosignature'), 'hex'), time, signed]);
    return `— ${name} ${blob.toString('base64')}\n`;
  }
}
