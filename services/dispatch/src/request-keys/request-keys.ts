import { randomUUID } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';

/** Members of a JWK that are public, for EC and RSA keys. Source: RFC 7517, section 4, and RFC 7518, section 6. */
const PUBLIC_MEMBERS = new Set(['kty', 'use', 'alg', 'kid', 'crv', 'x', 'y', 'n', 'e']);
/** Readable by its owner alone. */
const OTHERS_MODE_BITS = 0o077;

/** The key file can not be used. Names the file and the remedy, never its content. */
export class RequestKeyError extends Error {
  override readonly name = 'RequestKeyError';
  readonly code = 'request-key-unusable';
}

/**
 * The keys that platform teams seal requests to: a JSON file `{"keys": [JWK, …]}` with private keys, the current one
 * first; older ones are honoured as long as they stay in it. Read once. Created on demand (0600) when `create` says so.
 */
export class RequestKeys {
  readonly #file: string;
  readonly #create: boolean;
  #keys: Promise<readonly JWK[]> | undefined;

  constructor(options: { file: string; create: boolean }) {
    this.#file = options.file;
    this.#create = options.create;
  }

  /** @throws RequestKeyError */
  privateKeys(): Promise<readonly JWK[]> {
    this.#keys ??= this.#load();
    return this.#keys;
  }

  /** The public halves, for `/.well-known/jwks.json`. Source: RFC 7517, section 5. */
  async publicKeys(): Promise<{ keys: JWK[] }> {
    const keys = await this.privateKeys();
    return {
      keys: keys.map(
        (key) => Object.fromEntries(Object.entries(key).filter(([name]) => PUBLIC_MEMBERS.has(name))) as JWK,
      ),
    };
  }

  async #load(): Promise<readonly JWK[]> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
      if (((await stat(this.#file)).mode & OTHERS_MODE_BITS) !== 0)
        throw this.#unusable('must not be open to others (chmod 600)');
    } catch (error) {
      if (error instanceof RequestKeyError) throw error;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !this.#create) throw this.#unusable('can not be read');
      text = await this.#make();
    }
    try {
      const { keys } = JSON.parse(text) as { keys: JWK[] };
      if (keys.length > 0 && keys.every(isPrivateKey)) return keys;
    } catch {
      throw this.#unusable('is not JSON of the form {"keys": [JWK, …]}');
    }
    throw this.#unusable('needs private EC or RSA keys, each with a kid');
  }

  /** Two processes that start together agree on the file of the first. */
  async #make(): Promise<string> {
    const { privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const key = { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'ECDH-ES', use: 'enc' };
    await mkdir(dirname(this.#file), { recursive: true });
    try {
      await writeFile(this.#file, JSON.stringify({ keys: [key] }), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw this.#unusable('can not be written');
    }
    return readFile(this.#file, 'utf8');
  }

  #unusable(what: string): RequestKeyError {
    return new RequestKeyError(`the file of request keys (DISPATCH_REQUEST_KEYS_FILE) ${what}`);
  }
}

function isPrivateKey({ kty, d, kid }: JWK): boolean {
  return (kty === 'EC' || kty === 'RSA') && d !== undefined && kid !== undefined;
}
