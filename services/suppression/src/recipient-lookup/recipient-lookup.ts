import type { EventLog, TopicPartition } from '@assent/event-log';
import { addressesOf, type AddressKeys, type Recipient } from '@assent/identity';
import type { Connection } from 'mongoose';
import { addressId, type AddressDocument } from '../addresses/address.projection.ts';
import { addressCausesFold, type AddressCausesDocument } from '../causes/cause.projection.ts';
import { subjectFold, type SubjectDocument } from '../subjects/subject.projection.ts';

/** Everything our read models hold about whom a caller means. */
export interface FoundRecipient {
  readonly subjects: readonly SubjectDocument[];
  readonly causes: readonly AddressCausesDocument[];
  /** Every address key asked for, the persons' own included. */
  readonly addressKeys: readonly string[];
}

const PRIMARY = { readPreference: 'primary' } as const;

/**
 * Finds people and causes by any of a recipient's addresses, under every live pepper. Reads only; an unknown recipient
 * is an empty answer. Documents of other tenants are never returned.
 */
export class RecipientLookup {
  readonly #db: Connection;
  readonly #log: EventLog;
  readonly #keys: AddressKeys;

  constructor(db: Connection, log: EventLog, keys: AddressKeys) {
    this.#db = db;
    this.#log = log;
    this.#keys = keys;
  }

  /** The key under which facts about a recipient's address are written; undefined when only the person is named. */
  writeKey(tenant: string, recipient: Recipient): string | undefined {
    const [address] = addressesOf(recipient);
    return address === undefined ? undefined : this.#keys.keyOf(tenant, address);
  }

  /** Every key a recipient's addresses may be known by. */
  keysOf(tenant: string, recipient: Recipient): string[] {
    return this.#keys.lookupKeys(tenant, recipient);
  }

  /**
   * The partitions that what we know of a recipient comes from. An address can be registered in any partition of
   * consent.events, so all of them count, unless the person is named.
   */
  partitionsOf(tenant: string, recipient: Recipient): TopicPartition[] {
    const consentPartitions =
      'subjectId' in recipient
        ? [this.#log.partitionFor('consent.events', recipient.subjectId)]
        : everyPartition(this.#log, 'consent.events');
    const keys = this.#keys.lookupKeys(tenant, recipient);
    return [
      ...consentPartitions.map((partition) => ({ topic: 'consent.events', partition })),
      ...this.causePartitions(keys),
    ];
  }

  causePartitions(addressKeys: readonly string[]): TopicPartition[] {
    const partitions = new Set(addressKeys.map((key) => this.#log.partitionFor('suppression.events', key)));
    return [...partitions].map((partition) => ({ topic: 'suppression.events', partition }));
  }

  async find(tenant: string, recipient: Recipient): Promise<FoundRecipient> {
    const asked = this.#keys.lookupKeys(tenant, recipient);
    const subjectIds = 'subjectId' in recipient ? [recipient.subjectId] : await this.#subjectIdsOf(asked);
    const subjects = await this.#load<SubjectDocument>(subjectFold.collection, subjectIds);
    const own = subjects.filter((subject) => subject.tenant === tenant);
    const addressKeys = [...new Set([...asked, ...own.flatMap((subject) => subject.addressKeys)])];
    const causes = await this.#load<AddressCausesDocument>(addressCausesFold.collection, addressKeys);
    return { subjects: own, causes: causes.filter((cause) => cause.tenant === tenant), addressKeys };
  }

  async #subjectIdsOf(addressKeys: readonly string[]): Promise<string[]> {
    const partitions = everyPartition(this.#log, 'consent.events');
    const ids = addressKeys.flatMap((key) => partitions.map((partition) => addressId(key, partition)));
    const documents = await this.#load<AddressDocument>('addresses', ids);
    return [...new Set(documents.flatMap(({ subjectIds }) => subjectIds))];
  }

  async #load<D>(collection: string, ids: readonly string[]): Promise<D[]> {
    if (ids.length === 0) return [];
    const found = await this.#db
      .collection<{ _id: string }>(collection)
      .find({ _id: { $in: [...ids] } }, PRIMARY)
      .toArray();
    return found as unknown as D[];
  }
}

export function everyPartition(log: EventLog, topic: string): number[] {
  return Array.from({ length: log.partitionCount(topic) }, (_, partition) => partition);
}
