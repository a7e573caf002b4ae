import fc from 'fast-check';
import { type Confirmation, ConfirmationTokens, UnsubscribeTokens } from './confirmation-token.ts';

const key = Buffer.alloc(32, 7);
const tokens = new ConfirmationTokens(key);
const confirmation: Confirmation = {
  tenant: 'acme',
  subjectId: '11111111-1111-4111-8111-111111111111',
  requestId: '22222222-2222-4222-8222-222222222222',
  requestedAt: Date.parse('2026-11-24T12:00:00.000Z'),
  noticeId: 'a'.repeat(48),
  noticeVersion: 999_999,
};
const { tenant, subjectId } = confirmation;

describe('a confirmation token', () => {
  it('carries all that a grant needs, in a button and in a link', () => {
    expect(tokens.readPayload(tokens.payload(confirmation), tenant, subjectId)).toEqual(confirmation);
    expect(tokens.readLinkToken(tokens.linkToken(confirmation))).toEqual(confirmation);
  });

  it("fits into a quick reply's payload", () => {
    expect(tokens.payload(confirmation).length).toBeLessThanOrEqual(128);
  });

  it('is bound to the person, the tenant and the key', () => {
    const payload = tokens.payload(confirmation);
    expect(tokens.readPayload(payload, tenant, '33333333-3333-4333-8333-333333333333')).toBeUndefined();
    expect(tokens.readPayload(payload, 'other', subjectId)).toBeUndefined();
    expect(new ConfirmationTokens(Buffer.alloc(32, 8)).readPayload(payload, tenant, subjectId)).toBeUndefined();
  });

  it('is refused when a character of it is changed', () => {
    const payload = tokens.payload(confirmation);
    fc.assert(
      fc.property(fc.nat(payload.length - 1), fc.constantFrom('A', 'b', '0', '|', '-', 'z'), (at, letter) => {
        fc.pre(payload[at] !== letter);
        const changed = `${payload.slice(0, at)}${letter}${payload.slice(at + 1)}`;
        // The last base64url character of 38 bytes has bits that mean nothing; the bytes are then the same.
        const same = tokens.readPayload(changed, tenant, subjectId);
        expect(same === undefined || JSON.stringify(same) === JSON.stringify(confirmation)).toBe(true);
      }),
    );
  });

  it.each(['', 'CONFIRM', 'CONFIRM||news|1', 'CONFIRM|x|news|0', 'x'.repeat(10_000)])(
    'is refused when it is none: %s',
    (text) => {
      expect(tokens.readPayload(text, tenant, subjectId)).toBeUndefined();
      expect(tokens.readLinkToken(text)).toBeUndefined();
    },
  );
});

describe('an unsubscribe token', () => {
  const unsubscribe = new UnsubscribeTokens(key);

  it('names the person it was made for', () => {
    expect(unsubscribe.read(unsubscribe.make(tenant, subjectId))).toEqual({ tenant, subjectId });
  });

  it('is refused when it was made for somebody else or with another key', () => {
    const token = Buffer.from(unsubscribe.make(tenant, subjectId), 'base64url').toString('utf8');
    const other = Buffer.from(token.replace(subjectId, '33333333-3333-4333-8333-333333333333')).toString('base64url');
    expect(unsubscribe.read(other)).toBeUndefined();
    expect(new UnsubscribeTokens(Buffer.alloc(32, 8)).read(unsubscribe.make(tenant, subjectId))).toBeUndefined();
  });
});
