import type { KeyDeriver } from './key-wrapper.ts';
import { seal, unsealBytes, type Sealed } from './seal.ts';

/** Takes the place of the subject: a quarantined update has none yet. Not a UUID, so it can never be one. */
const INTAKE = 'intake';

/**
 * Seals webhook updates that are kept although nobody can be found for them. Each tenant has a key of its own, derived
 * from the key-encryption key, so nothing has to be stored before the update is. Not erasable by subject: a quarantined
 * update is resolved or dropped by an operator.
 */
export class IntakeKey {
  readonly #deriver: KeyDeriver;

  constructor(deriver: KeyDeriver) {
    this.#deriver = deriver;
  }

  /** Seals an update's bytes. Throws SealError `too-large`, KeyWrapError `unavailable`. */
  async seal(tenant: string, field: string, update: string | Uint8Array): Promise<Sealed> {
    return seal(await this.#deriver.derive(INTAKE, tenant), tenant, INTAKE, field, update);
  }

  /** Opens a sealed update. Throws SealError `malformed` or `refused`, KeyWrapError `unavailable`. */
  async unseal(tenant: string, field: string, sealed: Sealed): Promise<Uint8Array> {
    return unsealBytes(await this.#deriver.derive(INTAKE, tenant), tenant, INTAKE, field, sealed);
  }
}
