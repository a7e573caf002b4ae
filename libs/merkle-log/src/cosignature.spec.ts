import { generateKeyPairSync } from 'node:crypto';
import { cosignatureSigner, cosignatureTimeS, cosignatureVerifier } from './cosignature.ts';
import {
  formatVerifierKey,
  parseVerifierKey,
  rawPublicKey,
  readNote,
  signNote,
  verifiedSignatures,
} from './signed-note.ts';

/** Checkpoint, witness signature and time of the example in C2SP tlog-cosignature, to be read, not verified. */
const publishedLine =
  '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==';
const publishedTimeS = 1_679_315_147;

const { privateKey } = generateKeyPairSync('ed25519');
const name = 'witness.example/w1';
const signer = cosignatureSigner(name, privateKey, () => 1_795_512_601);
const verifier = cosignatureVerifier(name, rawPublicKey(privateKey));
const text = 'log.example\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const signature = signer.sign(Buffer.from(text));

describe('a cosignature', () => {
  it('says when it was made, as the published example does', () => {
    const [published] = readNote(Buffer.from(`text\n\n${publishedLine}\n`)).signatures;
    expect(cosignatureTimeS(published!.signature)).toBe(publishedTimeS);
    expect(cosignatureTimeS(signature)).toBe(1_795_512_601);
  });

  it('is of this checkpoint, this time and this key only', () => {
    expect(verifier.verify(Buffer.from(text), signature)).toBe(true);
    expect(verifier.verify(Buffer.from(`${text}x\n`), signature)).toBe(false);
    for (let bit = 0; bit < signature.length * 8; bit += 1) {
      const changed = Buffer.from(signature);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      expect(verifier.verify(Buffer.from(text), changed)).toBe(false);
    }
    const other = cosignatureVerifier(name, rawPublicKey(generateKeyPairSync('ed25519').privateKey));
    expect(other.verify(Buffer.from(text), signature)).toBe(false);
    expect(verifier.verify(Buffer.from(text), signature.subarray(1))).toBe(false);
  });

  it('has another key id than a log’s own signature with the same key', () => {
    const line = formatVerifierKey(name, rawPublicKey(privateKey), 0x04);
    expect(parseVerifierKey(line, 0x04).publicKey).toEqual(new Uint8Array(rawPublicKey(privateKey)));
    expect(() => parseVerifierKey(line)).toThrow('not an Ed25519 verifier key');
    expect(line.split('+')[1]).not.toBe(formatVerifierKey(name, rawPublicKey(privateKey)).split('+')[1]);
    const { signatures } = readNote(Buffer.from(signNote(text, [signer])));
    expect(verifiedSignatures(text, signatures, [verifier])).toHaveLength(1);
  });

  it('is not one when it has another length', () => {
    expect(() => cosignatureTimeS(Buffer.alloc(64))).toThrow('timestamped');
  });
});
