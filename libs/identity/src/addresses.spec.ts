import { addressesOf, parseBsuid } from './addresses.ts';

describe('the addresses of a recipient', () => {
  it('are the number and its other WhatsApp ids', () => {
    expect(addressesOf({ phone: '+55 11 98765-4321' })).toEqual([
      { kind: 'phone', canonical: '5511987654321' },
      { kind: 'waId', canonical: '551187654321' },
    ]);
  });

  it('are the same for the number and for each of its ids', () => {
    const ofPhone = addressesOf({ phone: '+525512345678' });
    expect(addressesOf({ waId: '5215512345678' })).toEqual(ofPhone);
    expect(addressesOf({ waId: '525512345678' })).toEqual(ofPhone);
  });

  it('are one for a number without variants', () => {
    expect(addressesOf({ phone: '+447700900123' })).toEqual([{ kind: 'phone', canonical: '447700900123' }]);
  });

  it('are one for a text without digits, so that an opt-out is kept', () => {
    expect(addressesOf({ phone: ' unknown ' })).toEqual([{ kind: 'phone', canonical: 'unknown' }]);
  });

  it('are the user id itself, told from that of a parent business', () => {
    expect(addressesOf({ bsuid: ' US.13491208655302741918 ' })).toEqual([
      { kind: 'bsuid', canonical: 'US.13491208655302741918' },
    ]);
    expect(addressesOf({ bsuid: 'US.ENT.11815799212886844830' })).toEqual([
      { kind: 'parentBsuid', canonical: 'US.ENT.11815799212886844830' },
    ]);
    expect(addressesOf({ bsuid: 'not one' })).toEqual([{ kind: 'bsuid', canonical: 'not one' }]);
  });

  it('are none for a subject', () => {
    expect(addressesOf({ subjectId: '6f3c1c9e-7d0b-4d0e-9a52-0d6a5a0f7c11' })).toEqual([]);
  });
});

describe('a business-scoped user id', () => {
  it('names its region', () => {
    expect(parseBsuid('BR.1a2B3')).toEqual({ kind: 'bsuid', region: 'BR' });
    expect(parseBsuid('IN.ENT.9')).toEqual({ kind: 'parentBsuid', region: 'IN' });
    expect(parseBsuid('US.ENT')).toEqual({ kind: 'bsuid', region: 'US' });
  });

  it.each([
    '',
    'US',
    'US.',
    'us.1',
    'USA.1',
    'US.1-2',
    'US.ENT.',
    'US.ENT.1.2',
    `US.${'1'.repeat(129)}`,
    '447700900123',
  ])('is not %s', (text) => {
    expect(parseBsuid(text)).toBeUndefined();
  });

  it('may be as long as WhatsApp allows', () => {
    expect(parseBsuid(`US.${'1'.repeat(128)}`)).toEqual({ kind: 'bsuid', region: 'US' });
  });
});
