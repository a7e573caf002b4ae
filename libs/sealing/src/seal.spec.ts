import fc from 'fast-check';
import { seal, SEALED_PLAINTEXT_BYTES_MAX, SealError, unseal, unsealBytes } from './seal.ts';

const key = Buffer.alloc(32, 7);
const tenant = 'acme';
const subjectId = '6f3c1c9e-7d0b-4d0e-9a52-0d6a5a0f7c11';
const field = 'evidence';
const text = 'Grüße, STOP';

/** Made by another implementation (Python's cryptography), so that the format cannot drift unnoticed. */
const KNOWN = 'v1.AAECAwQFBgcICQoL.X_MqzN6WvGVX4bHTshlGEFoCfuakNMxvCNf7mKI';

function faultOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof SealError ? error.code : error;
  }
}

const opened = (sealed: string) => faultOf(() => unseal(key, tenant, subjectId, field, sealed));

describe('a sealed value', () => {
  it('opens to what was sealed', () => {
    expect(unseal(key, tenant, subjectId, field, seal(key, tenant, subjectId, field, text))).toBe(text);
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const sealed = seal(key, tenant, subjectId, field, bytes);
        expect(Buffer.from(unsealBytes(key, tenant, subjectId, field, sealed)).equals(bytes)).toBe(true);
      }),
    );
  });

  it('has the format of the contract', () => {
    expect(opened(KNOWN)).toBe(text);
    expect(seal(key, tenant, subjectId, field, '')).toMatch(/^v1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{22,}$/);
  });

  it('does not show its content or its key', () => {
    const sealed = seal(key, tenant, subjectId, field, '+15550100123');
    const bytes = Buffer.from(sealed.split('.')[2] ?? '', 'base64url');
    expect(bytes.includes('5550100')).toBe(false);
    expect(bytes.includes(key)).toBe(false);
  });

  it('is another one each time', () => {
    const boxes = Array.from({ length: 100 }, () => seal(key, tenant, subjectId, field, text).split('.')[1]);
    expect(new Set(boxes).size).toBe(100);
  });

  it('does not open elsewhere', () => {
    expect(faultOf(() => unseal(key, 'acme2', subjectId, field, KNOWN))).toBe('refused');
    expect(faultOf(() => unseal(key, tenant, `${subjectId}1`, field, KNOWN))).toBe('refused');
    expect(faultOf(() => unseal(key, tenant, subjectId, 'address', KNOWN))).toBe('refused');
    expect(faultOf(() => unseal(Buffer.alloc(32, 8), tenant, subjectId, field, KNOWN))).toBe('refused');
  });

  it('does not open when bytes moved from one name to the next', () => {
    const sealed = seal(key, 'acme', 'subject', 'field', text);
    expect(faultOf(() => unseal(key, 'acm', 'esubject', 'field', sealed))).toBe('refused');
    expect(faultOf(() => unseal(key, 'acme', 'subjectf', 'ield', sealed))).toBe('refused');
  });

  it('does not open when any bit of its text is flipped', () => {
    for (let at = 0; at < KNOWN.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = Buffer.from(KNOWN, 'latin1');
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        expect(['malformed', 'refused']).toContain(opened(bytes.toString('latin1')));
      }
    }
  });

  it('does not open when it is cut, longer or of another version', () => {
    for (let length = 0; length < KNOWN.length; length++) {
      expect(['malformed', 'refused']).toContain(opened(KNOWN.slice(0, length)));
    }
    expect(opened(`${KNOWN}A`)).not.toBe(text);
    expect(opened(`${KNOWN}\n`)).toBe('malformed');
    expect(opened(` ${KNOWN}`)).toBe('malformed');
    expect(opened(KNOWN.replace('v1', 'v2'))).toBe('malformed');
    expect(opened(`${KNOWN}=`)).toBe('malformed');
  });
});

describe('sealing', () => {
  it.each([0, 16, 31, 33])('is refused with a key of %d bytes', (length) => {
    expect(faultOf(() => seal(Buffer.alloc(length), tenant, subjectId, field, text))).toBe('bad-key');
    expect(faultOf(() => unseal(Buffer.alloc(length), tenant, subjectId, field, KNOWN))).toBe('bad-key');
  });

  it('takes values up to the limit, counted in bytes, and no larger ones', () => {
    const largest = Buffer.alloc(SEALED_PLAINTEXT_BYTES_MAX);
    expect(seal(key, tenant, subjectId, field, largest).length).toBeLessThan(350_000);
    expect(faultOf(() => seal(key, tenant, subjectId, field, 'ü'.repeat(SEALED_PLAINTEXT_BYTES_MAX / 2 + 1)))).toBe(
      'too-large',
    );
  });

  it('keeps the value out of its errors', () => {
    const sealed = seal(key, tenant, subjectId, field, '+15550100123');
    const error = (() => {
      try {
        return unseal(Buffer.alloc(32), tenant, subjectId, field, sealed);
      } catch (thrown) {
        return thrown as Error;
      }
    })();
    expect(String((error as Error).stack)).not.toMatch(/5550100|6f3c1c9e|v1\./);
  });
});
