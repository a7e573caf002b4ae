import { CompactEncrypt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';
import { exampleEvent, exampleRecord } from './examples.fixture.ts';
import { decodeEvent, openDispatchRequest, SEALED_REQUEST_BYTES_MAX, sealDispatchRequest } from './index.ts';
import type { SealedRequest } from './index.ts';

interface KeyPair {
  publicKey: JWK;
  privateKey: JWK;
}

async function keyPair(kid: string, alg: string, crv?: string): Promise<KeyPair> {
  const pair = await generateKeyPair(alg, { extractable: true, ...(crv === undefined ? {} : { crv }) });
  return {
    publicKey: { ...(await exportJWK(pair.publicKey)), kid, use: 'enc' },
    privateKey: { ...(await exportJWK(pair.privateKey)), kid },
  };
}

const content: SealedRequest = { recipient: { phone: '+15550100' }, parameters: ['Ada', '42'] };
const code = (expected: string) => ({ name: 'SealedRequestError', code: expected });

/** A JWE that a careless or hostile program made. */
async function jweOf(key: JWK, plaintext: string, header: { alg: string; enc: string; kid?: string }): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(plaintext)).setProtectedHeader(header).encrypt(key);
}

let rsa: KeyPair;
let ec: KeyPair;
let okp: KeyPair;

beforeAll(async () => {
  rsa = await keyPair('rsa-1', 'RSA-OAEP-256');
  ec = await keyPair('ec-1', 'ECDH-ES', 'P-256');
  okp = await keyPair('okp-1', 'ECDH-ES', 'X25519');
});

describe('a sealed request', () => {
  it.each(['rsa', 'ec', 'okp'] as const)('is opened by the %s key it was sealed to, among others', async (name) => {
    const pair = { rsa, ec, okp }[name];
    const jwe = await sealDispatchRequest(pair.publicKey, content);
    expect(await openDispatchRequest(jwe, [okp.privateKey, rsa.privateKey, ec.privateKey])).toEqual(content);
    const alg = name === 'rsa' ? 'RSA-OAEP-256' : 'ECDH-ES';
    expect(decodeProtectedHeader(jwe)).toMatchObject({ alg, enc: 'A256GCM', kid: `${name}-1` });
  });

  it('fits the event it travels in', async () => {
    const large = { ...content, parameters: Array.from({ length: 31 }, () => 'x'.repeat(1024)) };
    const sealedRecipient = await sealDispatchRequest(rsa.publicKey, large);
    const requested = exampleEvent('dispatch.requested.v1');
    const record = exampleRecord({ ...requested, data: { ...requested.data, sealedRecipient } });
    expect(decodeEvent(record).data).toMatchObject({ sealedRecipient });
  });

  it('may hold parameters alone, or a recipient of any kind', async () => {
    const recipients = [
      { waId: '15550100' },
      { bsuid: 'US.1' },
      { subjectId: exampleEvent('preferences.changed.v1').data.subjectId },
    ];
    for (const some of [{ parameters: [] }, ...recipients.map((recipient) => ({ recipient, parameters: ['a'] }))]) {
      expect(await openDispatchRequest(await sealDispatchRequest(ec.publicKey, some), [ec.privateKey])).toEqual(some);
    }
  });

  it('is opened by the first key when it names none', async () => {
    const { kid: _, ...nameless } = rsa.publicKey;
    const jwe = await sealDispatchRequest(nameless, content);
    expect(await openDispatchRequest(jwe, [rsa.privateKey, ec.privateKey])).toEqual(content);
  });
});

describe('a request that cannot be sealed', () => {
  it.each<[string, unknown]>([
    ['no parameters', { recipient: { phone: '+15550100' } }],
    ['an unknown kind of recipient', { recipient: { email: 'a' }, parameters: [] }],
    ['a parameter that is no text', { parameters: [1] }],
    ['a lone surrogate', { parameters: ['\ud800'] }],
  ])('is refused for %s', async (_, wrong) => {
    await expect(sealDispatchRequest(rsa.publicKey, wrong as SealedRequest)).rejects.toMatchObject(
      code('malformed-content'),
    );
  });

  it('is refused when it is too large', async () => {
    const parameters = Array.from({ length: SEALED_REQUEST_BYTES_MAX / 1024 }, () => 'x'.repeat(1024));
    await expect(sealDispatchRequest(rsa.publicKey, { parameters })).rejects.toMatchObject(code('too-large'));
  });

  it('is refused for a key of another kind', async () => {
    const ed25519 = await keyPair('ed-1', 'EdDSA', 'Ed25519');
    for (const key of [
      { kty: 'oct', k: 'AAAA' },
      { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      ed25519.publicKey,
      {},
    ] as JWK[]) {
      await expect(sealDispatchRequest(key, content)).rejects.toMatchObject(code('unusable-key'));
    }
  });
});

describe('a sealed request that cannot be opened', () => {
  const header = { alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'rsa-1' };

  it('is refused when no key has its name', async () => {
    const jwe = await sealDispatchRequest(rsa.publicKey, content);
    await expect(openDispatchRequest(jwe, [ec.privateKey])).rejects.toMatchObject(code('unknown-key'));
    await expect(openDispatchRequest(jwe, [])).rejects.toMatchObject(code('unknown-key'));
  });

  it('is refused when it was sealed to another key of that name', async () => {
    const impostor = await keyPair('rsa-1', 'RSA-OAEP-256');
    const jwe = await sealDispatchRequest(impostor.publicKey, content);
    await expect(openDispatchRequest(jwe, [rsa.privateKey])).rejects.toMatchObject(code('undecryptable'));
  });

  it('is refused when any part of it was changed', async () => {
    const jwe = await sealDispatchRequest(rsa.publicKey, content);
    const parts = jwe.split('.');
    for (const [index, part] of parts.entries()) {
      const changed = parts.with(index, (part.startsWith('A') ? 'B' : 'A') + part.slice(1)).join('.');
      await expect(openDispatchRequest(changed, [rsa.privateKey])).rejects.toMatchObject(code('undecryptable'));
    }
  });

  it.each(['', 'a', 'a.b.c.d.e', '....', '\ud800'])('is refused when it is %j', async (jwe) => {
    await expect(openDispatchRequest(jwe, [rsa.privateKey])).rejects.toMatchObject(code('undecryptable'));
  });

  it.each([
    { ...header, enc: 'A128GCM' },
    { ...header, alg: 'RSA-OAEP' },
  ])('is refused under the algorithms of %j', async (weaker) => {
    const jwe = await jweOf(rsa.publicKey, JSON.stringify(content), weaker);
    await expect(openDispatchRequest(jwe, [rsa.privateKey])).rejects.toMatchObject(code('undecryptable'));
  });

  it.each(['', 'PLANTED', '[]', '{"parameters":"PLANTED"}', '{"parameters":[],"__proto__":{}}'])(
    'is refused when %j is inside, without repeating it',
    async (plaintext) => {
      const opened = openDispatchRequest(await jweOf(rsa.publicKey, plaintext, header), [rsa.privateKey]);
      await expect(opened).rejects.toMatchObject({
        ...code('malformed-content'),
        message: 'sealed request: malformed-content',
      });
    },
  );

  it('is refused unread when it is too large', async () => {
    await expect(openDispatchRequest('a'.repeat(65_537), [rsa.privateKey])).rejects.toMatchObject(code('too-large'));
  });
});
