/** The `Projector` of this service's read models. */
export const CONSENT_PROJECTOR = Symbol('CONSENT_PROJECTOR');
/** The `Barrier` in front of this service's read models. */
export const BARRIER = Symbol('BARRIER');
/** The `AddressKeys` with every live pepper. */
export const ADDRESS_KEYS = Symbol('ADDRESS_KEYS');
/** The `FileKeyWrapper` with the key-encryption key. */
export const KEY_WRAPPER = Symbol('KEY_WRAPPER');
