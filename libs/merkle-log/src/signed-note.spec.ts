import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { LogFormatCode } from './errors.ts';
import { openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import { sha256 } from './hashing.ts';
import {
  ed25519Signer,
  ed25519Verifier,
  formatVerifierKey,
  keyFingerprint,
  NOTE_BYTES_MAX,
  openNote,
  parseVerifierKey,
  rawPublicKey,
  signNote,
} from './signed-note.ts';

const failure = (code: LogFormatCode): Error => expect.objectContaining({ code }) as Error;

/** Key and note from the documentation of Go's golang.org/x/mod/sumdb/note. */
const publishedKey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const publishedSeed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const publishedText =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const publishedNote = `${publishedText}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const privateKeyOf = (seed: Uint8Array) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });
const key = privateKeyOf(Buffer.alloc(32, 1));
const publicKey = rawPublicKey(key);
const origin = 'log.example/consent.events/3';
const signer = ed25519Signer(origin, key);
const verifier = ed25519Verifier(origin, publicKey);
const checkpoint = { origin, size: 20, root: sha256(Buffer.from('root')), extensions: [] };

describe('a signed note', () => {
  it('is signed and read as the published example is', () => {
    const { name, publicKey: published } = parseVerifierKey(publishedKey);
    expect(signNote(publishedText, [ed25519Signer('PeterNeumann', privateKeyOf(publishedSeed))])).toBe(publishedNote);
    expect(openNote(Buffer.from(publishedNote), [ed25519Verifier(name, published)])).toEqual({
      text: publishedText,
      signedBy: ['PeterNeumann'],
    });
    expect(formatVerifierKey(name, published)).toBe(publishedKey);
  });

  it('does not open with any one bit changed', () => {
    const note = Buffer.from(signNote('a\n\nb\n', [signer]));
    for (let bit = 0; bit < note.length * 8; bit += 1) {
      const changed = Buffer.from(note);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      expect(() => openNote(changed, [verifier])).toThrow();
    }
  });

  it('opens when a known key signed beside unknown ones, and names who signed', () => {
    const other = ed25519Signer('other.example', generateKeyPairSync('ed25519').privateKey);
    const note = Buffer.from(signNote('text\n', [other, signer]));
    expect(openNote(note, [verifier]).signedBy).toEqual([origin]);
  });

  it('is refused when no known key signed, and when a known key’s signature is wrong', () => {
    const note = signNote('text\n', [signer]);
    const stranger = ed25519Verifier(origin, rawPublicKey(generateKeyPairSync('ed25519').privateKey));
    expect(() => openNote(Buffer.from(note), [stranger])).toThrow(failure('note-not-signed-by-known-key'));
    expect(() => openNote(Buffer.from(note.replace('text', 'test')), [verifier])).toThrow(
      failure('note-signature-invalid'),
    );
  });

  it.each([
    ['no signature', 'text\n'],
    ['no empty line', 'text\n— a AAAAAAA=\n'],
    ['no last newline', signNote('text\n', [signer]).slice(0, -1)],
    ['a carriage return', signNote('text\n', [signer]).replace('text', 'te\rt')],
    ['base64 that is not canonical', 'text\n\n— a AAAAAAB=\n'],
    ['a signature of nothing but a key id', 'text\n\n— a AAAAAA==\n'],
    ['another dash', 'text\n\n- a AAAAAAA=\n'],
    ['a name with a plus', 'text\n\n— a+b AAAAAAA=\n'],
    ['more signatures than the limit', `text\n\n${'— a AAAAAAA=\n'.repeat(65)}`],
    ['more bytes than the limit', `${'x'.repeat(NOTE_BYTES_MAX)}\n\n— a AAAAAAA=\n`],
  ])('is malformed with %s', (_, note) => {
    expect(() => openNote(Buffer.from(note), [verifier])).toThrow(failure('malformed-note'));
  });

  it('is malformed when it is not UTF-8', () => {
    const note = Buffer.from(signNote('text\n', [signer]));
    note[0] = 0xff;
    expect(() => openNote(note, [verifier])).toThrow(failure('malformed-note'));
  });

  it('is not made of a text without a last newline', () => {
    expect(() => signNote('text', [signer])).toThrow(failure('malformed-note'));
  });
});

describe('a verifier key', () => {
  it.each([
    publishedKey.replace('c74f20a3', 'c74f20a4'),
    publishedKey.replace('c74f20a3', 'C74F20A3'),
    publishedKey.replace('PeterNeumann', 'Peter Neumann'),
    publishedKey.slice(0, -4),
    'PeterNeumann+c74f20a3',
    '',
  ])('is refused when it is written %j', (line) => {
    expect(() => parseVerifierKey(line)).toThrow(failure('malformed-key'));
  });

  it('of another kind than Ed25519 is refused', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(() => rawPublicKey(privateKey)).toThrow(failure('malformed-key'));
  });

  it('has the SHA-256 of the raw key as its fingerprint', () => {
    expect(keyFingerprint(publicKey)).toBe(Buffer.from(sha256(publicKey)).toString('hex'));
  });
});

describe('a checkpoint', () => {
  it('has origin, size and root on a line each', () => {
    const note = signCheckpoint({ ...checkpoint, size: 20_852_163 }, [signer]);
    expect(note.split('\n').slice(0, 4)).toEqual([
      origin,
      '20852163',
      Buffer.from(checkpoint.root).toString('base64'),
      '',
    ]);
    expect(openCheckpoint(Buffer.from(note), origin, [verifier])).toEqual({ ...checkpoint, size: 20_852_163 });
  });

  it('keeps its extension lines', () => {
    const extended = { ...checkpoint, extensions: ['at 2026-11-24T05:00:00.000Z'] };
    expect(openCheckpoint(Buffer.from(signCheckpoint(extended, [signer])), origin, [verifier])).toEqual(extended);
  });

  it('of another log is refused', () => {
    const note = Buffer.from(signCheckpoint(checkpoint, [signer]));
    expect(() => openCheckpoint(note, 'log.example/other/0', [verifier])).toThrow(failure('malformed-checkpoint'));
  });

  it.each([
    'log\n01\n' + 'A'.repeat(43) + '=\n',
    'log\n-1\n' + 'A'.repeat(43) + '=\n',
    'log\n1e3\n' + 'A'.repeat(43) + '=\n',
    'log\n9007199254740993\n' + 'A'.repeat(43) + '=\n',
    'log\n1\n' + 'A'.repeat(42) + 'B=\n',
    'log\n1\nAAAA\n',
    '\n1\n' + 'A'.repeat(43) + '=\n',
    'log\n1\n' + 'A'.repeat(43) + '=\n\nx\n',
    'log\n1\n',
  ])('is malformed as %j', (text) => {
    expect(() => parseCheckpoint(text)).toThrow(failure('malformed-checkpoint'));
  });
});
