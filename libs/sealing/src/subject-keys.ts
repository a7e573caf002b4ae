import { randomBytes } from 'node:crypto';
import type { Connection } from 'mongoose';
import { KEY_BYTES } from './aes-gcm.ts';
import { errorField } from './error-fields.ts';
import { KeyWrapError, type KeyOwner, type KeyWrapper } from './key-wrapper.ts';

/** Bounds one read and one answer of the internal API (about 60 KB); callers split what is more. */
export const SUBJECT_KEYS_BATCH_MAX = 500;

export const SUBJECT_KEYS_COLLECTION = 'subject_keys';

/** What became of a subject's key. Only `live` lets anyone seal or open. */
export type SubjectKey =
  | { readonly state: 'live'; readonly key: Uint8Array }
  /** Destroyed by an erasure: what it sealed is gone for good. */
  | { readonly state: 'gone' }
  /** There is none that can be read: the subject was never registered here, or its key is damaged. */
  | { readonly state: 'unknown' };

export type SubjectKeysFault = 'key-gone' | 'key-unreadable' | 'batch-too-large';

/** A subject's key could not be given. Never carries a key or whose it is. */
export class SubjectKeysError extends Error {
  override readonly name = 'SubjectKeysError';
  readonly code: SubjectKeysFault;
  constructor(code: SubjectKeysFault, options?: ErrorOptions) {
    super(`subject keys: ${code}`, options);
    this.code = code;
  }
}

interface SubjectKeyDocument {
  /** tenant/subjectId */
  _id: string;
  /** `live`, or `destroyed`, which is a tombstone: it carries no key, and none is ever made in its place. */
  state: string;
  kekId?: string;
  wrapped?: string;
}

/** An acknowledged key survives the loss of a minority of the store and of its memory. */
const DURABLE = { writeConcern: { w: 'majority', j: true } } as const;

/** What a majority holds, asked of the primary: never a key that a failover would take back. */
const CURRENT = { readConcern: { level: 'majority' }, readPreference: 'primary' } as const;

const DUPLICATE_KEY = 11_000;

/**
 * The data keys of subjects, wrapped, in MongoDB. Not a read model: it cannot be rebuilt from the log. Used by the
 * consent service alone; others ask it. Nothing is cached, so every call sees an erasure that was acknowledged.
 *
 * Errors of the store (MongoError) and of the wrapper (KeyWrapError `unavailable`) pass through: try again later.
 */
export class SubjectKeys {
  readonly #connection: Connection;
  readonly #wrapper: KeyWrapper;

  constructor(options: { connection: Connection; wrapper: KeyWrapper }) {
    this.#connection = options.connection;
    this.#wrapper = options.wrapper;
  }

  /**
   * The subject's key, made if there is none, as a majority of the store holds it. Call it before each sealing: the
   * key is durable before the first event that uses it is appended, and a subject that was erased is noticed. Of
   * concurrent callers one makes the key and all get the same; a crash in here leaves no key or a whole one.
   *
   * @throws SubjectKeysError `key-gone` when the key was destroyed, `key-unreadable` when it does not unwrap or is not there
   */
  async obtain(tenant: string, subjectId: string): Promise<Uint8Array> {
    const owner = { tenant, subjectId };
    const known = await this.#read(owner);
    if (known.state !== 'unknown') return liveKey(known);
    await this.#insertIfAbsent(owner);
    return liveKey(await this.#read(owner));
  }

  /**
   * The keys of several subjects, in one read. Every id that was asked for is in the answer.
   *
   * @param subjectIds at most `SUBJECT_KEYS_BATCH_MAX`
   * @throws SubjectKeysError `batch-too-large`
   */
  async get(tenant: string, subjectIds: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>> {
    if (subjectIds.length > SUBJECT_KEYS_BATCH_MAX) throw new SubjectKeysError('batch-too-large');
    const owners = [...new Set(subjectIds)].map((subjectId) => ({ tenant, subjectId }));
    const documents = await this.#collection.find({ _id: { $in: owners.map(documentId) } }, CURRENT).toArray();
    const byId = new Map(documents.map((document) => [document._id, document]));
    return new Map(
      await Promise.all(
        owners.map(async (owner): Promise<[string, SubjectKey]> => {
          const key = await this.#unwrap(owner, byId.get(documentId(owner)));
          return [owner.subjectId, key === 'unreadable' ? { state: 'unknown' } : key];
        }),
      ),
    );
  }

  get #collection() {
    return this.#connection.collection<SubjectKeyDocument>(SUBJECT_KEYS_COLLECTION);
  }

  async #read(owner: KeyOwner): Promise<SubjectKey> {
    const document = await this.#collection.findOne({ _id: documentId(owner) }, CURRENT);
    const key = await this.#unwrap(owner, document ?? undefined);
    if (key === 'unreadable') throw new SubjectKeysError('key-unreadable');
    return key;
  }

  /**
   * An upsert rather than an insert: when the key exists it writes nothing, yet waits until a majority holds what is
   * there, so that the read after it finds another caller's key.
   */
  async #insertIfAbsent(owner: KeyOwner): Promise<void> {
    const wrapped = await this.#wrapper.wrap(randomBytes(KEY_BYTES), owner);
    const insert = () =>
      this.#collection.updateOne(
        { _id: documentId(owner) },
        { $setOnInsert: { state: 'live', ...wrapped } },
        { upsert: true, ...DURABLE },
      );
    try {
      await insert();
    } catch (error) {
      // Two upserts of one id may both try to insert; for the loser the key now exists.
      if (errorField(error, 'code') !== DUPLICATE_KEY) throw error;
      await insert();
    }
  }

  async #unwrap(owner: KeyOwner, document: SubjectKeyDocument | undefined): Promise<SubjectKey | 'unreadable'> {
    if (document === undefined) return { state: 'unknown' };
    if (document.state === 'destroyed') return { state: 'gone' };
    const { state, kekId, wrapped } = document;
    if (state !== 'live' || kekId === undefined || wrapped === undefined) return 'unreadable';
    try {
      return { state: 'live', key: await this.#wrapper.unwrap({ kekId, wrapped }, owner) };
    } catch (error) {
      if (error instanceof KeyWrapError && error.code !== 'unavailable') return 'unreadable';
      throw error;
    }
  }
}

function liveKey(key: SubjectKey): Uint8Array {
  if (key.state === 'live') return key.key;
  throw new SubjectKeysError(key.state === 'gone' ? 'key-gone' : 'key-unreadable');
}

function documentId({ tenant, subjectId }: KeyOwner): string {
  return `${tenant}/${subjectId}`;
}
