export { FileKeyWrapper, KekFileError, type KekFileFault } from './file-key-wrapper.ts';
export { IntakeKey } from './intake-key.ts';
export {
  KeyWrapError,
  type KeyDeriver,
  type KeyOwner,
  type KeyWrapFault,
  type KeyWrapper,
  type WrappedKey,
} from './key-wrapper.ts';
export {
  seal,
  SEALED_PLAINTEXT_BYTES_MAX,
  SealError,
  unseal,
  unsealBytes,
  type Sealed,
  type SealFault,
} from './seal.ts';
export {
  KEY_CACHE_ENTRIES_MAX,
  KEY_CACHE_TTL_MAX_MS,
  SubjectKeyClient,
  SubjectKeyClientError,
  unwrapKeysAnswer,
  UNWRAP_KEYS_PATH,
  type SubjectKeyClientFault,
  type SubjectKeyClientOptions,
  type UnwrapKeysAnswer,
} from './subject-key-client.ts';
export {
  SUBJECT_KEYS_BATCH_MAX,
  SUBJECT_KEYS_COLLECTION,
  SubjectKeys,
  SubjectKeysError,
  type SubjectKey,
  type SubjectKeysFault,
} from './subject-keys.ts';
