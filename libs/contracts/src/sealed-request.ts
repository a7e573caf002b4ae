import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import type { JWK } from 'jose';
import type { SealedRequest } from './generated/event-data.ts';
import { assertJson, canonicalJson, JsonError } from './json.ts';
import { sealedRequestViolation } from './validation.ts';

/** A hundred parameters of a template at WhatsApp's own limits need far less. */
export const SEALED_REQUEST_BYTES_MAX = 32_768;
/** Base64url of the largest content, with room for the header; the maxLength of Jwe in the schemas. */
const JWE_CHARS_MAX = 65_536;

const CONTENT_ENCRYPTION = 'A256GCM';
/** Key management by key type (RFC 7518, sections 4.3 and 4.6). */
const KEY_MANAGEMENT: Readonly<Record<string, string>> = { RSA: 'RSA-OAEP-256', EC: 'ECDH-ES', OKP: 'ECDH-ES' };

export type SealedRequestFault = 'unusable-key' | 'unknown-key' | 'undecryptable' | 'malformed-content' | 'too-large';

/** A request that could not be sealed or opened. Never carries anything of what is inside. */
export class SealedRequestError extends Error {
  override readonly name = 'SealedRequestError';
  readonly code: SealedRequestFault;
  constructor(code: SealedRequestFault) {
    super(`sealed request: ${code}`);
    this.code = code;
  }
}

/**
 * Seals whom to write to and the template's parameters for dispatch: a compact JWE, RSA-OAEP-256 or ECDH-ES by the type
 * of the key, A256GCM. For platform teams: `jwk` is a public key of dispatch's `/.well-known/jwks.json`, the result is
 * `sealedRecipient` of dispatch.requested.v1 (or, without `recipient`, its `sealedParameters`).
 * Throws SealedRequestError `unusable-key`, `malformed-content` or `too-large`.
 */
export async function sealDispatchRequest(jwk: JWK, content: SealedRequest): Promise<string> {
  const alg = KEY_MANAGEMENT[jwk.kty ?? ''];
  if (alg === undefined) throw new SealedRequestError('unusable-key');
  const plaintext = new TextEncoder().encode(textOf(content));
  if (plaintext.length > SEALED_REQUEST_BYTES_MAX) throw new SealedRequestError('too-large');
  const header = { alg, enc: CONTENT_ENCRYPTION, ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) };
  try {
    return await new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(jwk);
  } catch {
    throw new SealedRequestError('unusable-key');
  }
}

/**
 * Opens what sealDispatchRequest sealed. `privateKeys` are the keys that are still honoured; the JWE's `kid` chooses
 * among them, a JWE without one is opened by the first key.
 * Throws SealedRequestError `too-large`, `unknown-key`, `unusable-key`, `undecryptable` (damaged, other algorithms, wrong
 * key) or `malformed-content`.
 */
export async function openDispatchRequest(jwe: string, privateKeys: readonly JWK[]): Promise<SealedRequest> {
  if (jwe.length > JWE_CHARS_MAX) throw new SealedRequestError('too-large');
  const key = keyFor(jwe, privateKeys);
  const algorithm = KEY_MANAGEMENT[key.kty ?? ''];
  if (algorithm === undefined) throw new SealedRequestError('unusable-key');
  return contentOf(await decrypt(jwe, key, algorithm));
}

function textOf(content: SealedRequest): string {
  try {
    const text = canonicalJson(content);
    if (sealedRequestViolation(content) === undefined) return text;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw new SealedRequestError('malformed-content');
}

function keyFor(jwe: string, privateKeys: readonly JWK[]): JWK {
  let kid: string | undefined;
  try {
    ({ kid } = decodeProtectedHeader(jwe));
  } catch {
    throw new SealedRequestError('undecryptable');
  }
  const key = kid === undefined ? privateKeys[0] : privateKeys.find((candidate) => candidate.kid === kid);
  if (key === undefined) throw new SealedRequestError('unknown-key');
  return key;
}

async function decrypt(jwe: string, key: JWK, algorithm: string): Promise<Uint8Array> {
  try {
    const allowed = { keyManagementAlgorithms: [algorithm], contentEncryptionAlgorithms: [CONTENT_ENCRYPTION] };
    return (await compactDecrypt(jwe, key, allowed)).plaintext;
  } catch {
    throw new SealedRequestError('undecryptable');
  }
}

function contentOf(plaintext: Uint8Array): SealedRequest {
  try {
    const content: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plaintext));
    assertJson(content);
    if (sealedRequestViolation(content) === undefined) return content as SealedRequest;
  } catch {
    // Text that is no JSON and JSON of another shape are the same to the caller; messages would quote the content.
  }
  throw new SealedRequestError('malformed-content');
}
