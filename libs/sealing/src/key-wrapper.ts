/** Whose data key it is; bound to the wrapped key, so that it unwraps for nobody else. */
export interface KeyOwner {
  readonly tenant: string;
  readonly subjectId: string;
}

/** A data key encrypted under a key-encryption key (KEK). */
export interface WrappedKey {
  /** Which KEK it was. */
  readonly kekId: string;
  /** Text only the wrapper reads. */
  readonly wrapped: string;
}

export type KeyWrapFault =
  /** The KEK is not one this wrapper holds. For good, as far as this process goes. */
  | 'unknown-kek'
  /** The text is damaged or belongs to somebody else. For good. */
  | 'refused'
  /** The wrapper cannot be reached. Try again later. */
  | 'unavailable';

/** A key that could not be wrapped or unwrapped. Never carries a key or whose it is. */
export class KeyWrapError extends Error {
  override readonly name = 'KeyWrapError';
  readonly code: KeyWrapFault;
  constructor(code: KeyWrapFault) {
    super(`key wrapping: ${code}`);
    this.code = code;
  }
}

/**
 * Encrypts data keys under a key-encryption key that never leaves it. A local file in development, a KMS adapter in
 * production; every adapter passes the suite in key-wrapper.spec.ts. Stores nothing: a wrapped key that is lost is gone.
 */
export interface KeyWrapper {
  /**
   * Wraps a 32-byte data key for its owner, under the current KEK.
   * @throws KeyWrapError `unavailable`
   */
  wrap(key: Uint8Array, owner: KeyOwner): Promise<WrappedKey>;

  /**
   * Gives the data key back, for the same owner only.
   * @throws KeyWrapError `unknown-kek`, `refused`, `unavailable`
   */
  unwrap(wrapped: WrappedKey, owner: KeyOwner): Promise<Uint8Array>;
}

/** Derives keys of its own for purposes that have no stored data key, always the same for the same label. */
export interface KeyDeriver {
  /**
   * A 32-byte key for a purpose and a tenant; one tells nothing of another or of the KEK.
   * @throws KeyWrapError `unavailable`
   */
  derive(purpose: string, tenant: string): Promise<Uint8Array>;
}
