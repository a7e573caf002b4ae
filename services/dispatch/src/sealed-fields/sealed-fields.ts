import type { Reason } from '@assent/contracts';
import { seal, SealError, SubjectKeyClient, SubjectKeyClientError, unseal } from '@assent/sealing';
import type { Clock } from '@assent/service-runtime';

export interface Person {
  readonly tenant: string;
  readonly subjectId: string;
}

/** `unavailable`: the key can't be had now. `gone`: it was destroyed, or it is not the one that sealed them. */
export type Unopened = { readonly kind: 'unavailable' } | { readonly kind: 'gone' };
export type OpenedFields = { readonly kind: 'opened'; readonly texts: ReadonlyMap<string, string> } | Unopened;
/** What a message needs of its parameters in dispatch.accepted.v1; nothing when it has none. */
export type SealedParameters =
  { readonly kind: 'sealed'; readonly field: { readonly sealedParameters?: string } } | Unopened;

/** Why nothing is sent to a person whose key was destroyed. */
export const PERSON_ERASED: Reason = { code: 'person-erased', text: 'The person was erased.' };

/** The keys can't be had now; whoever needs them tries again later. */
export class KeysUnavailableError extends Error {
  override readonly name = 'KeysUnavailableError';
  readonly code = 'keys-unavailable';
  constructor() {
    super('the keys of people can not be had now');
  }
}

/** The person's key was destroyed: nothing can be sealed for them or opened. */
export class SubjectKeyGoneError extends Error {
  override readonly name = 'SubjectKeyGoneError';
  readonly code = 'subject-key-gone';
}

/** The consent service knows no key of this person, which is no proof that it was destroyed. */
export class SubjectKeyUnknownError extends Error {
  override readonly name = 'SubjectKeyUnknownError';
  readonly code = 'subject-key-unknown';
}

/** No token for this tenant's keys is configured. */
export class TenantTokenMissingError extends Error {
  override readonly name = 'TenantTokenMissingError';
  readonly code = 'tenant-token-missing';
}

/** Opens and seals fields under the keys of people, which the consent service holds; one client per tenant. */
export class SealedFields {
  readonly #clients: ReadonlyMap<string, SubjectKeyClient>;

  constructor(clients: ReadonlyMap<string, SubjectKeyClient>) {
    this.#clients = clients;
  }

  static of(
    config: { CONSENT_INTERNAL_URL: string; ASSENT_SERVICE_TOKENS: Readonly<Record<string, string>> },
    clock: Clock,
  ): SealedFields {
    const clients = Object.entries(config.ASSENT_SERVICE_TOKENS).map(([tenant, token]): [string, SubjectKeyClient] => [
      tenant,
      new SubjectKeyClient({ consentUrl: config.CONSENT_INTERNAL_URL, token, monotonicMs: () => clock.monotonicMs() }),
    ]);
    return new SealedFields(new Map(clients));
  }

  /** Opens sealed values by field name. Never throws for what passes by itself: that is `unavailable`. */
  async open(person: Person, sealed: ReadonlyMap<string, string>): Promise<OpenedFields> {
    const { tenant, subjectId } = person;
    return orUnopened(async () => {
      const key = await this.#keyOf(person);
      const texts = new Map([...sealed].map(([field, value]) => [field, unseal(key, tenant, subjectId, field, value)]));
      return { kind: 'opened', texts };
    });
  }

  /** Seals the parameters of a message. Never throws for what passes by itself: that is `unavailable`. */
  async sealParameters(person: Person, parameters: readonly string[]): Promise<SealedParameters> {
    if (parameters.length === 0) return { kind: 'sealed', field: {} };
    const { tenant, subjectId } = person;
    return orUnopened(async () => {
      const key = await this.#keyOf(person);
      const sealedParameters = seal(key, tenant, subjectId, 'parameters', JSON.stringify(parameters));
      return { kind: 'sealed', field: { sealedParameters } };
    });
  }

  async #keyOf({ tenant, subjectId }: Person): Promise<Uint8Array> {
    const client = this.#clients.get(tenant);
    if (client === undefined) throw new TenantTokenMissingError('no service token for this tenant is configured');
    const found = (await client.keys([subjectId])).get(subjectId);
    if (found?.state === 'live') return found.key;
    if (found?.state === 'gone') throw new SubjectKeyGoneError('the key of this person is gone');
    throw new SubjectKeyUnknownError('the consent service knows no key of this person');
  }
}

async function orUnopened<T>(work: () => Promise<T>): Promise<T | Unopened> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SubjectKeyGoneError || error instanceof SealError) return { kind: 'gone' };
    const isPassing =
      error instanceof SubjectKeyClientError ||
      error instanceof SubjectKeyUnknownError ||
      error instanceof TenantTokenMissingError;
    if (isPassing) return { kind: 'unavailable' };
    throw error;
  }
}
