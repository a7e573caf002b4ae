import fc from 'fast-check';
import { canonicalJson, JSON_DEPTH_MAX, JsonError } from './index.ts';

const json = fc
  .jsonValue({ maxDepth: 5, stringUnit: 'grapheme' })
  .filter((value) => !JSON.stringify(value).includes('__proto__'));

/** The same value with the members of every object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

function faultOf(value: unknown): string {
  try {
    canonicalJson(value);
  } catch (error) {
    if (error instanceof JsonError) return error.code;
    throw error;
  }
  return 'none';
}

describe('canonical JSON', () => {
  it('reads back as the value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  // RFC 8785, section 3.2.3, with two names that a JavaScript object would move to the front.
  it('sorts members by UTF-16 code units', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '10': 4, '9': 5, '\ud83d\ude00': 6, '\u0080': 7, '\u00f6': 8 };
    expect(canonicalJson(value)).toBe(
      '{"\\r":2,"10":4,"9":5,"\u0080":7,"\u00f6":8,"\u20ac":1,"\ud83d\ude00":6,"\ufb33":3}',
    );
  });

  it('writes numbers and escapes as JSON.stringify does', () => {
    expect(canonicalJson([-0, 1e21, 1e-7, 0.1, '\u0007"\\/', [], {}, null, true])).toBe(
      '[0,1e+21,1e-7,0.1,"\\u0007\\"\\\\/",[],{},null,true]',
    );
  });

  it('leaves out members that are undefined', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'not-json'],
    ['an undefined item', [undefined], 'not-json'],
    ['a hole', Array.from<unknown>({ length: 1 }), 'not-json'],
    ['infinity', Number.POSITIVE_INFINITY, 'not-json'],
    ['a bigint', 1n, 'not-json'],
    ['a function', () => 1, 'not-json'],
    ['a symbol', Symbol('a'), 'not-json'],
    ['a Map', new Map(), 'not-json'],
    ['bytes', new Uint8Array(1), 'not-json'],
    ['a lone surrogate', ['\udc00'], 'lone-surrogate'],
    ['a lone surrogate in a name', { '\ud800': 1 }, 'lone-surrogate'],
    ['__proto__', JSON.parse('[{"__proto__":1}]'), 'forbidden-key'],
  ])('refuses %s', (_, value, code) => {
    expect(faultOf(value)).toBe(code);
  });

  it('accepts a pair of surrogates and an object without a prototype', () => {
    expect(canonicalJson(Object.assign(Object.create(null) as object, { a: '😀' }))).toBe('{"a":"😀"}');
  });

  it(`refuses more than ${String(JSON_DEPTH_MAX)} levels, circles too`, () => {
    const nest = (levels: number): unknown => (levels === 0 ? [] : { a: nest(levels - 1) });
    const circle: unknown[] = [];
    circle.push(circle);
    expect(faultOf(nest(JSON_DEPTH_MAX - 1))).toBe('none');
    expect(faultOf(nest(JSON_DEPTH_MAX))).toBe('too-deep');
    expect(faultOf(circle)).toBe('too-deep');
  });
});
