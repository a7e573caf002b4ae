import fc from 'fast-check';
import { formatPosition, parsePosition, PositionError } from './index.ts';

const topics = fc.stringMatching(/^[A-Za-z0-9._-]{1,249}$/);
const positions = fc.record({
  topic: topics,
  partition: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  offset: fc.maxSafeNat(),
});

describe('a position', () => {
  it('reads topic/partition@offset', () => {
    expect(parsePosition('consent.events/3@1234')).toEqual({ topic: 'consent.events', partition: 3, offset: 1234 });
    expect(formatPosition({ topic: 'consent.events', partition: 3, offset: 1234 })).toBe('consent.events/3@1234');
  });

  it('survives being written and read', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(parsePosition(formatPosition(position))).toEqual(position);
      }),
    );
  });

  it('reaches to the largest partition and offset', () => {
    const token = 'a/2147483647@9007199254740991';
    expect(formatPosition(parsePosition(token))).toBe(token);
  });

  it.each([
    '',
    '/',
    '@',
    '/3@4',
    'a/3',
    'a@3',
    'a/@4',
    'a/3@',
    'a/3@4@5',
    'a/b/3@4',
    ' a/3@4',
    'a/3@4 ',
    'a/3@4\n',
    'a\n/3@4',
    'a/+3@4',
    'a/-3@4',
    'a/03@4',
    'a/3@04',
    'a/3@-1',
    'a/3@1e3',
    'a/3@0x1',
    'a/3@4.0',
    'a/3@NaN',
    'a/3@Infinity',
    'a/３@4',
    'a/3@٤',
    'ä/3@4',
    'a/2147483648@4',
    'a/9999999999@4',
    'a/3@9007199254740992',
    'a/3@9007199254740993',
    'a/3@9999999999999999999999',
    `${'a'.repeat(250)}/3@4`,
    '__proto__\u0000/3@4',
  ])('is not read from %j', (token) => {
    expect(() => parsePosition(token)).toThrow(PositionError);
  });

  it('has one text only', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[a-z./@ +-]{0,3}[a-z]\/[0-9+-]{1,11}@[0-9e.]{1,17}$/));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(formatPosition(parsePosition(text))).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PositionError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    { topic: 'a', partition: -1, offset: 0 },
    { topic: 'a', partition: 1.5, offset: 0 },
    { topic: 'a', partition: 0, offset: -1 },
    { topic: 'a', partition: 0, offset: Number.NaN },
    { topic: 'a', partition: 0, offset: 2 ** 53 },
    { topic: 'a', partition: 0, offset: 1e21 },
    { topic: 'a/0@1', partition: 0, offset: 0 },
    { topic: '', partition: 0, offset: 0 },
  ])('is not written when it is %j', (position) => {
    expect(() => formatPosition(position)).toThrow(PositionError);
  });

  it('does not repeat a bad text in the error', () => {
    expect(() => parsePosition('PLANTED')).toThrow(/^not a position of the form topic\/partition@offset$/);
  });
});
