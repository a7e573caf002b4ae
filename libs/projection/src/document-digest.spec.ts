import fc from 'fast-check';

import { DocumentDigest } from './document-digest.ts';
import type { ProjectedDocument } from './fold.ts';

function digestOf(documents: readonly ProjectedDocument[], omit: readonly string[] = []): string {
  const digest = new DocumentDigest();
  documents.forEach((document) => {
    digest.add('purposes', document, omit);
  });
  return digest.hex;
}

const someDocuments = fc.uniqueArray(
  fc.record({ _id: fc.string(), _position: fc.nat(), names: fc.array(fc.string({ unit: 'grapheme' })) }),
  { selector: ({ _id }) => _id },
);

describe('the digest of documents', () => {
  it('does not depend on the order of the documents', () => {
    fc.assert(
      fc.property(
        someDocuments.chain((documents) =>
          fc.tuple(fc.constant(documents), fc.shuffledSubarray(documents, { minLength: documents.length })),
        ),
        ([documents, shuffled]) => {
          expect(digestOf(shuffled)).toBe(digestOf(documents));
        },
      ),
    );
  });

  it('does not depend on the order of the fields', () => {
    expect(digestOf([{ _id: 'a', _position: 1, ...{ names: { x: 1, y: 2 } } }])).toBe(
      digestOf([{ ...{ names: { y: 2, x: 1 } }, _position: 1, _id: 'a' }]),
    );
  });

  it.each([
    ['the id', { _id: 'b', _position: 1, ...{ name: 'x' } }],
    ['the position', { _id: 'a', _position: 2, ...{ name: 'x' } }],
    ['a field', { _id: 'a', _position: 1, ...{ name: 'y' } }],
    ['a further field', { _id: 'a', _position: 1, ...{ name: 'x', more: null } }],
  ])('depends on %s', (_, changed) => {
    expect(digestOf([changed])).not.toBe(digestOf([{ _id: 'a', _position: 1, ...{ name: 'x' } }]));
  });

  it('depends on the collection', () => {
    const [one, other] = [new DocumentDigest(), new DocumentDigest()];
    one.add('purposes', { _id: 'a' });
    other.add('notices', { _id: 'a' });
    expect(one.hex).not.toBe(other.hex);
  });

  it('counts a document as often as it occurs', () => {
    expect(digestOf([{ _id: 'a' }, { _id: 'a' }])).not.toBe(digestOf([{ _id: 'a' }]));
  });

  it('leaves out the epoch, what derives from sealed data and what a fold names', () => {
    const full = { _id: 'a', _epoch: 7, sealedName: 'x', seenAt: 5, rows: [{ sealed: 1, kept: [2] }] };
    const bare = { _id: 'a', rows: [{ kept: [2] }] };
    expect(digestOf([full], ['seenAt'])).toBe(digestOf([bare]));
    expect(digestOf([full])).not.toBe(digestOf([bare]));
  });

  it('is the published sum of SHA-256, modulo 2^256', () => {
    expect(digestOf([])).toBe('0'.repeat(64));
    // printf 'purposes\n{"_id":"a"}' | sha256sum
    expect(digestOf([{ _id: 'a' }])).toBe('3b4b53a7bd2530450a890801068976312f1c965b76a203d2539b6d29a80bae31');
  });

  it.each([
    ['a date', { at: new Date(0) }],
    ['not a number', { at: Number.NaN }],
    ['undefined in a list', { at: [undefined] }],
  ])('refuses %s instead of digesting something else', (_, field) => {
    expect(() => digestOf([{ _id: 'a', ...field }])).toThrow('not-json');
  });
});
