import fc from 'fast-check';
import { deterministicId, DeterministicIdError, messageIdOf, PATTERNS } from './index.ts';

const parts = fc.array(fc.string({ unit: 'grapheme', maxLength: 4 }), { minLength: 1, maxLength: 4 });
const idOf = ([label = '', ...rest]: string[]) => deterministicId(label, ...rest);

describe('a deterministic id', () => {
  // Computed by an independent program: SHA-256 over (uint32 big endian length, UTF-8 bytes) of each part.
  it.each([
    [['ask', 'acme', '1'], '4e9ea305-2e0d-813f-830d-ad0d667f2c3a'],
    [['ask'], '6ab1b3a5-2406-8341-8233-1985784b91c0'],
    [['ask', ''], 'c6c72382-7e93-88d2-9caa-40ee341a234b'],
    [['a', 'bc'], 'b534ce16-ac9c-8b36-823f-39a395ce8e0e'],
    [['ab', 'c'], 'f2939f90-3016-85bb-a9b1-e4a61cdbd376'],
    [['größe', '日本', '😀'], '7fe06952-69d8-875c-ba41-275564a3e178'],
  ])('of %j is %s', (list, id) => {
    expect(idOf(list)).toBe(id);
  });

  it('is a UUID of version 8 that the schemas accept', () => {
    fc.assert(
      fc.property(parts, (list) => {
        expect(idOf(list)).toMatch(PATTERNS.Uuid);
        expect(idOf(list)).toMatch(/^.{14}8.{4}[89ab]/);
      }),
    );
  });

  it('differs when the same text is cut into other parts', () => {
    const cuts = fc.tuple(fc.string({ minLength: 2, maxLength: 12 }), fc.nat(12), fc.nat(12));
    fc.assert(
      fc.property(cuts, ([text, a, b]) => {
        const cut = (at: number) => [text.slice(0, at), text.slice(at)];
        fc.pre(Math.min(a, text.length) !== Math.min(b, text.length));
        expect(idOf(cut(a))).not.toBe(idOf(cut(b)));
        expect(idOf(cut(a))).not.toBe(idOf([text]));
      }),
    );
  });

  it('is equal exactly when all parts are', () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        expect(idOf(one) === idOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it('is not made from a lone surrogate, which would collide with another', () => {
    expect(() => deterministicId('a', '\ud800')).toThrow(DeterministicIdError);
    expect(() => deterministicId('\udfff')).toThrow(DeterministicIdError);
  });
});

describe('the id of a message', () => {
  it('follows from the wamid and does not contain it', () => {
    expect(messageIdOf('wamid.HBgLMTU1NTAxMDAwMDA')).toBe('fed4f03b-a487-8e8b-8dc9-f703f405c6bd');
  });
});
