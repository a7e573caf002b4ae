import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decryptBox, encryptBox, KEY_BYTES } from './aes-gcm.ts';
import { errorField } from './error-fields.ts';
import { KeyWrapError, type KeyDeriver, type KeyOwner, type KeyWrapper, type WrappedKey } from './key-wrapper.ts';
import { lengthPrefixed } from './length-prefixed.ts';

export type KekFileFault = 'missing' | 'unsafe-permissions' | 'malformed' | 'inaccessible';

/** The file of the key-encryption key cannot be used. Never carries its content. */
export class KekFileError extends Error {
  override readonly name = 'KekFileError';
  readonly code: KekFileFault;
  constructor(code: KekFileFault, options?: ErrorOptions) {
    super(`key-encryption key file: ${code}`, options);
    this.code = code;
  }
}

/** Readable by its owner alone. */
const KEK_FILE_MODE = 0o600;
const OTHERS_MODE_BITS = 0o077;

/** 32 bytes as base64, and a line end. */
const KEK_TEXT = /^[A-Za-z0-9+/]{43}=\n?$/;
const KEK_FILE_BYTES_MAX = 64;

/**
 * Keeps the key-encryption key in a file: for development, or where a secret store mounts one. Who can read the file
 * can read every sealed value; losing it loses them all.
 */
export class FileKeyWrapper implements KeyWrapper, KeyDeriver {
  readonly #kek: Uint8Array;
  readonly #kekId: string;

  private constructor(kek: Uint8Array) {
    this.#kek = kek;
    this.#kekId = `file-${createHash('sha256').update('assent kek id').update(kek).digest('hex').slice(0, 16)}`;
  }

  /**
   * Opens the key file: 32 bytes as base64, closed to everyone but its owner. With `createIfMissing` (local mode only) an absent one is made,
   * durable before this returns; of several processes that start at once one makes it and all read the same.
   * @throws KekFileError
   */
  static async open(path: string, options: { createIfMissing: boolean }): Promise<FileKeyWrapper> {
    const kek = await readKek(path);
    if (kek !== undefined) return new FileKeyWrapper(kek);
    if (!options.createIfMissing) throw new KekFileError('missing');
    await createKek(path);
    const created = await readKek(path);
    if (created === undefined) throw new KekFileError('missing');
    return new FileKeyWrapper(created);
  }

  wrap(key: Uint8Array, owner: KeyOwner): Promise<WrappedKey> {
    return Promise.resolve({ kekId: this.#kekId, wrapped: encryptBox(this.#kek, this.#associated(owner), key) });
  }

  unwrap(wrapped: WrappedKey, owner: KeyOwner): Promise<Uint8Array> {
    if (wrapped.kekId !== this.#kekId) return Promise.reject(new KeyWrapError('unknown-kek'));
    const key = decryptBox(this.#kek, this.#associated(owner), wrapped.wrapped);
    return typeof key === 'string' ? Promise.reject(new KeyWrapError('refused')) : Promise.resolve(key);
  }

  derive(purpose: string, tenant: string): Promise<Uint8Array> {
    const info = lengthPrefixed('assent-derived-key', purpose, tenant);
    return Promise.resolve(new Uint8Array(hkdfSync('sha256', this.#kek, new Uint8Array(), info, KEY_BYTES)));
  }

  #associated(owner: KeyOwner): Uint8Array {
    return lengthPrefixed('assent-data-key', this.#kekId, owner.tenant, owner.subjectId);
  }
}

async function readKek(path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      if (((await file.stat()).mode & OTHERS_MODE_BITS) !== 0) throw new KekFileError('unsafe-permissions');
      const { buffer, bytesRead } = await file.read(Buffer.alloc(KEK_FILE_BYTES_MAX), 0, KEK_FILE_BYTES_MAX, 0);
      const text = buffer.toString('latin1', 0, bytesRead);
      if (!KEK_TEXT.test(text)) throw new KekFileError('malformed');
      return Buffer.from(text, 'base64');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof KekFileError) throw error;
    if (errorField(error, 'code') === 'ENOENT') return undefined;
    throw new KekFileError('inaccessible', { cause: error });
  }
}

/** Written whole beside it, synced, then linked: the path holds either nothing or a whole key, and the first one wins. */
async function createKek(path: string): Promise<void> {
  const folder = dirname(path);
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeSynced(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
    try {
      await link(draft, path);
    } catch (error) {
      if (errorField(error, 'code') !== 'EEXIST') throw error;
    } finally {
      await unlink(draft);
    }
    await syncFolder(folder);
  } catch (error) {
    throw new KekFileError('inaccessible', { cause: error });
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', KEK_FILE_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
