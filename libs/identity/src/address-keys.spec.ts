import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { AddressKeys, parsePeppers, PEPPERS_MAX, type Pepper } from './address-keys.ts';
import type { Address } from './addresses.ts';

function pepper(id: string, byte = id.charCodeAt(0)): Pepper {
  return { id, secret: Buffer.alloc(32, byte) };
}

const phone: Address = { kind: 'phone', canonical: '447700900123' };
const keys = new AddressKeys([pepper('p2'), pepper('a1')]);

function errorOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('an address key', () => {
  it('is the pepper id and the keyed hash of the length-prefixed fields', () => {
    const message = Buffer.concat([
      ...[Buffer.from([0, 0, 0, 4]), Buffer.from('acme')],
      ...[Buffer.from([0, 0, 0, 5]), Buffer.from('phone')],
      ...[Buffer.from([0, 0, 0, 12]), Buffer.from('447700900123')],
    ]);
    const expected = createHmac('sha256', Buffer.alloc(32, 'p')).update(message).digest('base64url');
    expect(keys.keyOf('acme', phone)).toBe(`p2.${expected}`);
  });

  it('fits the contract of an event', () => {
    expect(keys.keyOf('acme', phone)).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}\.[A-Za-z0-9_-]{43}$/);
  });

  it('is the same for a phone number and the wa_id of the same digits', () => {
    expect(keys.keyOf('acme', { kind: 'waId', canonical: phone.canonical })).toBe(keys.keyOf('acme', phone));
  });

  it('differs by tenant, kind, address and pepper', () => {
    const others = [
      keys.keyOf('acme', phone),
      keys.keyOf('acme2', phone),
      keys.keyOf('acme', { kind: 'bsuid', canonical: phone.canonical }),
      keys.keyOf('acme', { kind: 'parentBsuid', canonical: phone.canonical }),
      keys.keyOf('acme', { kind: 'phone', canonical: '447700900124' }),
      new AddressKeys([{ id: 'p2', secret: Buffer.alloc(32, 1) }]).keyOf('acme', phone),
    ];
    expect(new Set(others).size).toBe(others.length);
  });

  it('does not follow a later change of the secret’s buffer', () => {
    const secret = Buffer.alloc(32, 7);
    const held = new AddressKeys([{ id: 'p', secret }]);
    const before = held.keyOf('acme', phone);
    secret.fill(0);
    expect(held.keyOf('acme', phone)).toBe(before);
  });
});

describe('the keys an address may be known by', () => {
  it('are one for every live pepper, the current one first', () => {
    const candidates = keys.candidates('acme', phone);
    expect(candidates).toEqual([keys.keyOf('acme', phone), new AddressKeys([pepper('a1')]).keyOf('acme', phone)]);
  });

  it('are those of every variant of a number, the same set whichever variant was given', () => {
    const ofPhone = keys.lookupKeys('acme', { phone: '+5511987654321' });
    expect(ofPhone).toHaveLength(4);
    expect(new Set(keys.lookupKeys('acme', { waId: '551187654321' }))).toEqual(new Set(ofPhone));
  });

  it('never share one between two numbers', () => {
    const digits = fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(digits, digits, (a, b) => {
        fc.pre(a !== b);
        const keysOfA = keys.lookupKeys('acme', { phone: `+4477${a}` });
        const keysOfB = keys.lookupKeys('acme', { phone: `+4477${b}` });
        expect(keysOfA.filter((key) => keysOfB.includes(key))).toEqual([]);
      }),
    );
  });

  it('are none for a subject', () => {
    expect(keys.lookupKeys('acme', { subjectId: '6f3c1c9e-7d0b-4d0e-9a52-0d6a5a0f7c11' })).toEqual([]);
  });
});

describe('peppers', () => {
  it.each([
    ['no-pepper', []],
    ['short-pepper', [{ id: 'p', secret: Buffer.alloc(31) }]],
    ['malformed-pepper', [{ id: 'p.1', secret: Buffer.alloc(32) }]],
    ['repeated-pepper-id', [pepper('p', 1), pepper('p', 2)]],
    ['too-many-peppers', Array.from({ length: PEPPERS_MAX + 1 }, (_, i) => pepper(`p${String(i)}`))],
  ])('are refused: %s', (code, peppers) => {
    expect(errorOf(() => new AddressKeys(peppers))).toMatchObject({ code });
  });

  it('are read from text, the current one first, in both base64 alphabets', () => {
    const secret = Buffer.alloc(32, 0xfb);
    const text = `p2:${secret.toString('base64url')}, p1:${secret.toString('base64')}`;
    expect(parsePeppers(text)).toEqual([
      { id: 'p2', secret },
      { id: 'p1', secret },
    ]);
  });

  it.each(['p1', 'p1:', 'p1:not base64', 'p1:AAAA:BBBB', 'p1:AAAA,,'])(
    'are not read from %s, and the error keeps it to itself',
    (text) => {
      expect(errorOf(() => parsePeppers(text))).toMatchObject({
        code: 'malformed-pepper',
        message: 'peppers refused: malformed-pepper',
      });
    },
  );
});
