import { BODY_DEPTH_MAX, parseStrictJson } from './strict-json.ts';

const parse = (text: string | Uint8Array): unknown =>
  parseStrictJson(typeof text === 'string' ? Buffer.from(text) : text);
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('a JSON body', () => {
  it('is read as JSON.parse reads it when nothing is wrong', () => {
    expect(parse('{"a":[1,"é😀",null,true],"constructor":"x"}')).toEqual({
      a: [1, 'é😀', null, true],
      constructor: 'x',
    });
    expect(parse(nested(BODY_DEPTH_MAX))).toBeDefined();
  });

  it.each([
    ['malformed-json', '{"a":'],
    ['malformed-json', ''],
    ['malformed-json', '{"a":1} x'],
    ['malformed-text', '{"a":"\\ud800"}'],
    ['malformed-text', '{"a":["x\\udc00y"]}'],
    ['malformed-text', '{"\\ud83d":1}'],
    ['malformed-text', '"\\udfff"'],
    ['too-deep', nested(BODY_DEPTH_MAX + 1)],
    ['too-deep', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)],
    ['forbidden-key', '{"__proto__":{"admin":true}}'],
    ['forbidden-key', '{"a":[{"\\u005f_proto__":1}]}'],
    ['forbidden-key', '{"constructor":{"prototype":{"admin":true}}}'],
  ])('is refused with %s: %.40s', (code, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ status: 400, code }) as Error);
  });

  it('is refused with malformed-text when its bytes are not UTF-8', () => {
    expect(() => parse(Uint8Array.from([0x22, 0xc3, 0x28, 0x22]))).toThrow(
      expect.objectContaining({ code: 'malformed-text' }) as Error,
    );
    expect(() => parse(Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toThrow(
      expect.objectContaining({ code: 'malformed-text' }) as Error,
    );
  });
});
